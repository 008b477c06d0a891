"""What of real notebooks can be exported: every top-level function, every fitted estimator.

    python benchmarks/closure_trial.py FOLDER [FOLDER …] [--only PATTERN] [--limit-s 300] [--whole] [--into FILE]

A folder is a checkout with notebooks anywhere below. Each is executed in a kernel of its own, in
a copy of the checkout, the calls of its functions recorded; a cell that fails ends nothing, what
ran counts. Then `%mlops export NAME --check` is asked for every function that a cell defines at
its top level and for every fitted estimator that a name is bound to at the end. `--whole` builds
the wheel of each that passes too, and takes the answer of its replay in a fresh environment.

Counted are those that are exported, those refused per hazard, and those refused since their replay
differs from what the notebook saw: they draw numbers, most of them. A function that the notebook never calls has nothing to be compared with: it
is refused, and listed apart. Functions whose recorded answers are all None are exported, not
proven, and counted apart too. What could not run is not asked: a function whose calls stand in
cells that failed, or that reads a name which a failed cell should have bound.
"""

from __future__ import annotations

import argparse
import ast
import datetime as dt
import importlib.metadata
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import nbformat
from execution.live_kernel import ATTEND, ESTIMATORS, Kernel, functions_of, parsed

OWN = Path(__file__).resolve().parents[1] / "tests" / "notebooks" / "verify"
#: asked in the kernel: names bound to what looks like a fitted estimator, and all bound names
_UNCALLED = "no-golden-case"
_SHOWN = 240


@dataclass
class Tally:
    """What became of one kind of root in one repository."""

    passed: list = field(default_factory=list)
    #: those of them whose recorded answers are all None
    answerless: list = field(default_factory=list)
    refused: Counter = field(default_factory=Counter)
    uncalled: list = field(default_factory=list)
    differing: list = field(default_factory=list)
    #: what could not run in this environment
    blocked: list = field(default_factory=list)
    reasons: list = field(default_factory=list)
    #: exported whole, and of them those whose replay in a fresh environment agrees
    whole: int = 0
    agreeing: int = 0

    def add(self, place: str, check: dict, failed: list[str]) -> None:
        """Count one check; ``failed`` are the sources of cells that failed."""
        words = {
            f["hazard"]: f for f in check["findings"] if f["severity"] == "blocker"
        }
        if check["passed"]:
            self.passed.append(place)
            if any("None" in f["message"] for f in _weak(check)):
                self.answerless.append(place)
            self._add_whole(place, check.get("whole"))
        elif "parity" in words:
            self.differing.append(f"{place}: {words['parity']['message']}")
        elif _is_blocked(place.rpartition(" ")[2], words, failed):
            self.blocked.append(f"{place}: {next(iter(words.values()))['message']}")
        elif (
            set(words) == {_UNCALLED} and "fits its" not in words[_UNCALLED]["message"]
        ):
            self.uncalled.append(f"{place}: {words[_UNCALLED]['message']}")
        else:
            word = next(iter(words))
            self.refused[word or "other"] += 1
            text = f"{place}: {word or 'other'}: {words[word]['message']}"
            self.reasons.append(text)

    def _add_whole(self, place: str, whole: dict | None) -> None:
        if whole is None:
            return
        self.whole += 1
        if whole.get("parity", {}).get("passed"):
            self.agreeing += 1
        else:
            why = whole.get("error") or whole["parity"]["differences"][:2]
            self.differing.append(f"{place}: in a fresh environment: {why}")

    @property
    def asked(self) -> int:
        named = len(self.uncalled) + len(self.differing)
        return len(self.passed) + named + self.refused.total()


@dataclass
class Repository:
    """What became of one checkout."""

    name: str
    tallies: dict = field(
        default_factory=lambda: {"functions": Tally(), "estimators": Tally()}
    )
    #: notebook -> cells that ran, cells that failed, first error
    notebooks: dict = field(default_factory=dict)


