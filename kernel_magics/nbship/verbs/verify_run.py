"""``mlops rerun JOB --verify``: whether a job still gives what it published."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from nbship.verbs.answer import ANSWER_IS_NO, OK, Answer
from nbship.verbs.words import place

if TYPE_CHECKING:
    import argparse

    from nbship.verbs.answer import Context


def add_verify(parser: argparse.ArgumentParser) -> None:
    """Take the words of a verification."""
    parser.add_argument(
        "--verify",
        action="store_true",
        help="execute it twice beside the job and compare every cell with what was published",
    )
    parser.add_argument(
        "--environment",
        choices=("current", "rebuild"),
        default="rebuild",
        help="of --verify: one rebuilt from the job's lock, or the environment as it is",
    )


def verify_rerun(context: Context, given: argparse.Namespace) -> Answer:
    """Rerun a job and compare; the exit code is 1 where it does not give what was published."""
    from nbship.vetting.formats.comparison import comparison_html, comparison_text
    from nbship.workflow.jobs import find_job
    from nbship.workflow.verifying import verify_job

    bench = context.workbench
    environments = {
        "current": bench.current_environment,
        "rebuild": bench.rebuilt_environment,
    }
    comparison, path = verify_job(
        find_job(bench.store, given.job),
        bench.verifier(_tell),
        environment=environments[given.environment],
    )
    return Answer(
        text=f"{comparison_text(comparison)}\n  comparison  {place(path)}",
        html=comparison_html(comparison),
        data={"comparison": comparison, "path": str(path)},
        exit_code=OK if comparison.is_verified else ANSWER_IS_NO,
    )


def _tell(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201  # progress; the answer goes to stdout
