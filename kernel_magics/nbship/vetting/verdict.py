"""The verdict: what all gates say, less what is waived, and whether that lets the job pass."""

from __future__ import annotations

import dataclasses
import difflib
from typing import TYPE_CHECKING

from nbship.errors import VettingError
from nbship.records.vetting import Finding, Severity, Verdict
from nbship.vetting.gates.metrics import metric_table
from nbship.vetting.ruff_rules import is_selected
from nbship.vetting.subject import subject_of
from nbship.vetting.waivers import apply_waivers, check_waivers
from nbship.vetting.words import safe_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from nbship.records.policy import Policy
    from nbship.vetting.dossier import Dossier
    from nbship.vetting.gate import Gate

_RANK = {Severity.BLOCKER: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def judge(
    dossier: Dossier, gates: Sequence[Gate], *, verdict_id: str, vetted_at: datetime
) -> Verdict:
    """Ask every gate and weigh what they say.

    Parameters
    ----------
    dossier
        The job under vetting.
    gates
        The gates, built-in and from plug-ins.
    verdict_id
        Id of the new verdict.
    vetted_at
        Aware time.

    Returns
    -------
    Verdict
        Passed where no blocker is left without a waiver.

    Raises
    ------
    VettingError
        If the policy names no gate, a waiver is incomplete, or a gate breaks.
    """
    policy = dossier.policy
    check_policy(policy, gates)
    asked = [gate for gate in gates if gate.code not in policy.skip]
    found = [finding for gate in asked for finding in _ask(gate, dossier)]
    kept = [_weighed(f, policy) for f in found if f.code not in policy.skip]
    findings = _sorted(
        apply_waivers(kept, policy.waivers, today=dossier.today), dossier
    )
    return Verdict(
        id=verdict_id,
        job_id=dossier.job.id,
        vetted_at=vetted_at,
        passed=not any(is_blocking(finding) for finding in findings),
        findings=findings,
        gates=tuple(gate.code for gate in asked),
        subject=subject_of(dossier.job, dossier.outcome, findings),
        metrics=metric_table(dossier),
    )


def is_blocking(finding: Finding) -> bool:
    """Tell whether a finding stops a release: a blocker that no waiver covers."""
    return finding.severity is Severity.BLOCKER and finding.waiver is None


def check_policy(policy: Policy, gates: Sequence[Gate]) -> None:
    """Refuse a policy that names codes which no gate has, and waivers that are incomplete.

    Raises
    ------
    VettingError
        With every mistake, and the nearest code there is.
    """
    known = [code for gate in gates for code in (gate.code, *_more_codes(gate))]
    mistakes = [
        f"vet.{key}: no gate has the code {code!r}" + _nearest(code, known)
        for key, codes in (("block", policy.block), ("skip", policy.skip))
        for code in codes
        if code not in known and not is_selected(code)
    ]
    mistakes += check_waivers(policy.waivers)
    if mistakes:
        raise VettingError(
            "\n".join(mistakes),
            hint="Correct the settings; `mlops gates` lists the codes.",
        )


def _more_codes(gate: Gate) -> tuple[str, ...]:
    return tuple(getattr(gate, "more_codes", ()))


def _nearest(code: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(code.upper(), known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _ask(gate: Gate, dossier: Dossier) -> Iterator[Finding]:
    """Ask one gate; one that breaks stops the vetting, for it answered nothing.

    Raises
    ------
    VettingError
        If the gate raises, or answers with something else than findings.
    """
    try:
        answers = list(gate.ask(dossier))
    except VettingError:
        raise
    except Exception as error:
        raise VettingError(
            f"gate {gate.code} broke: {type(error).__name__}: {safe_words(str(error))}",
            hint=f"Mend the gate, or put {gate.code!r} into vet.skip.",
        ) from error
    for answer in answers:
        if not isinstance(answer, Finding):
            raise VettingError(
                f"gate {gate.code} answered with {type(answer).__name__}, not with findings",
                hint=f"Mend the gate, or put {gate.code!r} into vet.skip.",
            )
        yield answer


def _weighed(finding: Finding, policy: Policy) -> Finding:
    """Raise what the policy blocks, and clean the words: no secret, no control character."""
    return dataclasses.replace(
        finding,
        severity=Severity.BLOCKER if finding.code in policy.block else finding.severity,
        message=safe_words(finding.message),
        fix=safe_words(finding.fix),
    )


def _sorted(findings: Sequence[Finding], dossier: Dossier) -> tuple[Finding, ...]:
    """Blockers first, then by place in the document."""
    index = {cell.id: cell.index for cell in dossier.snapshot.cells}
    return tuple(
        sorted(
            findings,
            key=lambda f: (
                _RANK[f.severity],
                f.waiver is not None,
                index.get(f.cell_id or "", -1),
                f.line or 0,
                f.code,
                f.message,
            ),
        )
    )
