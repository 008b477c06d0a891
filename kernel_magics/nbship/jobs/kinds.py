"""Types as trees: unions, their options, and how a type is written for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.records.parameters import ParameterKind as K
from nbship.records.parameters import ParameterType

if TYPE_CHECKING:
    from collections.abc import Iterable

ANYTHING = ParameterType(kind=K.ANY)
NOTHING = ParameterType(kind=K.NONE)
INTEGER = ParameterType(kind=K.INT)
REAL = ParameterType(kind=K.FLOAT)


def union(found: Iterable[ParameterType]) -> ParameterType:
    """Return the union of types, flat; of no type, anything."""
    flat: list[ParameterType] = []
    for option in found:
        for one in option.items if option.kind is K.UNION else (option,):
            if one not in flat:
                flat.append(one)
    if len(flat) <= 1:
        return flat[0] if flat else ANYTHING
    return ParameterType(kind=K.UNION, items=tuple(flat))


def options(kind: ParameterType) -> tuple[ParameterType, ...]:
    """Return the options of a type but None; a type that is no union is its only one."""
    if kind.kind is not K.UNION:
        return (kind,)
    return tuple(option for option in kind.items if option.kind is not K.NONE)


def is_optional(kind: ParameterType) -> bool:
    """Tell whether None is one of a type's options."""
    return kind.kind is K.UNION and any(o.kind is K.NONE for o in kind.items)


def type_text(kind: ParameterType) -> str:
    """Write a type as an annotation; bounds are left out."""
    inside = [type_text(item) for item in kind.items]
    match kind.kind:
        case K.UNION:
            return " | ".join(inside)
        case K.LITERAL:
            return f"Literal[{', '.join(map(choice_text, kind.choices))}]"
        case K.TUPLE if kind.is_open:
            inside.append("...")
    word = kind.class_name or kind.kind.value
    return f"{word}[{', '.join(inside)}]" if inside else word


def choice_text(choice: Any) -> str:  # noqa: ANN401
    """Write one choice of a Literal as its source."""
    from nbship.jobs.encoding import decode_any  # it asks this module for options

    value = decode_any(choice)
    return f"{value.maker}.{value.name}" if hasattr(value, "maker") else repr(value)
