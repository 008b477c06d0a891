"""How often `mlops rerun JOB --verify` is wrong: unchanged reruns, and reruns with a real change.

    python benchmarks/verify.py FOLDER [--repeats 3] [--changes 4] [--limit-s 120] [--warm]

Every notebook of the folder becomes a job in a copy of the folder. Those that run are verified
unchanged, several times; then with one change each: a seed, a hyperparameter, a row of data, a
constant. A change counts as found where the verdict is "diverged". It has no effect where every
output that is the same in all unchanged executions is the same, bit by bit, with the change too.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from nbship.errors import NbshipError
from nbship.records.comparison import ComparisonVerdict
from nbship.records.job import Attempt
from nbship.vetting.comparison.parts import parts_of
from nbship.workbench import Workbench
from nbship.workflow.attempts import run_attempt
from nbship.workflow.verifying import verify_job
from support.mutations import KINDS, chosen, mutated, mutations_of
from support.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nbship.records.comparison import Comparison

Outputs = dict[tuple[Any, str], str]
Rows = dict[str, list[Any]]


#: the notebooks of the tests
OWN = Path(__file__).resolve().parents[1] / "tests" / "notebooks" / "verify"


class WarmRuns:
    """Executes reruns in this process, their kernels forked from warm ones.

    The product starts a process and a fresh kernel per rerun; this is for large folders.
    """

    def __init__(self) -> None:
        self._first: Workbench | None = None

    def __call__(self, folder: Path, project: Path, _environ: Mapping[str, str]) -> str:
        bench = Workbench.over(folder.parents[3], project=project)
        if self._first is None:
            self._first = bench
        bench.launcher = self._first.launcher
        attempt = bench.store.load(Attempt, folder / "attempt.json")
        with (
            (folder / "log.txt").open("w") as log,
            contextlib.redirect_stderr(log),
            contextlib.redirect_stdout(log),
        ):
            run_attempt(attempt, bench.attempt_worker())
        return "this process"

    def close(self) -> None:
        if self._first is not None:
            self._first.launcher.close()


class Case:
    """One notebook as a job, and what is asked about it."""

    def __init__(
        self,
        source: Path,
        notebook: Path,
        scratch: Path,
        limit_s: int,
        warm: WarmRuns | None,
    ) -> None:
        self.warm = warm
        self.name = notebook.name
        folder = scratch / notebook.stem.replace(" ", "_")
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns(".mlops", ".git"))
        self.project = Project(
            folder, settings=f"trackers = []\n[job]\ntimeout_s = {limit_s}\n"
        )
        self.folder = folder
        self.limit_s = limit_s
        self.bench = Workbench.open(folder)
        self.stable: Outputs = {}

    def submit(self) -> str:
        """Run the job; return why it failed, or ""."""
        done = self.project.call("submit", self.name, timeout_s=self.limit_s + 120)
        if done.returncode:
            lines = [
                line.strip() for line in done.stdout.splitlines() if "cause" in line
            ]
            return (lines or done.stderr.splitlines() or ["?"])[0][:100]
        (self.job_id,) = self.bench.store.ids("job")
        return ""

    def verify(self, snapshot: Path | None = None) -> tuple[Comparison, Path]:
        """Verify the job, or what a change does to it; return comparison and folder."""
        verifier = self.bench.verifier(lambda _text: None)
        comparison, path = verify_job(
            self.job_id,
            replace(verifier, run_attempt=self.warm) if self.warm else verifier,
            environment=self.bench.current_environment,
            snapshot=snapshot,
        )
        return comparison, path.parent

    def outputs(self, folder: Path, number: int = 1) -> Outputs:
        """Read the outputs of one rerun by cell and place, and the metrics."""
        attempt = folder / "jobs" / self.job_id / "attempts" / str(number)
        return self._outputs(attempt)

    def _outputs(self, attempt: Path) -> Outputs:
        document = json.loads((attempt / "output.ipynb").read_text())
        outcome = json.loads((attempt / "outcome.json").read_text())
        found = {
            (at, place): part.content
            for at, cell in enumerate(document["cells"])
            if cell["cell_type"] == "code"
            for place, part in parts_of(cell["outputs"]).items()
        }
        return found | {("metric", n): repr(v) for n, v in outcome["metrics"].items()}

    def learn(self, folders: list[Path]) -> None:
        """Keep the outputs that are the same in every unchanged execution."""
        published = self._outputs(self.bench.store.attempt_folder(self.job_id, 1))
        runs = [published, *(self.outputs(folder) for folder in folders)]
        self.stable = {
            place: content
            for place, content in published.items()
            if all(run.get(place) == content for run in runs)
        }

    def has_effect(self, folder: Path) -> bool:
        """Tell whether a change reaches an output that is else always the same."""
        now = self.outputs(folder)
        return any(now.get(place) != text for place, text in self.stable.items()) or (
            len(now)
            != len(self._outputs(self.bench.store.attempt_folder(self.job_id, 1)))
        )


def ask(case: Case, arguments: argparse.Namespace, rows: Rows) -> None:
    """Ask everything about one notebook; put the answers into rows."""
    failed = case.submit()
    if failed:
        rows["failed"].append((case.name, failed))
        return
    folders, verdicts = [], Counter()
    for _ in range(arguments.repeats):
        comparison, folder = case.verify()
        verdicts[comparison.verdict.value] += 1
        folders.append(folder)
        if not comparison.is_verified:
            print(json.dumps(brief(comparison)), file=sys.stderr)
    rows["unchanged"].append((case.name, verdicts))
    case.learn(folders)
    path = case.bench.store.job_folder(case.job_id) / "input.ipynb"
    document = json.loads(path.read_text())
    changes = chosen(
        mutations_of(document), arguments.changes, turn=len(rows["unchanged"])
    )
    for at, mutation in enumerate(changes):
        snapshot = case.folder / f".changed-{at}.ipynb"
        snapshot.write_bytes(mutated(document, mutation))
        try:
            comparison, folder = case.verify(snapshot)
        except NbshipError as error:
            print(case.name, mutation.kind, error.message, file=sys.stderr)
            continue
        is_found = comparison.verdict is ComparisonVerdict.DIVERGED
        answer = "found" if is_found else "missed"
        if not case.has_effect(folder):
            answer = "found, no stable output" if is_found else "no effect"
        rows["changed"].append((case.name, mutation, answer, comparison))
        print(f"  {answer}: {mutation.after}", file=sys.stderr, flush=True)
        if answer == "missed":
            print(case.name, mutation, json.dumps(brief(comparison)), file=sys.stderr)


def brief(comparison: Comparison) -> dict[str, Any]:
    """Keep of a comparison what explains it."""
    return {
        "verdict": comparison.verdict.value,
        "runs": [run.cause for run in comparison.runs],
        "cells": {
            cell.number: [
                (d.verdict.value, d.rule, d.place, d.published, d.rerun, d.detail)
                for d in cell.differences[:4]
            ]
            for cell in comparison.cells
            if cell.differences
        },
        "metrics": {m.name: (m.verdict.value, m.detail) for m in comparison.metrics},
    }


def tables(rows: Rows) -> Iterator[str]:
    """Write both tables as Markdown."""
    verdicts = [v.value for v in ComparisonVerdict if v.value != "input changed"]
    yield f"| unchanged reruns of | {' | '.join(verdicts)} |"
    yield f"|---|{'---|' * len(verdicts)}"
    total = Counter()
    for name, found in rows["unchanged"]:
        total += found
        yield f"| {name} | {' | '.join(str(found[v] or '') for v in verdicts)} |"
    yield f"| all | {' | '.join(str(total[v]) for v in verdicts)} |"
    yield ""
    answers = ("found", "missed", "no effect")
    yield f"| change | injected | with effect | {' | '.join(answers)} |"
    yield f"|---|---|---|{'---|' * len(answers)}"
    for kind in (*KINDS, "all"):
        group = [
            a.partition(",")[0]
            for _, m, a, _ in rows["changed"]
            if kind in (m.kind, "all")
        ]
        count = Counter(group)
        effect = count["found"] + count["missed"]
        yield (
            f"| {kind} | {len(group)} | {effect} | "
            f"{' | '.join(str(count[a]) for a in answers)} |"
        )
    for name, mutation, answer, comparison in rows["changed"]:
        if answer == "no effect":
            yield (
                f"- no effect: {name}: `{mutation.after[:80]}`"
                f" ({comparison.verdict.value})"
            )
        elif answer == "missed":
            yield f"- MISSED: {name}: `{mutation.before[:80]}` -> `{mutation.after[:80]}`"
    if rows["failed"]:
        yield ""
        yield f"{len(rows['failed'])} notebooks do not run:"
        yield from (f"- {name}: {cause}" for name, cause in rows["failed"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=OWN)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--changes", type=int, default=4, help="a notebook")
    parser.add_argument("--limit-s", type=int, default=120)
    parser.add_argument("--only", default="*", help="pattern of file names")
    parser.add_argument("--warm", action="store_true", help="reruns in one process")
    parser.add_argument("--into", type=Path, default=Path("/dev/null"))
    arguments = parser.parse_args()
    os.environ["MLOPS_TRACKERS"] = ""
    warm = WarmRuns() if arguments.warm else None
    rows: Rows = {"unchanged": [], "changed": [], "failed": []}
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(
        prefix="verify-bench-", ignore_cleanup_errors=True
    ) as scratch:
        for notebook in sorted(arguments.folder.glob(f"{arguments.only}.ipynb")):
            case = Case(
                arguments.folder, notebook, Path(scratch), arguments.limit_s, warm
            )
            try:
                ask(case, arguments, rows)
            except NbshipError as error:
                rows["failed"].append((case.name, error.message))
            shutil.rmtree(case.folder, ignore_errors=True)
            seconds = time.monotonic() - begun
            print(
                f"{notebook.name}: {seconds:.0f} s so far", file=sys.stderr, flush=True
            )
            print("\n".join(tables(rows)), file=arguments.into.open("w"))
    if warm is not None:
        warm.close()
    print("\n".join(tables(rows)))


if __name__ == "__main__":
    main()
