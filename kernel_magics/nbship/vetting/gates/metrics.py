"""Whether every metric that the policy names reaches what is demanded of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nbship.records.vetting import Finding, Severity
from nbship.vetting.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nbship.records.policy import MetricRule
    from nbship.vetting.dossier import Dossier


class MetricsAreLogged(Gate):
    """A metric that was demanded and never logged proves nothing."""

    code = "NB605"
    title = "a demanded metric was not logged"
    severity = Severity.BLOCKER
    fix = "Log it in the notebook: `%mlops log NAME=value`."

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Object to each metric of the policy that the job did not log."""
        logged = dossier.outcome.metrics
        for rule in dossier.policy.metrics:
            if rule.name not in logged:
                others = ", ".join(sorted(logged)) or "nothing"
                yield self.finding(
                    f"metric {rule.name!r} was not logged; the job logged {others}"
                )
        if not dossier.policy.metrics:
            yield self.finding(
                "the policy demands no metric: how good the model is was not vetted",
                severity=Severity.NOTE,
                fix="Name one under [tool.mlops.vet.metrics] with a minimum or a maximum.",
            )


class MetricsReachThresholds(Gate):
    """The fixed minimum and maximum of a metric."""

    code = "NB607"
    title = "a metric misses its threshold"
    severity = Severity.BLOCKER
    fix = "Improve the model, or let the team change the threshold in the settings."

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Object to each metric below its minimum or above its maximum."""
        for rule, value in _measured(dossier):
            if rule.minimum is not None and value < rule.minimum:
                yield self.finding(
                    f"metric {rule.name!r} is {value:g}, below its minimum {rule.minimum:g}"
                )
            if rule.maximum is not None and value > rule.maximum:
                yield self.finding(
                    f"metric {rule.name!r} is {value:g}, above its maximum {rule.maximum:g}"
                )


class MetricsMatchBaseline(Gate):
    """The baseline: a candidate may fall behind it by the rule's tolerance."""

    code = "NB608"
    title = "a metric falls behind its baseline"
    severity = Severity.BLOCKER
    fix = "Improve the model, or let the team widen the tolerance in the settings."

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Object to each metric that is worse than its baseline by more than the tolerance."""
        for rule, value in _measured(dossier):
            baseline = rule.baseline
            if (
                baseline is not None
                and _shortfall(rule, value, baseline) > rule.tolerance
            ):
                yield self.finding(
                    f"metric {rule.name!r} is {value:g}, worse than its baseline {baseline:g} "
                    f"by more than {rule.tolerance:g} ({rule.direction})"
                )


class MetricsAreNumbers(Gate):
    """NaN and infinities satisfy every comparison that is written the wrong way round."""

    code = "NB609"
    title = "a metric is not a finite number"
    severity = Severity.BLOCKER
    fix = "Find the division or the empty split that made it."

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Object to NaN and infinities; a warning where the policy does not name the metric."""
        demanded = {rule.name for rule in dossier.policy.metrics}
        for name, value in dossier.outcome.metrics.items():
            if not math.isfinite(value):
                yield self.finding(
                    f"metric {name!r} is {value}",
                    severity=None if name in demanded else Severity.WARNING,
                )


def metric_table(dossier: Dossier) -> dict[str, Mapping[str, Any]]:
    """Set each metric of the policy beside what was demanded of it, for verdict and report."""
    return {rule.name: _row(rule, dossier) for rule in dossier.policy.metrics}


def _row(rule: MetricRule, dossier: Dossier) -> Mapping[str, Any]:
    value = dossier.outcome.metrics.get(rule.name)
    is_minimum = rule.minimum is not None and (
        rule.direction == "maximize" or rule.maximum is None
    )
    return {
        "value": value if value is None or math.isfinite(value) else str(value),
        "threshold": rule.minimum if is_minimum else rule.maximum,
        "minimum": rule.minimum,
        "maximum": rule.maximum,
        "baseline": rule.baseline,
        "tolerance": rule.tolerance,
        "direction": rule.direction,
        "passed": value is not None and _passes(rule, value),
    }


def _passes(rule: MetricRule, value: float) -> bool:
    baseline = rule.baseline
    return (
        math.isfinite(value)
        and (rule.minimum is None or value >= rule.minimum)
        and (rule.maximum is None or value <= rule.maximum)
        and (baseline is None or _shortfall(rule, value, baseline) <= rule.tolerance)
    )


def _measured(dossier: Dossier) -> Iterator[tuple[MetricRule, float]]:
    for rule in dossier.policy.metrics:
        value = dossier.outcome.metrics.get(rule.name)
        if value is not None and math.isfinite(value):
            yield rule, value


def _shortfall(rule: MetricRule, value: float, baseline: float) -> float:
    return value - baseline if rule.direction == "minimize" else baseline - value
