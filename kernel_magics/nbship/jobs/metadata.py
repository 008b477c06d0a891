"""What stands behind the type in ``Annotated``: bounds, a description, a unit.

Understood are annotated_types (``Ge Gt Le Lt Interval MultipleOf Len MinLen MaxLen Unit doc``),
pydantic's ``Field``, msgspec's ``Meta``, ``Doc``, and plain texts: ``"unit: s"`` is the unit,
any other text the description.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nbship.jobs.encoding import encode_any
from nbship.jobs.literals import NotLiteralError, literal
from nbship.records.parameters import Bounds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbship.jobs.scope import Scope

_UNIT = "unit:"
#: call -> names of its positional arguments
_POSITIONS = {
    "Ge": ("ge",), "Gt": ("gt",), "Le": ("le",), "Lt": ("lt",), "MultipleOf": ("multiple_of",),
    "Len": ("min_length", "max_length"), "MinLen": ("min_length",), "MaxLen": ("max_length",),
    "Unit": ("unit",), "doc": ("description",), "Doc": ("documentation",),
    "Interval": (), "Field": ("default",), "Meta": (), "StringConstraints": (),
}  # fmt: skip
_TEXTS = ("description", "documentation", "title")


@dataclass(frozen=True, kw_only=True, slots=True)
class Metadata:
    """What a list of metadata says."""

    bounds: Bounds | None = None
    description: str = ""
    unit: str = ""


def read_metadata(nodes: Iterable[ast.expr], scope: Scope) -> Metadata:
    """Read the metadata of one ``Annotated``; what is not understood says nothing."""
    found = Metadata()
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = _text(found, node.value.strip())
        elif isinstance(node, ast.Call):
            found = _call(found, node, scope)
    return found


def bounds_of(told: dict[str, Any], bounds: Bounds | None = None) -> Bounds | None:
    """Return bounds with what ``ge``, ``gt``, ``le``, ``lt``, lengths and patterns add."""
    found = bounds or Bounds()
    for name, value in told.items():
        if value is None:
            continue
        match name:
            case "ge" | "gt":
                found = replace(found, low=encode_any(value), excludes_low=name == "gt")
            case "le" | "lt":
                found = replace(
                    found, high=encode_any(value), excludes_high=name == "lt"
                )
            case "multiple_of" if type(value) in {int, float}:
                found = replace(found, multiple_of=value)
            case "min_length" | "max_length" if type(value) is int:
                limit: dict[str, Any] = {name: value}
                found = replace(found, **limit)
            case "pattern" if isinstance(value, str):
                found = replace(found, pattern=value)
    return bounds if found == Bounds() else found


def _text(found: Metadata, text: str) -> Metadata:
    if text.lower().startswith(_UNIT):
        return replace(found, unit=text[len(_UNIT) :].strip())
    return replace(found, description=found.description or text)


def _call(found: Metadata, node: ast.Call, scope: Scope) -> Metadata:
    word = scope.word(node.func)
    if word not in _POSITIONS:
        return found
    pairs = [*zip(_POSITIONS[word], node.args, strict=False)]
    pairs += [(k.arg, k.value) for k in node.keywords if k.arg]
    told: dict[str, Any] = {}
    for name, value in pairs:
        try:
            told[name] = literal(value, scope)
        except NotLiteralError:
            continue
    texts = [told[name] for name in _TEXTS if isinstance(told.get(name), str)]
    unit = told.get("unit")
    return replace(
        found,
        bounds=bounds_of(told, found.bounds),
        description=found.description or (texts[0] if texts else ""),
        unit=unit if isinstance(unit, str) else found.unit,
    )
