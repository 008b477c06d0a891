"""What of real notebooks can be exported: every top-level function, every fitted estimator.

    python benchmarks/closure_trial.py FOLDER [--only PATTERN] [--limit-s 180] [--into FILE]

Each notebook is executed in a kernel of its own, in a copy of the folder, the calls of its
functions recorded. Then `%mlops export NAME --check` is asked for every function that a cell
defines at its top level and for every fitted estimator that a name is bound to. Counted are those
that pass, those refused per hazard, and those whose replay differs from what the notebook saw.
Functions that the notebook never calls have nothing to be compared with: they are counted apart.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import queue
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from jupyter_client.manager import KernelManager

OWN = Path(__file__).resolve().parents[1] / "tests" / "notebooks" / "verify"
#: asked in the kernel: names bound to what looks like a fitted estimator
_ESTIMATORS = """
import json as _json, warnings as _warnings
def _nbship_estimators():
    found = []
    for name, value in list(globals().items()):
        if name.startswith("_") or isinstance(value, type) or not hasattr(value, "get_params"):
            continue
        try:
            with _warnings.catch_warnings():
                _warnings.simplefilter("ignore")
                from sklearn.utils.validation import check_is_fitted
                check_is_fitted(value)
        except Exception:
            continue
        if callable(getattr(value, "fit", None)):
            found.append(name)
    return found
