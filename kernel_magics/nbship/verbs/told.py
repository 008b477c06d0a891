"""How jobs ended, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.verbs.answer import ANSWER_IS_NO, OK, Answer
from nbship.verbs.words import place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbship.records.job import Outcome
    from nbship.workbench import Workbench

_LOG_LINES = 20


def told_together(answers: Sequence[Answer]) -> Answer:
    """Join what is said of several jobs; one job's answer stays as it is."""
    if len(answers) == 1:
        return answers[0]
    return Answer(
        text="\n".join(answer.text for answer in answers),
        data=[answer.data for answer in answers],
        exit_code=max(answer.exit_code for answer in answers),
    )


def told(workbench: Workbench, outcome: Outcome, note: str) -> Answer:
    """Say how a job ended and where things lie."""
    from nbship.records.job import JobStatus

    store = workbench.store
    folder = store.attempt_folder(outcome.job_id, outcome.attempt)
    is_success = outcome.status is JobStatus.SUCCEEDED
    lines = [f"{outcome.job_id} {outcome.status.value} ({note})"]
    if not is_success:
        lines.append(f"  cause     {_indented(outcome.cause)}")
    lines += [f"  metric    {n} = {v:g}" for n, v in outcome.metrics.items()]
    lines += [_root_line(root) for root in outcome.roots]
    lines += [
        f"  run       {place(store.run_folder(outcome.run_id))}",
        f"  executed  {place(folder / 'output.ipynb')}",
        f"  log       {place(folder / 'log.txt')}",
    ]
    if not is_success:
        lines += ["  end of the log:", *_end_of(outcome.log_end)]
    data = {
        "job": outcome.job_id,
        "note": note,
        "outcome": outcome,
        "folder": str(folder),
    }
    return Answer(
        text="\n".join(lines), data=data, exit_code=OK if is_success else ANSWER_IS_NO
    )


def _root_line(root: Any) -> str:  # noqa: ANN401  # a CapturedRoot
    if root.digest:
        return f"  root      {root.name} captured"
    fix = f"\nfix: {root.hint}" if root.hint else ""
    return f"  root      {root.name} refused: {_indented(root.refusal + fix)}"


def _indented(text: str) -> str:
    """Put the lines after the first below it."""
    return text.replace("\n", f"\n{'':12}")


def _end_of(log: str) -> list[str]:
    return [f"    {line}" for line in log.rstrip().splitlines()[-_LOG_LINES:]]