def _weak(check: dict) -> list[dict]:
    return [f for f in check["findings"] if f["hazard"] == "few-cases"]


def _is_blocked(root: str, words: dict, failed: list[str]) -> bool:
    """Tell whether a refusal only says that cells before it failed.

    These are calls of a function, the call that fits an estimator, names that are read.
    """
    bound, called, fitted = set(), set(), set()
    for source in failed:
        for node in ast.walk(parsed(source)):
            if isinstance(node, ast.alias):
                bound.add((node.asname or node.name).partition(".")[0])
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                bound.add(node.name)
            elif isinstance(node, ast.Name):
                (called if isinstance(node.ctx, ast.Load) else bound).add(node.id)
            elif isinstance(node, ast.Attribute) and node.attr == "fit":
                fitted.add(ast.unparse(node.value))
    if _UNCALLED in words:
        is_estimator = "fits its" in words[_UNCALLED]["message"]
        return root in (fitted if is_estimator else called)
    names = {finding.get("name") for finding in words.values()}
    return set(words) == {"missing-name"} and (names <= bound or "*" in bound)


def ask(
    path: Path, limit_s: float, *, is_whole: bool
) -> tuple[int, list[str], str, dict[str, list]]:
    """Execute one notebook; return its cells, those that failed, the first error, the checks."""
    notebook = nbformat.read(path, as_version=4)
    functions = functions_of(notebook)
    kernel = Kernel(path.parent)
    checks: dict[str, list] = {"functions": [], "estimators": []}
    ran, failed, first = 0, [], ""
    try:
        kernel.run("%load_ext nbship", 60)
        kernel.run(ATTEND.format(names=functions), 60)
        deadline = time.monotonic() + limit_s
        for cell in notebook.cells:
            if cell.cell_type != "code" or not cell.source.strip():
                continue
            left = deadline - time.monotonic()
            error = f"more than {limit_s:.0f} s"
            if left > 0:
                error, _ = kernel.run(cell.source, left)
            ran += 1
            failed += [cell.source] if error else []
            first = first or error
        _, text = kernel.run(ESTIMATORS, 60)
        if not text.strip():  # it still computes: nothing can be asked
            return ran, failed, first or "busy", checks
        estimators, bound = json.loads(text.strip().splitlines()[-1])
        functions = [name for name in functions if name in bound]
        for kind, names in (("functions", functions), ("estimators", estimators)):
            for name in names:
                answer = _answer(kernel, f"{name} --check", 120)
                if is_whole and answer.get("passed"):
                    answer["whole"] = _answer(kernel, name, 300)
                checks[kind].append((name, answer))
    finally:
        kernel.close()
    return ran, failed, first, checks


def _answer(kernel: Kernel, words: str, limit_s: float) -> dict:
    error, text = kernel.run(f"%mlops export {words} --json", limit_s)
    start = text.find("{")
    if start < 0:
        message = error or "no answer"
        finding = {"hazard": "error", "severity": "blocker", "message": message}
        return {"passed": False, "findings": [finding], "error": message}
    return json.loads(text[start:])


def tables(repositories: list[Repository]) -> str:
    """Write the counts as Markdown."""
    libraries = ("numpy", "pandas", "scipy", "scikit-learn", "matplotlib")
    versions = [f"{name} {importlib.metadata.version(name)}" for name in libraries]
    heads = (
        "repository", "notebooks", "cells", "failing cells", "roots", "not run", "asked",
        "exported", "of them answering None", "never called", "refused", "differing at replay",
        "whole wheels", "agreeing",
    )  # fmt: skip
    lines = [
        f"{_today()}, {os.cpu_count()} cores, {', '.join(versions)}.",
        "",
        f"| {' | '.join(heads)} |",
        "|---" * len(heads) + "|",
    ]
    for found in repositories:
        counts = found.notebooks.values()
        cells = (len(counts), sum(c[0] for c in counts), sum(c[1] for c in counts))
        for kind, tally in found.tallies.items():
            share = f" ({len(tally.passed) / tally.asked:.0%})" if tally.asked else ""
            row = [
                found.name, *cells, kind, len(tally.blocked), tally.asked, f"{len(tally.passed)}{share}", len(tally.answerless),
                len(tally.uncalled), tally.refused.total(), len(tally.differing), tally.whole, tally.agreeing,
            ]  # fmt: skip
            lines.append("| " + " | ".join(str(item) for item in row) + " |")
    for found in repositories:
        lines += ["", f"### {found.name}", "", *_hazards(found), "", *_lists(found)]
    return "\n".join(lines)


