"""A kernel that executes a notebook as its user would, and what the notebook offers to export."""

from __future__ import annotations

import ast
import os
import queue
import time
from typing import TYPE_CHECKING

from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from pathlib import Path

    import nbformat

ESTIMATORS = """
import json as _json, warnings as _warnings
def _nbship_estimators():
    found = []
    for name, value in list(globals().items()):
        answers = ("predict", "transform", "score_samples", "kneighbors", "fit_predict", "fit_transform")
        if name.startswith("_") or isinstance(value, type) or not callable(getattr(value, "fit", None)):
            continue
        if not any(hasattr(value, word) for word in answers):
            continue
        if hasattr(value, "get_params"):
            try:
                with _warnings.catch_warnings():
                    _warnings.simplefilter("ignore")
                    from sklearn.utils.validation import check_is_fitted
                    check_is_fitted(value)
            except Exception:
                continue
        else:  # of a class of its own: fitted where it has more than it was made with
            try:
                if set(vars(value)) <= set(vars(type(value)())):
                    continue
            except Exception:
                pass
        found.append(name)
    return found
print(_json.dumps([_nbship_estimators(), list(globals())]))
"""
ATTEND = "__import__('nbship.faces.roots', fromlist=['']).attend({names!r})"
#: hazards that say that nothing was there to compare with


def parsed(source: str) -> ast.Module:
    lines = source.split("\n")
    try:
        return ast.parse(
            "\n".join("" if line.lstrip()[:1] in "%!?" else line for line in lines)
        )
    except SyntaxError:
        return ast.Module([], [])


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
        request = self._client.execute(code, allow_stdin=False)
        deadline = time.monotonic() + limit_s
        error, printed = "", []
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                self._manager.interrupt_kernel()
                return f"more than {limit_s:.0f} s", "".join(printed)
            try:
                message = self._client.get_iopub_msg(timeout=min(left, 5))
            except queue.Empty:
                if not self._manager.is_alive():
                    return "the kernel died", ""
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
            body = parsed(cell.source).body
            names |= {n.name: None for n in body if isinstance(n, ast.FunctionDef)}
    return list(names)
