"""Write the front end's record types from the Python records.

``python -m nbship_lab.contract > extension/src/contract.ts``; a test compares the two.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import re
import sys
import types
import typing
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nbship.records.overview import LastMetric, Overview, RunRow, Stage
from nbship.records.run import RunStatus

#: what the front end knows, the smallest first
RECORDS: tuple[type, ...] = (Stage, RunStatus, LastMetric, RunRow, Overview)

_HEAD = """\
// Made by `python -m nbship_lab.contract`: change the Python records, not this file.
"""
_PLAIN = {str: "string", int: "number", float: "number", bool: "boolean"}
_COMMENTED_FIELD = re.compile(r"^    #: (.+)\n    (\w+):", re.MULTILINE)


def contract() -> str:
    """Write the whole of ``contract.ts``."""
    return "\n".join([_HEAD, *map(_declaration, RECORDS)])


def _declaration(kind: type) -> str:
    about = (inspect.getdoc(kind) or "").partition("\n")[0]
    head = f"/** {about} */\nexport "
    if issubclass(kind, enum.Enum):
        return f"{head}type {kind.__name__} = {_literals(kind)};\n"
    lines = [f"{head}interface {kind.__name__} {{"]
    if schema := getattr(kind, "SCHEMA", ""):
        lines.append(f"  readonly schema: '{schema}';")
    hints = typing.get_type_hints(kind)
    comments = {name: text for text, name in _commented_fields(kind)}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]  # it is one
        if field.name in comments:
            lines.append(f"  /** {comments[field.name]} */")
        lines.append(f"  readonly {field.name}: {type_script(hints[field.name])};")
    return "\n".join([*lines, "}\n"])


def _commented_fields(kind: type) -> list[tuple[str, str]]:
    source = inspect.getsource(kind).replace("None", "null")
    return _COMMENTED_FIELD.findall(source)


def _literals(kind: type[enum.Enum]) -> str:
    return " | ".join(f"'{member.value}'" for member in kind)


def type_script(hint: Any) -> str:  # noqa: ANN401, PLR0911  # one line a kind of annotation
    """Name the TypeScript type of a record's annotation.

    Raises
    ------
    TypeError
        If no rule covers the annotation.
    """
    arguments = typing.get_args(hint)
    origin = typing.get_origin(hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if hint is datetime:
        return "string"
    if hint is type(None):
        return "null"
    if origin in {typing.Union, types.UnionType}:
        return " | ".join(map(type_script, arguments))
    if origin is tuple and arguments[1:] == (Ellipsis,):
        return f"readonly {type_script(arguments[0])}[]"
    if origin is Mapping:
        return f"Readonly<Record<string, {type_script(arguments[1])}>>"
    if hint in RECORDS:
        return str(hint.__name__)
    raise TypeError(f"{hint}: no TypeScript type is known for it")


if __name__ == "__main__":
    sys.stdout.write(contract())
