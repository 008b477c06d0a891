"""Whether the notebook carries a secret."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from nbship.records.codec import to_json
from nbship.records.vetting import Finding, Severity
from nbship.vetting.gate import Gate
from nbship.vetting.secrets import find_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nbship.records.notebook import Notebook
    from nbship.vetting.dossier import Dossier

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class NoSecrets(Gate):
    """Secrets in sources, values and text outputs; the finding names the kind and the place alone."""

    code = "NB501"
    title = "a secret lies open"
    severity = Severity.BLOCKER
    fix = "Revoke it, then read it from the environment or with getpass."

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Object to each secret, once per cell, kind and place."""
        seen: set[tuple[str | None, str, str]] = set()
        for place, cell_id, text in _texts(dossier):
            for secret in find_secrets(text):
                key = (cell_id, secret.kind, place)
                if key not in seen:
                    seen.add(key)
                    is_source = place == "source"
                    yield self.finding(
                        f"a secret lies open in the {place}: {secret.kind}",
                        cell_id=cell_id,
                        line=secret.line if is_source else None,
                    )


def _texts(dossier: Dossier) -> Iterator[tuple[str, str | None, str]]:
    """Yield (place, cell id, text) of all that a reader of the files could read."""
    values = "\n".join(
        f"{name} = {_quoted(value)}" for name, value in dossier.job.values.items()
    )
    yield "values of the job", None, values
    for cell in dossier.snapshot.cells:
        yield "source", cell.id, cell.source
    yield from _output_texts(dossier.snapshot)
    if dossier.executed is not None:
        yield from _output_texts(dossier.executed)


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else json.dumps(to_json(value))


def _output_texts(notebook: Notebook) -> Iterator[tuple[str, str | None, str]]:
    for cell in notebook.code_cells:
        for output in cell.outputs:
            text = "\n".join(_strings(output))
            yield "output", cell.id, _ANSI.sub("", text)


def _strings(output: Mapping[str, object]) -> Iterator[str]:
    """Yield the texts of an output: streams, errors, and text among the data."""
    for key in ("text", "evalue"):
        yield _joined(output.get(key))
    traceback = output.get("traceback")
    if isinstance(traceback, (list, tuple)):
        yield "\n".join(map(str, traceback))
    data = output.get("data")
    for kind, value in data.items() if hasattr(data, "items") else ():
        if kind.startswith("text/") or kind == "image/svg+xml":
            yield _joined(value)
        elif kind.endswith("json"):
            yield json.dumps(to_json(value), ensure_ascii=False)


def _joined(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return "".join(map(str, value))
    return value if isinstance(value, str) else ""
