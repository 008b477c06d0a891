"""What this package is and where it comes from, as its own files say."""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: where the package is installed
FOLDER = Path(__file__).resolve().parent
#: its import name
PACKAGE = str(__package__)


def origin() -> dict[str, Any]:
    """Read ``origin.json``: name, version, and the job, verdict and commit behind them."""
    return _read("origin.json")


@functools.cache
def capture() -> dict[str, Any]:
    """Read ``capture.json``: what was captured in the notebook's kernel."""
    return _read("capture.json")


def version() -> str:
    """Return the version of this package."""
    return str(origin()["version"])


class WrongPythonError(ImportError):
    """The interpreter is not of the version that this package was tested on."""


def wrong_python() -> str:
    """Say why this interpreter must not answer; "" where it is the one that was tested."""
    tested = ".".join(str(capture()["python_version"]).split(".")[:2])
    here = ".".join(map(str, sys.version_info[:2]))
    if here == tested:
        return ""
    return (
        f"{__package__} {version()} was tested on Python {tested} and on no other; this is "
        f"Python {here}: its answers may differ. Install it with Python {tested}, or have "
        f"the notebook exported with Python {here}."
    )


def decided() -> dict[str, Any]:
    """Return what the export decided to answer with, and why; empty where it did not."""
    found: dict[str, Any] = origin().get("serving") or {}
    return found


def predict_function() -> Callable[..., Any]:
    """Load the model and return the function that answers.

    Raises
    ------
    WrongPythonError
        If the interpreter is not of the version that was tested.
    """
    if mismatch := wrong_python():
        raise WrongPythonError(mismatch, name=__package__)
    captured = capture()
    name = "predict" if captured["kind"] == "estimator" else captured["name"]
    function: Callable[..., Any] = getattr(import_module(f"{PACKAGE}.model"), name)
    return function


def changed_files() -> list[str]:
    """Name the files of this package that differ from what ``capture.json`` says."""
    captured = capture()
    graph = captured.get("graph")
    wanted = {
        "model.py": captured["module_digest"],
        "golden.jsonl": captured["golden_digest"],
        **{f"state/{item['file']}": item["digest"] for item in captured["state"]},
        **({graph["file"]: graph["digest"]} if graph else {}),
        **{
            f"golden/{item['file']}": item["digest"]
            for item in captured.get("golden_files", ())
        },
        **{item["file"]: item["digest"] for item in captured.get("local_modules", ())},
    }
    return [
        f"{name}: missing"
        if not (FOLDER / name).is_file()
        else f"{name}: changed since the capture"
        for name, digest in wanted.items()
        if not (FOLDER / name).is_file() or _sha256(FOLDER / name) != digest
    ]


def place_of(line: int, *, file: str = "model.py") -> dict[str, Any]:
    """Name a line of this package, and the notebook cell that it was cut from."""
    found = (
        capture().get("source_map", {}).get(str(line)) if file == "model.py" else None
    )
    place: dict[str, Any] = {"line": line, "file": file}
    if found:
        place |= {
            "cell_id": found.get("cell_id") or "",
            "execution_count": found.get("execution_count") or 0,
            "cell_line": found.get("line") or 0,
        }
    return place


def place_of_name(name: str) -> dict[str, Any]:
    """Name the line of ``model.py`` that binds a global name; line 0 where none does."""
    tree = ast.parse((FOLDER / "model.py").read_text("utf-8"))
    for statement in tree.body:
        if name in _bound_by(statement):
            return place_of(statement.lineno)
    return place_of(0)


def _bound_by(statement: ast.stmt) -> set[str]:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {statement.name}
    nodes = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
    return {node.id for node in nodes if isinstance(node.ctx, ast.Store)}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / name).read_text("utf-8"))
    return content