def _today() -> str:
    return f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, Python {platform.python_version()}"


def _hazards(found: Repository) -> list[str]:
    words = {word for tally in found.tallies.values() for word in tally.refused}
    if not words:
        return ["No refusals."]
    lines = ["| hazard | functions | estimators |", "|---|---|---|"]
    for word in sorted(words):
        counts = [str(tally.refused[word]) for tally in found.tallies.values()]
        lines.append(f"| {word} | {' | '.join(counts)} |")
    return lines


def _lists(found: Repository) -> list[str]:
    lines = []
    for kind, tally in found.tallies.items():
        lines += [f"- refused, {kind[:-1]}: {_line(text)}" for text in tally.reasons]
        lines += [f"- never called, {kind[:-1]}: {_line(t)}" for t in tally.uncalled]
        lines += [
            f"- differing at replay, {kind[:-1]}: {_line(t)}" for t in tally.differing
        ]
        lines += [f"- not run, {kind[:-1]}: {_line(text)}" for text in tally.blocked]
        lines += [f"- answers None, {kind[:-1]}: {_line(t)}" for t in tally.answerless]
    lines += [
        f"- {name}: {failed} of {ran} cells failed, first: {_line(first)}"
        for name, (ran, failed, first) in found.notebooks.items()
        if first
    ]
    return lines


def _line(text: str) -> str:
    return " ".join(text.split())[:_SHOWN]


def trial(folder: Path, arguments: argparse.Namespace, report) -> Repository:
    """Ask every notebook of one checkout, in a copy of it."""
    found = Repository(folder.name)
    with tempfile.TemporaryDirectory(prefix="closure-trial-") as scratch:
        copy = Path(scratch) / "checkout"
        hidden = shutil.ignore_patterns(".mlops", ".git", ".ipynb_checkpoints")
        shutil.copytree(folder, copy, ignore=hidden)
        for path in sorted(copy.rglob(f"{arguments.only}.ipynb")):
            name = str(path.relative_to(copy))
            if not any(fnmatch(name, pattern) for pattern in arguments.without):
                began = time.monotonic()
                ran, failed, first, checks = ask(
                    path, arguments.limit_s, is_whole=arguments.whole
                )
                found.notebooks[name] = cells = (ran, len(failed), first)
                for kind, pairs in checks.items():
                    for root, check in pairs:
                        found.tallies[kind].add(f"{name}, {root}", check, failed)
                took = f"{time.monotonic() - began:.0f} s"
                print(f"{name}: {took}, {cells}", file=sys.stderr, flush=True)
                report(found)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", type=Path, nargs="*", default=[OWN])
    parser.add_argument("--only", default="*", help="pattern of file names")
    parser.add_argument(
        "--without", action="append", default=[], help="pattern of paths left out"
    )
    parser.add_argument("--limit-s", type=float, default=300, help="a notebook")
    parser.add_argument("--whole", action="store_true", help="build each wheel too")
    parser.add_argument("--into", type=Path, help="write the tables there too")
    arguments = parser.parse_args()
    done: list[Repository] = []

    def report(running: Repository) -> None:
        if arguments.into:
            arguments.into.write_text(tables([*done, running]) + "\n")

    for folder in arguments.folders:
        found = trial(folder, arguments, report)
        done.append(found)
    print(tables(done))


if __name__ == "__main__":
    main()
