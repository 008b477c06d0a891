"""Findings, waivers, the verdict over a job, and approvals of a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar


class Severity(StrEnum):
    """How much a finding weighs; only a blocker stops a release."""

    NOTE = "note"
    WARNING = "warning"
    BLOCKER = "blocker"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One objection."""

    #: stable code of the gate, such as ``NB205``
    code: str
    severity: Severity
    message: str
    #: one thing to do, imperative
    fix: str = ""
    cell_id: str | None = None
    #: 1-based line inside the cell
    line: int | None = None
    #: the waiver that covers it; None where it counts
    waiver: Waiver | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiver:
    """An ignored code with reason, person and expiry date."""

    code: str
    reason: str
    person: str
    #: ISO 8601 date; the waiver holds until the end of that day, UTC
    expires_on: str
    #: only this cell; None means the whole notebook
    cell_id: str | None = None

    def holds_on(self, day: date) -> bool:
        """Tell whether it still holds on that day."""
        return day <= date.fromisoformat(self.expires_on)


@dataclass(frozen=True, kw_only=True, slots=True)
class LintFinding:
    """One line of a linter's answer about a notebook, before any gate has weighed it."""

    #: the linter's own code, such as ``F821``
    code: str
    message: str
    cell_id: str
    #: 1-based line inside the cell
    line: int
    #: what the linter would do about it; "" where it has no fix
    fix: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """All findings of one vetting, passed or not."""

    SCHEMA: ClassVar[str] = "verdict/1"

    id: str
    job_id: str
    vetted_at: datetime
    passed: bool
    findings: tuple[Finding, ...] = ()
    #: codes of the gates that were asked
    gates: tuple[str, ...] = ()
    #: what the verdict is about: digests of snapshot, values, lock, data, outcome and findings
    subject: Mapping[str, str] = field(default_factory=dict)
    #: metric name to ``{"value", "threshold", "baseline", "direction", "passed"}``
    metrics: Mapping[str, Any] = field(default_factory=dict)


class Decision(StrEnum):
    """A reviewer's answer."""

    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, kw_only=True, slots=True)
class Approval:
    """A reviewer's sealed yes or no to one verdict's digest."""

    SCHEMA: ClassVar[str] = "approval/1"

    id: str
    verdict_id: str
    #: digest of the canonical JSON of the verdict record
    verdict_digest: str
    #: the verdict's subject, repeated so that an approval can be read alone
    subject: Mapping[str, str]
    decision: Decision
    reason: str
    reviewer: str
    decided_at: datetime
    #: the reviewer's public key, one line of OpenSSH
    public_key: str = ""
    #: SSHSIG in PEM form over the canonical JSON of this record with an empty seal
    seal: str = ""
