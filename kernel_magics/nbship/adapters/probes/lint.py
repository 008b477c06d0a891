"""ruff as a subprocess, on a notebook of plain Python cells."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from nbship.errors import VettingError
from nbship.records.vetting import LintFinding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TIMEOUT_S = 120
#: what IPython puts into every notebook
_BUILTINS = ("get_ipython", "display", "exit", "quit")
#: the newest syntax ruff knows: which syntax the kernel takes is not ruff's question here
_TARGET = "py314"
_SYNTAX_CODES = frozenset({"invalid-syntax", "E999"})


class RuffLinter:
    """Lint with the ruff that nbship depends on.

    ruff's own settings are left aside (``--isolated``), and so are ``# noqa`` comments: what
    is ignored is ignored by a waiver, which has a reason, a person and an end.

    Parameters
    ----------
    selected
        Codes and prefixes of codes.
    """

    def __init__(self, selected: Sequence[str]) -> None:
        self._selected = tuple(selected)

    def lint(self, sources: Sequence[tuple[str, str]]) -> tuple[LintFinding, ...]:
        """Lint the cells of one notebook, given as (cell id, plain Python), in their order.

        One cell that ruff cannot read hides what it would say of all others; such cells are
        blanked and the rest is asked again.

        Raises
        ------
        VettingError
            If ruff cannot be started, or does not answer.
        """
        texts = [text for _, text in sources]
        for _ in range(len(texts) + 1):
            answer = _ask(texts, self._selected)
            unread = {item["cell"] for item in answer if _is_syntax(item)}
            if not unread:
                return tuple(_finding(item, sources) for item in answer)
            for cell in unread:
                texts[cell - 1] = "\n" * texts[cell - 1].count("\n")
        return ()


def _is_syntax(item: Mapping[str, Any]) -> bool:
    return item.get("code") in _SYNTAX_CODES or item.get("code") is None


def _finding(
    item: Mapping[str, Any], sources: Sequence[tuple[str, str]]
) -> LintFinding:
    fix = item.get("fix") or {}
    return LintFinding(
        code=item["code"],
        message=item["message"],
        cell_id=sources[item["cell"] - 1][0],
        line=item["location"]["row"],
        fix=fix.get("message") or "",
    )


def _ask(texts: Sequence[str], selected: Sequence[str]) -> list[dict[str, Any]]:
    if not texts:
        return []
    from ruff import find_ruff_bin  # type: ignore[import-untyped]

    command = (
        *("check", "-", "--stdin-filename", "notebook.ipynb"),
        *("--isolated", "--no-cache", "--ignore-noqa", "--quiet", "--exit-zero"),
        *("--output-format", "json", "--target-version", _TARGET),
        *("--select", ",".join(selected)),
        *("--config", f"builtins={json.dumps(_BUILTINS)}"),
    )
    try:
        done = subprocess.run(
            [find_ruff_bin(), *command],
            input=_notebook(texts),
            capture_output=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
        if done.returncode == 0:
            return list(json.loads(done.stdout))
        reason = done.stderr.decode("utf-8", "replace").strip()[-300:]
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        reason = str(error)
    raise VettingError(
        f"ruff did not lint the notebook: {reason}",
        hint="Install ruff again: `pip install --force-reinstall ruff`.",
    )


def _notebook(texts: Sequence[str]) -> bytes:
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"c{number}",
            "metadata": {},
            "outputs": [],
            "source": text.encode("utf-8", "replace").decode("utf-8"),
        }
        for number, text in enumerate(texts)
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook).encode()
