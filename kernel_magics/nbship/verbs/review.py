"""The verbs of review: report, approve, reject, key."""

from __future__ import annotations

import getpass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from nbship.errors import NbshipError
from nbship.records.vetting import Decision
from nbship.verbs.answer import Answer, Context, Verb
from nbship.verbs.words import add_job, place
from nbship.version import __version__
from nbship.workflow.jobs import find_job
from nbship.workflow.report import gather_facts, write_report
from nbship.workflow.review import decide, find_verdict

if TYPE_CHECKING:
    import argparse


def _report(context: Context, arguments: argparse.Namespace) -> Answer:
    bench = context.workbench
    report_id = bench.new_id("report")
    facts = gather_facts(
        bench.store,
        find_job(bench.store, arguments.job),
        report_id=report_id,
        at=bench.clock.now(),
        tool=f"nbship {__version__}",
        owner=bench.settings.owner,
        policy=bench.settings.policy,
        reviewers=bench.settings.reviewers,
        sealer=bench.sealer,
    )
    path = bench.store.record_path(report_id)
    write_report(bench.store, facts, render=bench.render_report, path=path)
    warning = _attach(context, facts.outcome.run_id, path)
    if arguments.output:
        copy = Path(arguments.output).expanduser().resolve()
        bench.store.write_bytes(path.read_bytes(), copy)
        path = copy
    data = {
        "id": report_id,
        "job_id": facts.job.id,
        "verdict_id": facts.verdict.id if facts.verdict else None,
        "path": str(path),
        "warning": warning,
    }
    text = "\n".join(filter(None, (place(path), warning)))
    return Answer(text=text, data=data, html=_link(text, place(path)))


def _link(text: str, written: str) -> str:
    """Link what Jupyter serves: files below the notebook, in no hidden folder."""
    if any(part in {"/", ".."} or part[0] == "." for part in Path(written).parts):
        return ""
    link = f'<a href="{quote(written)}" target="_blank">{escape(written)}</a>'
    return f"<pre>{escape(text).replace(escape(written), link, 1)}</pre>"


def _attach(context: Context, run_id: str, path: Path) -> str:
    """Show the report with its run at the trackers; say so where that fails."""
    try:
        context.workbench.attach_to_trackers(run_id, path, "report")
    except (NbshipError, OSError) as error:
        return f"warning: the trackers do not show it yet: {error}"
    return ""


def _approve(context: Context, arguments: argparse.Namespace) -> Answer:
    return _decide(context, arguments, Decision.APPROVED)


def _reject(context: Context, arguments: argparse.Namespace) -> Answer:
    return _decide(context, arguments, Decision.REJECTED)


def _decide(
    context: Context, arguments: argparse.Namespace, decision: Decision
) -> Answer:
    bench = context.workbench
    verdict = find_verdict(bench.store, arguments.verdict)
    approval = decide(
        bench.store,
        verdict,
        decision=decision,
        reason=arguments.reason,
        reviewer=arguments.reviewer or getpass.getuser(),
        reviewers=bench.settings.reviewers,
        sealer=bench.sealer,
        approval_id=bench.new_id("approval"),
        at=bench.clock.now(),
    )
    text = (
        f"{verdict.id} of {verdict.job_id}: {decision.value} by {approval.reviewer}\n"
        f"sealed as {approval.id} with {approval.public_key}"
    )
    return Answer(text=text, data=approval)


def _key(context: Context, arguments: argparse.Namespace) -> Answer:
    bench = context.workbench
    path = Path(arguments.path).expanduser() if arguments.path else bench.key_path
    line = bench.create_key(path)
    text = f"{path}: created\nto be put among review.reviewers:\n{line}"
    return Answer(text=text, data={"path": str(path), "public_key": line})


def _report_arguments(parser: argparse.ArgumentParser) -> None:
    add_job(parser)
    parser.add_argument("--output", metavar="FILE", help="write a copy there")


def _decide_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "verdict", metavar="VERDICT", help="a verdict's id, its beginning, or last"
    )
    parser.add_argument("--reason", required=True, help="why, for those who come later")
    parser.add_argument(
        "--reviewer", metavar="NAME", help="your name; the login name where not given"
    )


def _key_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "path",
        metavar="PATH",
        nargs="?",
        help="where to write it; review.key, else ~/.ssh/id_ed25519, where not given",
    )


VERBS: tuple[Verb, ...] = (
    Verb(
        name="report",
        stage="Test",
        help="write a job's report: one HTML file for reviewers",
        run=_report,
        add_arguments=_report_arguments,
    ),
    Verb(
        name="approve",
        stage="Test",
        help="seal a yes to a verdict with your SSH key",
        run=_approve,
        add_arguments=_decide_arguments,
    ),
    Verb(
        name="reject",
        stage="Test",
        help="seal a no to a verdict with your SSH key",
        run=_reject,
        add_arguments=_decide_arguments,
    ),
    Verb(
        name="key",
        stage="Setup",
        help="create an ed25519 key that seals",
        run=_key,
        add_arguments=_key_arguments,
    ),
)
