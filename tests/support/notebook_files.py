"""Notebooks written cell by cell, and what executing one left behind."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from nbship.adapters.store.files import FileStore
from nbship.workflow.recording import load_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from nbship.records.run import Run


def write_notebook(
    path: Path,
    *sources: str,
    parameters: str | None = None,
    kernel: str = "python3",
    tags: dict[int, list[str]] | None = None,
) -> Path:
    """Write a notebook whose cells are called ``parameters``, ``c1``, ``c2`` and so on."""
    cells = [_cell("parameters", parameters, ["parameters"])] if parameters else []
    for number, source in enumerate(sources, start=1):
        cells.append(_cell(f"c{number}", source, (tags or {}).get(number, [])))
    spec = {"name": kernel, "display_name": kernel, "language": "python"}
    document = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": spec},
        "cells": cells,
    }
    path.write_text(json.dumps(document), "utf-8")
    return path


def _cell(cell_id: str, source: str, tags: list[str]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": cell_id,
        "metadata": {"tags": tags},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def only_run(store: Path) -> Run:
    """Fold the journal of the only run of a store."""
    files = FileStore(store)
    (run_id,) = files.ids("run")
    return load_run(files, run_id)


def cells_of(path: Path) -> dict[str, tuple[str, bool | None, list[str]]]:
    """Read status, exception and output texts by cell id, as papermill wrote them."""
    found = {}
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        told = cell["metadata"].get("papermill") or {}
        if cell["cell_type"] == "code":
            texts = [_text(output) for output in cell["outputs"]]
            found[cell["id"]] = (told["status"], told["exception"], texts)
    return found


def _text(output: dict[str, Any]) -> str:
    if output["output_type"] == "error":
        return f"{output['ename']}: {output['evalue']}"
    text = output.get("text") or output["data"]["text/plain"]
    return "".join(text)


def wait_for(question: Callable[[], Any], *, timeout_s: float = 60.0) -> Any:
    """Ask until the answer is true; fail after the time.

    Raises
    ------
    AssertionError
        If the time is over.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"not within {timeout_s} s")


def journal_says(store: Path, text: str) -> bool:
    """Tell whether a journal of the store holds a text."""
    return any(text in path.read_text() for path in store.glob("runs/*/journal.jsonl"))


def tree(folder: Path) -> dict[str, bytes]:
    """Read every file below a folder."""
    files = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def is_alive(pids: Iterable[int]) -> bool:
    """Tell whether one of these processes is there."""
    for pid in pids:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            continue
        return True
    return False
