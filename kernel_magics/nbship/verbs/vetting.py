"""Vet a job, and list the gates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nbship.verbs.answer import ANSWER_IS_NO, OK, Answer, Verb
from nbship.verbs.words import add_job

if TYPE_CHECKING:
    import argparse

    from nbship.records.vetting import Verdict
    from nbship.verbs.answer import Context


def _add_vet_arguments(parser: argparse.ArgumentParser) -> None:
    add_job(parser)
    parser.add_argument("--junit", metavar="FILE", help="also write JUnit XML")
    parser.add_argument("--sarif", metavar="FILE", help="also write SARIF 2.1.0")


def _vet(context: Context, arguments: argparse.Namespace) -> Answer:
    from nbship.vetting.formats.text import as_text
    from nbship.workflow.jobs import find_job, load_job
    from nbship.workflow.vetting import vet

    bench = context.workbench
    job = load_job(bench.store, find_job(bench.store, arguments.job))
    verdict = vet(
        bench.store,
        job.id,
        policy=bench.settings.policy,
        gates=bench.gates,
        instruments=bench.vetting_instruments,
        verdict_id=bench.new_id("verdict"),
        at=bench.clock.now(),
    )
    _write_files(context, arguments, verdict, job.notebook)
    snapshot = bench.store.job_folder(job.id) / "input.ipynb"
    notebook = bench.vetting_instruments.read_notebook(snapshot)
    return Answer(
        text=as_text(verdict, notebook, name=job.notebook),
        data=verdict,
        exit_code=OK if verdict.passed else ANSWER_IS_NO,
    )


def _write_files(
    context: Context, arguments: argparse.Namespace, verdict: Verdict, notebook: str
) -> None:
    from nbship.records.codec import json_text
    from nbship.version import __version__
    from nbship.vetting.formats.junit import as_junit
    from nbship.vetting.formats.sarif import as_sarif
    from nbship.vetting.titles import titles_of
    from nbship.workflow.vetting import cell_lines

    bench = context.workbench
    titles = titles_of(bench.gates)
    if arguments.junit:
        text = as_junit(verdict, name=notebook, titles=titles)
        bench.write_text(text, Path(arguments.junit).absolute())
    if arguments.sarif:
        log = as_sarif(
            verdict,
            notebook=notebook,
            titles=titles,
            lines=cell_lines(bench.store, verdict.job_id),
            version=__version__,
        )
        bench.write_text(json_text(log), Path(arguments.sarif).absolute())


def _gates(context: Context, _arguments: argparse.Namespace) -> Answer:
    gates = context.workbench.gates
    rows = [
        {"code": gate.code, "severity": gate.severity.value, "title": gate.title}
        for gate in gates
    ]
    text = "\n".join(f"{r['code']:<8}{r['severity']:<9}{r['title']}" for r in rows)
    return Answer(
        text=f"{text}\n\nruff's codes are passed through; docs/vetting.md explains each.",
        data=rows,
    )


VERBS: tuple[Verb, ...] = (
    Verb(
        name="vet",
        stage="Test",
        help="ask every gate about a finished job; exit code 1 where one blocks",
        run=_vet,
        add_arguments=_add_vet_arguments,
    ),
    Verb(name="gates", stage="Test", help="list the gates and their codes", run=_gates),
)
