"""What the pages of a bundle say, taken from the records and from nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbship.release.parity import notes_of
from nbship.release.requirements import direct_pins, minor_version
from nbship.release.sums import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from nbship.records.job import Job, Outcome
    from nbship.records.release import ParityReport, RootCapture
    from nbship.records.run import Run
    from nbship.records.vetting import Approval, Verdict

_INPUTS = {
    "frame": "CSV with a header, or JSON lines with one object a row",
    "array": "JSON lines with one list of numbers a row",
    "arguments": "JSON lines with the arguments of one call a line, as an object or a list",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """Everything that a release rests on."""

    name: str
    version: str
    package: str
    released_at: datetime
    owner: str
    job: Job
    outcome: Outcome
    #: the run behind the outcome; None where its journal is gone
    run: Run | None
    verdict: Verdict
    verdict_digest: str
    approvals: tuple[Approval, ...]
    capture: RootCapture
    capture_digest: str
    #: the release before this one; "" for the first
    previous: str = ""

    @property
    def git(self) -> dict[str, Any]:
        """Commit, branch, dirty state and remote; empty where there was no repository."""
        git = self.run.git if self.run else None
        if git is None:
            return {}
        return {
            "commit": git.commit,
            "branch": git.branch,
            "is_dirty": git.is_dirty,
            "remote_url": git.remote_url,
        }

    def origin(self) -> dict[str, Any]:
        """Tell what ``python -m PACKAGE info`` shows of where the package comes from."""
        return {
            "name": self.name,
            "package": self.package,
            "version": self.version,
            "root": self.capture.name,
            "notebook": self.job.notebook,
            "notebook_digest": self.job.snapshot_digest,
            "job": self.job.id,
            "run": self.outcome.run_id,
            "verdict": self.verdict.id,
            "git": self.git,
            "capture_digest": self.capture_digest,
        }


def page_facts(
    evidence: Evidence, *, parity: ParityReport, wheel: str, wheel_digest: str
) -> dict[str, Any]:
    """Gather the facts of HANDOFF.md and MODEL_CARD.md."""
    capture, verdict = evidence.capture, evidence.verdict
    return {
        "name": evidence.name,
        "version": evidence.version,
        "package": evidence.package,
        "released_at": evidence.released_at,
        "owner": evidence.owner or "MISSING: owner (set release.owner)",
        "previous": evidence.previous,
        "job": evidence.job,
        "outcome": evidence.outcome,
        "values": dict(evidence.run.values if evidence.run else {})
        or evidence.job.values,
        "verdict": verdict,
        "verdict_digest": evidence.verdict_digest,
        "approvals": evidence.approvals,
        "waived": [finding for finding in verdict.findings if finding.waiver],
        "demanded": {key: _demand(rule) for key, rule in verdict.metrics.items()},
        "capture": capture,
        "capture_digest": evidence.capture_digest,
        "pins": direct_pins(capture),
        "python": minor_version(capture.python_version),
        "input_text": _INPUTS.get(capture.signature.input_form, _INPUTS["arguments"]),
        "git_text": _git_text(evidence.git),
        "wheel": wheel,
        "wheel_digest": wheel_digest,
        "namespace": NAMESPACE,
        "proof": _proof(parity),
        "proof_limit": _proof_limit(parity),
        "parity_notes": [
            note for note in notes_of(parity) if not note.startswith("not proven: ")
        ],
    }


def _proof(parity: ParityReport) -> str:
    where = "without network" if parity.isolation == "namespace" else "sockets refused"
    counts = f"{parity.cases_text} ({parity.rows} distinct rows)"
    told = f"{counts} replayed equal, twice, in a fresh environment, {where}"
    return (
        told
        if parity.is_proven
        else f"NOT PROVEN: {told}; {'; '.join(parity.unproven)}"
    )


def _proof_limit(parity: ParityReport) -> str:
    if parity.is_proven:
        return f"Equal answers were shown for {parity.rows} recorded rows, not for all inputs."
    return f"Not proven: {'; '.join(parity.unproven)}."


def _demand(rule: Any) -> str:  # noqa: ANN401  # a JSON value of the verdict
    if not isinstance(rule, dict):
        return str(rule)
    names = ("minimum", "maximum", "baseline", "tolerance")
    parts = [f"{name} {rule[name]}" for name in names if rule.get(name)]
    if not parts and rule.get("threshold") is not None:
        parts = [f"threshold {rule['threshold']}"]
    return ", ".join(parts) or "nothing"


def _git_text(git: Mapping[str, Any]) -> str:
    if not git:
        return "MISSING: the notebook lay in no repository"
    dirty = " with uncommitted changes" if git["is_dirty"] else ""
    return f"`{git['commit'] or 'none yet'}` on {git['branch'] or 'no branch'}{dirty}"
