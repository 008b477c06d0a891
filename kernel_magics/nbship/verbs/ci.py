"""Execute and vet a tree of notebooks, for CI systems."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.verbs.answer import ANSWER_IS_NO, OK, Answer, Verb
from nbship.verbs.resources import request_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from nbship.records.ci import CiNotebook, CiReport
    from nbship.records.job import Outcome
    from nbship.records.vetting import Verdict
    from nbship.verbs.answer import Context
    from nbship.workbench import Workbench
    from nbship.workflow.ci import Tools
    from nbship.workflow.submission import Submission

#: variable by which GitHub names the file that becomes a run's summary
_GITHUB_SUMMARY = "GITHUB_STEP_SUMMARY"
_GITHUB = "GITHUB_ACTIONS"


def _ci(context: Context, given: argparse.Namespace) -> Answer:
    from nbship.jobs.sharding import names_of_shard, read_shard
    from nbship.settings import name_in_project
    from nbship.vetting.formats.ci_summary import ci_text
    from nbship.workflow import ci

    bench = context.workbench
    project = bench.settings.project
    shard = read_shard(given.shard) if given.shard else None
    paths = [Path(path) for path in given.paths] or [project]
    found = ci.find_notebooks(paths, exclude=bench.settings.ci_exclude, project=project)
    notebooks = {name_in_project(path.resolve(), project): path for path in found}
    if shard is not None:
        named = Path(given.durations) if given.durations else None
        durations = ci.known_durations(bench.store, named)
        names = names_of_shard(tuple(notebooks), durations, shard)
        notebooks = {name: notebooks[name] for name in names}
    report = ci.run_tree(
        notebooks, _tools(context, given), shard=str(shard) if shard else ""
    )
    ci.keep_durations(bench.store, report)
    _write_files(bench, given, report)
    text = ci_text(report)
    if os.environ.get(_GITHUB) == "true":
        from nbship.vetting.formats.ci_annotations import github_commands

        text = f"{github_commands(report)}{text}"
    return Answer(
        text=text, data=report, exit_code=OK if report.passed else ANSWER_IS_NO
    )


def _tools(context: Context, given: argparse.Namespace) -> Tools:
    from nbship.workflow.ci import Tools

    bench = context.workbench
    return Tools(
        store=bench.store,
        now=bench.clock.now,
        plan=lambda path: _plan(bench, path, is_again=given.all),
        run=lambda job_ids: _run(bench, job_ids, workers=given.workers),
        vet=lambda job_id: _vet(bench, job_id),
        read=bench.vetting_instruments.read_notebook,
        tell=_tell,
    )


def _plan(bench: Workbench, path: Path, *, is_again: bool) -> Submission:
    from nbship.workflow.submission import submit

    request = replace(request_of(bench, path, texts={}), is_again=is_again)
    return submit(
        request, store=bench.store, clock=bench.clock, surroundings=bench.surroundings
    )


def _run(
    bench: Workbench, job_ids: Sequence[str], *, workers: int | None
) -> Iterator[Outcome]:
    from nbship.workflow.queueing import enqueue, settled

    if not job_ids:
        return
    enqueue(bench.queue, job_ids)
    bench.start_supervisor(workers=workers)
    yield from settled(bench.store, bench.queue, job_ids, revive=bench.start_supervisor)


def _vet(bench: Workbench, job_id: str) -> Verdict:
    from nbship.workflow.vetting import vet

    return vet(
        bench.store,
        job_id,
        policy=bench.settings.policy,
        gates=bench.gates,
        instruments=bench.vetting_instruments,
        verdict_id=bench.new_id("verdict"),
        at=bench.clock.now(),
    )


def _tell(notebook: CiNotebook) -> None:
    """Say on stderr what is done, while the rest still runs."""
    import sys

    word = "unchanged" if notebook.is_unchanged else notebook.status.value
    sys.stderr.write(f"{word:<10} {notebook.path}\n")
    sys.stderr.flush()


def _write_files(bench: Workbench, given: argparse.Namespace, report: CiReport) -> None:
    from nbship.records.codec import json_text
    from nbship.version import __version__
    from nbship.vetting.formats.ci_annotations import code_quality
    from nbship.vetting.formats.ci_junit import ci_junit
    from nbship.vetting.formats.ci_sarif import ci_sarif
    from nbship.vetting.formats.ci_summary import ci_markdown
    from nbship.vetting.titles import titles_of

    def sarif() -> str:
        titles = titles_of(bench.gates)
        return json_text(ci_sarif(report, titles=titles, version=__version__))

    writers: dict[str, Any] = {
        "junit": lambda: ci_junit(report),
        "sarif": sarif,
        "code_quality": lambda: json_text(code_quality(report)),
        "summary": lambda: ci_markdown(report),
    }
    for name, write in writers.items():
        if path := getattr(given, name):
            bench.write_text(write(), Path(path).absolute())
    if summary := os.environ.get(_GITHUB_SUMMARY):  # other steps write there too
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(ci_markdown(report))
    if given.executed:
        _copy_executed(bench, report, Path(given.executed))


def _copy_executed(bench: Workbench, report: CiReport, folder: Path) -> None:
    """Copy each executed notebook to its place in the tree, below a folder."""
    from nbship.workflow.jobs import published_outcome

    for notebook in report.notebooks:
        outcome = (
            published_outcome(bench.store, notebook.job_id) if notebook.job_id else None
        )
        if outcome is None or not outcome.output_digest:
            continue
        source = bench.store.attempt_folder(outcome.job_id, outcome.attempt)
        target = folder / notebook.path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / "output.ipynb", target)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="*", help="notebooks and folders; the project where left out"
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="notebooks that run at once"
    )
    parser.add_argument("--all", action="store_true", help="run what is unchanged, too")
    parser.add_argument(
        "--shard", metavar="2/4", help="only this part of the notebooks"
    )
    parser.add_argument(
        "--durations",
        metavar="FILE",
        help="durations to share by; else those that the store recorded",
    )
    parser.add_argument(
        "--junit", metavar="FILE", help="write JUnit XML, a case a cell"
    )
    parser.add_argument("--sarif", metavar="FILE", help="write SARIF 2.1.0")
    parser.add_argument(
        "--code-quality", metavar="FILE", help="write GitLab's Code Quality report"
    )
    parser.add_argument("--summary", metavar="FILE", help="write a Markdown summary")
    parser.add_argument(
        "--executed", metavar="FOLDER", help="copy the executed notebooks there"
    )


VERBS: tuple[Verb, ...] = (
    Verb(
        name="ci",
        stage="Test",
        help="execute and vet a tree of notebooks; exit code 1 where one does not pass",
        run=_ci,
        add_arguments=_add_arguments,
    ),
)
