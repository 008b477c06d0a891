"""What a team demands of a job before it may ship."""

from __future__ import annotations

from dataclasses import dataclass

from nbship.records.vetting import Waiver


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricRule:
    """What one metric must reach."""

    name: str
    minimum: float | None = None
    maximum: float | None = None
    #: value of the run to match; a candidate may fall behind it by ``tolerance``
    baseline: float | None = None
    tolerance: float = 0.0
    #: ``maximize`` or ``minimize``: which way is better
    direction: str = "maximize"


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """The gates' settings, the waivers and the approvals that a release needs."""

    metrics: tuple[MetricRule, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    #: codes raised to blockers
    block: tuple[str, ...] = ()
    #: codes of gates that are not asked
    skip: tuple[str, ...] = ()
    #: approvals by different reviewers that a release needs
    approvals: int = 1
