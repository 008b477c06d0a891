"""The source of the injected cell: assignments that give back type and value.

A date or a path is made by the class that the parameters cell itself names (``dt.date``,
``Path``), so that the injected cell needs no import and shadows no name of the notebook.
"""

from __future__ import annotations

import ast
import math
from typing import TYPE_CHECKING, Any

from nbship.jobs.annotations import read_annotation
from nbship.records.parameters import ParameterKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.records.parameters import Parameter, ParameterContract

HEADER = "# Parameters"
_ELSEWHERE = {
    ParameterKind.DATE: '__import__("datetime").date',
    ParameterKind.DATETIME: '__import__("datetime").datetime',
    ParameterKind.PATH: '__import__("pathlib").Path',
}
#: kinds whose JSON values are not the values themselves
_MADE = {*_ELSEWHERE, ParameterKind.FLOAT}


def injected_source(contract: ParameterContract, values: Mapping[str, Any]) -> str:
    """Write the cell that sets ``values``, in the order of the contract.

    Parameters
    ----------
    contract
        What the notebook declares.
    values
        JSON values by declared name.
    """
    known = {parameter.name: parameter for parameter in contract.parameters}
    ordered = [name for name in known if name in values]
    ordered += [name for name in values if name not in known]
    lines = (f"{n} = {value_source(known.get(n), values[n])}" for n in ordered)
    return "\n".join([HEADER, *lines]) + "\n"


def value_source(parameter: Parameter | None, value: Any) -> str:  # noqa: ANN401
    """Write one value as an expression that gives it back.

    Parameters
    ----------
    parameter
        The declaration; None writes the JSON value as it is.
    value
        A JSON value.
    """
    if parameter is None:
        return _plain(value)
    maker = _maker(parameter)
    if parameter.kind in _MADE:
        return _made(parameter.kind, maker, value)
    if parameter.item_kind in _MADE:
        return _items(parameter.item_kind, maker, value)
    return _plain(value)


def _maker(parameter: Parameter) -> str:
    """Return the source of the class that the cell itself uses; "" where it names none."""
    text = parameter.default_text if parameter.is_inferred else parameter.annotation
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError:
        return ""
    if parameter.is_inferred:
        return ast.unparse(tree.func) if isinstance(tree, ast.Call) else ""
    return read_annotation(tree).maker


def _made(kind: ParameterKind, maker: str, value: Any) -> str:  # noqa: ANN401
    if value is None:
        return "None"
    if kind is ParameterKind.FLOAT:
        return _plain(float(value) if isinstance(value, str) else value)
    maker = maker or _ELSEWHERE[kind]
    if kind is not ParameterKind.PATH:
        maker += ".fromisoformat"
    return f"{maker}({value!r})"


def _items(kind: ParameterKind, maker: str, value: Any) -> str:  # noqa: ANN401
    if isinstance(value, dict):
        pairs = (f"{k!r}: {_made(kind, maker, v)}" for k, v in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_made(kind, maker, item) for item in value) + "]"
    return _plain(value)


def _plain(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {_plain(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_plain, value)) + "]"
    return repr(value)