print(_json.dumps([_nbship_estimators(), list(globals())]))
"""
_ATTEND = "__import__('nbship.faces.roots', fromlist=['']).attend({names!r})"
#: hazards that say that nothing was there to compare with
_UNCALLED = "no-golden-case"


@dataclass
class Tally:
    """What became of one kind of root."""

    passed: int = 0
    refused: Counter = field(default_factory=Counter)
    uncalled: list = field(default_factory=list)
    differing: list = field(default_factory=list)
    examples: dict = field(default_factory=dict)

    def add(self, place: str, check: dict) -> None:
        """Count one check."""
        words = {
            f["hazard"]: f for f in check["findings"] if f["severity"] == "blocker"
        }
        if check["passed"]:
            self.passed += 1
        elif "parity" in words:
            self.differing.append(f"{place}: {words['parity']['message']}")
        elif set(words) == {_UNCALLED}:
            self.uncalled.append(place)
        else:
            word = next(word for word in words if word != _UNCALLED)
            self.refused[word or "other"] += 1
            text = f"{place}: {words[word]['message']}"
            self.examples.setdefault(word or "other", []).append(text)

    @property
    def asked(self) -> int:
        named = len(self.uncalled) + len(self.differing)
        return self.passed + named + self.refused.total()


class Kernel:
    """A kernel of this interpreter, asked cell by cell."""

    def __init__(self, folder: Path) -> None:
        self._manager = KernelManager(kernel_name="python3")
        environ = {**os.environ, "MLOPS_TRACKERS": "", "MPLBACKEND": "agg"}
        self._manager.start_kernel(cwd=str(folder), env=environ)
        self._client = self._manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)

    def run(self, code: str, limit_s: float) -> tuple[str, str]:
        """Run a cell; return its error, "" where it had none, and what it printed."""
        request, deadline = self._client.execute(code), time.monotonic() + limit_s
        error, printed = "", []
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return f"more than {limit_s:.0f} s", "".join(printed)
            try:
                message = self._client.get_iopub_msg(timeout=left)
            except queue.Empty:
                continue
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            if message["msg_type"] == "stream" and content["name"] == "stdout":
                printed.append(content["text"])
            elif message["msg_type"] == "error":
                error = f"{content['ename']}: {content['evalue']}"
            elif content.get("execution_state") == "idle":
                return error, "".join(printed)

    def close(self) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


def functions_of(notebook: nbformat.NotebookNode) -> list[str]:
    """Name what cells define with ``def`` at their top level."""
    names: dict[str, None] = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            lines = cell.source.split("\n")
            plain = "\n".join(
                "" if line.lstrip()[:1] in "%!?" else line for line in lines
            )
            try:
                body = ast.parse(plain).body
            except SyntaxError:
                continue
            names |= {n.name: None for n in body if isinstance(n, ast.FunctionDef)}
    return list(names)


def ask(path: Path, folder: Path, limit_s: float) -> tuple[str, dict[str, list]]:
    """Execute one notebook, cells that fail too; return the first error, and the checks."""
    notebook = nbformat.read(path, as_version=4)
    functions = functions_of(notebook)
    kernel = Kernel(folder)
    checks: dict[str, list] = {"functions": [], "estimators": []}
    try:
        kernel.run("%load_ext nbship", 60)
        kernel.run(_ATTEND.format(names=functions), 60)
        deadline, stopped = time.monotonic() + limit_s, ""
        for cell in notebook.cells:
            if cell.cell_type != "code" or not cell.source.strip():
                continue
            left = deadline - time.monotonic()
            if left <= 0:
                break
            error, _ = kernel.run(cell.source, left)
            stopped = stopped or error
        _, text = kernel.run(_ESTIMATORS, 60)
        if not text.strip():  # it still computes: nothing can be asked
            return stopped or "busy", checks
        estimators, bound = json.loads(text.strip().splitlines()[-1])
        functions = [name for name in functions if name in bound]
        for kind, names in (("functions", functions), ("estimators", estimators)):
            for name in names:
                found, text = kernel.run(f"%mlops export {name} --check --json", 120)
                answer = (
                    _broken(found) if found else json.loads(text[text.index("{") :])
                )
                checks[kind].append((name, answer))
    finally:
        kernel.close()
    return stopped, checks


def _broken(error: str) -> dict:
    finding = {"hazard": "error", "severity": "blocker", "message": error}
    return {"passed": False, "findings": [finding]}


def tables(tallies: dict[str, Tally], stopped: dict[str, str], run: int) -> str:
    """Write the counts as Markdown."""
    lines = [
        f"{run} notebooks, {run - len(stopped)} of them without a failing cell.",
        "",
    ]
    lines += ["| roots | asked | exported | never called | refused | other answers |"]
    lines += ["|---|---|---|---|---|---|"]
    lines += [
        f"| {kind} | {tally.asked} | {tally.passed} | {len(tally.uncalled)} | "
        f"{tally.refused.total()} | {len(tally.differing)} |"
        for kind, tally in tallies.items()
    ]
    lines += ["", "| hazard | functions | estimators | such as |", "|---|---|---|---|"]
    words = {word for tally in tallies.values() for word in tally.refused}
    for word in sorted(words):
        counts = [str(tally.refused[word]) for tally in tallies.values()]
        told = [t.examples[word][0] for t in tallies.values() if word in t.examples]
        text = told[0].replace("|", "\\|").replace("\n", " ")[:160]
        lines.append(f"| {word} | {' | '.join(counts)} | {text} |")
    for kind, tally in tallies.items():
        lines += [f"- never called, of {kind}: {name}" for name in tally.uncalled]
        lines += [
            f"- other answers of {kind}: {text[:200]}" for text in tally.differing
        ]
    lines += [f"- {name}: {why[:160]}" for name, why in stopped.items()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=OWN)
    parser.add_argument("--only", default="*", help="pattern of file names")
    parser.add_argument("--limit-s", type=float, default=180, help="a notebook")
    parser.add_argument("--into", type=Path, help="write the tables there too")
    arguments = parser.parse_args()
    tallies, stopped, run = {k: Tally() for k in ("functions", "estimators")}, {}, 0
    with tempfile.TemporaryDirectory(prefix="closure-trial-") as scratch:
        folder = Path(scratch) / "notebooks"
        shutil.copytree(
            arguments.folder, folder, ignore=shutil.ignore_patterns(".mlops", ".git")
        )
        for path in sorted(folder.glob(f"{arguments.only}.ipynb")):
            why, checks = ask(path, path.parent, arguments.limit_s)
            run += 1
            if why:
                stopped[path.name] = why
            for kind, found in checks.items():
                for name, check in found:
                    tallies[kind].add(f"{path.name}, {name}", check)
            print(f"{path.name}: {why or 'ran'}", file=sys.stderr, flush=True)
            text = tables(tallies, stopped, run)
            if arguments.into:
                arguments.into.write_text(text + "\n")
    print(tables(tallies, stopped, run))


if __name__ == "__main__":
    main()
