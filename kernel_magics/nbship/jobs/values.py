"""Values: texts and JSON read by the declared types, all mistakes reported together.

In texts ``None`` and ``null`` mean None where the parameter is optional; lists and dicts are
written as JSON or as Python literals; dates are ISO 8601; ``nan`` and ``inf`` are floats. A parameter without annotation takes
what fits its default, and whole numbers and floats stand in for each other.
"""

from __future__ import annotations

import ast
import difflib
import json
import math
import re
from datetime import date, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from nbship.errors import (
    ParameterError,
    ParametersCellMissingError,
    UnknownParameterError,
)
from nbship.records.parameters import ParameterKind as Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nbship.records.parameters import Parameter, ParameterContract

_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}
_NONE = {"None", "null"}
_WHOLE = re.compile(r"[+-]?[0-9]+(_[0-9]+)*")
#: JSON texts of the floats that JSON has no numbers for
NOT_FINITE = ("nan", "inf", "-inf")
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_HINT = "`mlops params NOTEBOOK` shows what the notebook takes."


def split_assignments(words: Iterable[str]) -> dict[str, str]:
    """Split ``name=value`` words; the last value of a name counts.

    Raises
    ------
    ParameterError
        If a word has no ``=`` or no name before it.
    """
    texts = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name.strip():
            raise ParameterError(
                f"-p {word}: name=value was expected", hint="Write -p name=value."
            )
        texts[name.strip()] = text
    return texts


def parse_values(
    contract: ParameterContract, texts: Mapping[str, str], *, where: str
) -> dict[str, Any]:
    """Read texts, as ``-p name=value`` gives them, by the contract.

    Parameters
    ----------
    contract
        What the notebook declares.
    texts
        Text by name.
    where
        The notebook, for messages.

    Returns
    -------
    dict
        JSON values by name.

    Raises
    ------
    ParametersCellMissingError
        If there are texts and no parameters cell.
    UnknownParameterError
        If a name is not declared.
    ParameterError
        If a text does not fit its type, or a required parameter has no value.
    """
    return _read_all(contract, texts, where=where, read=read_value)


def check_values(
    contract: ParameterContract, values: Mapping[str, Any], *, where: str
) -> dict[str, Any]:
    """Check Python or JSON values by the contract; raises what :func:`parse_values` raises.

    Returns
    -------
    dict
        JSON values by name: dates as ISO 8601 texts, paths as texts, tuples as lists.
    """
    return _read_all(contract, values, where=where, read=_from_value)


def _read_all(
    contract: ParameterContract,
    given: Mapping[str, Any],
    *,
    where: str,
    read: Callable[[Parameter, Any], Any],
) -> dict[str, Any]:
    if given and contract.cell_id is None:
        raise ParametersCellMissingError(
            f"{where}: values were given ({', '.join(given)}) and no cell is tagged"
            " 'parameters'",
            hint="Tag the cell that sets the defaults with 'parameters'.",
        )
    known = {parameter.name: parameter for parameter in contract.parameters}
    unknown = [_unknown(name, known) for name in given if name not in known]
    mistakes = list(unknown)
    values = {}
    for name, raw in given.items():
        if name in known:
            try:
                values[name] = read(known[name], raw)
            except ValueError as error:
                mistakes.append(f"{name} = {_shown(raw)}: {error}")
    mistakes += [
        f"{p.name}: a value is required (it is declared {p.annotation!r} without one)"
        for p in contract.parameters
        if p.is_required and p.name not in given
    ]
    if mistakes:
        kind = UnknownParameterError if unknown else ParameterError
        raise kind(f"{where}: " + "\n".join(mistakes), hint=_HINT)
    return values


def _unknown(name: str, known: Mapping[str, Parameter]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return f"no parameter {name!r}{meant}"


def _shown(raw: Any) -> str:  # noqa: ANN401  # whatever was given
    text = raw if isinstance(raw, str) else repr(raw)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004  # one line


def read_value(parameter: Parameter, text: str) -> Any:  # noqa: ANN401
    """Read one text to a JSON value; a ValueError says what was expected."""
    if parameter.is_optional and text in _NONE:
        return None
    if parameter.kind is Kind.LITERAL:
        return _choice_from_text(parameter, text)
    if parameter.kind is Kind.NONE:
        return _fit(Kind.NONE, None if text in _NONE else text)
    if parameter.kind in {Kind.LIST, Kind.DICT, Kind.ANY}:
        return _from_value(parameter, _guess(text))
    is_loose = parameter.is_inferred and parameter.kind in {Kind.INT, Kind.FLOAT}
    if is_loose or parameter.kind is Kind.FLOAT:
        number = _number(text) if is_loose else _real(text)
        return number if type(number) is int else json_float(number)
    return _SCALARS[parameter.kind](text)


def _choice_from_text(parameter: Parameter, text: str) -> Any:  # noqa: ANN401
    for choice in parameter.choices:
        if text in {str(choice), json.dumps(choice)}:
            return choice
    raise ValueError(f"one of {_listed(parameter.choices)} was expected")


def _listed(choices: Iterable[Any]) -> str:
    return ", ".join(repr(choice) for choice in choices)


def _guess(text: str) -> Any:  # noqa: ANN401
    """Read a text whose type nobody declared: JSON, else a Python literal, else text."""
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
        return value if _is_plain(value) else text
    return text


def _is_plain(value: Any) -> bool:  # noqa: ANN401
    if isinstance(value, (list, tuple)):
        return all(_is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, (bool, int, str))


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text.strip()):
        raise ValueError("a whole number was expected")
    return int(text)


def json_float(number: float) -> float | str:
    """Return a float as JSON holds it: ``nan``, ``inf`` and ``-inf`` are texts there."""
    return number if math.isfinite(number) else str(number)


def _real(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError("a number was expected") from None
    if math.isinf(number) and not _INFINITE.fullmatch(text.strip()):
        raise ValueError("the number is too large for a float")
    return number


def _number(text: str) -> int | float:
    return int(text) if _WHOLE.fullmatch(text.strip()) else _real(text)


def _truth(text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("true or false was expected")
    return word in _TRUE


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise ValueError("a date such as 2024-12-31 was expected") from None


def _moment(text: str) -> str:
    try:
        return datetime.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise ValueError("a time such as 2024-12-31T23:59:00 was expected") from None


def _path(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError("a path was expected")
    return text


_SCALARS: dict[Kind, Callable[[str], Any]] = {
    Kind.INT: _whole,
    Kind.BOOL: _truth,
    Kind.STR: str,
    Kind.DATE: _day,
    Kind.DATETIME: _moment,
    Kind.PATH: _path,
}


def _from_value(parameter: Parameter, value: Any) -> Any:  # noqa: ANN401
    if value is None and parameter.is_optional:
        return None
    if parameter.kind is Kind.LITERAL:
        fits = [c for c in parameter.choices if type(c) is type(value) and c == value]
        if not fits:
            raise ValueError(f"one of {_listed(parameter.choices)} was expected")
        return fits[0]
    if parameter.is_inferred and parameter.kind in {Kind.INT, Kind.FLOAT}:
        return _fit(Kind.INT if type(value) is int else Kind.FLOAT, value)
    if parameter.item_kind is not None:
        value = _with_items(parameter.item_kind, value)
    return _fit(parameter.kind, value)


def _with_items(kind: Kind, value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {k: _item(kind, k, v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_item(kind, i, v) for i, v in enumerate(value)]
    return value


def _item(kind: Kind, place: int | str, value: Any) -> Any:  # noqa: ANN401
    try:
        return _fit(kind, value)
    except ValueError as error:
        raise ValueError(f"item {place!r} is {_shown(value)}: {error}") from None


def _fit(kind: Kind, value: Any) -> Any:  # noqa: ANN401
    """Return the JSON value that stands for ``value``.

    Raises
    ------
    ValueError
        If it is of another kind; the message says what was expected.
    """
    if isinstance(value, (date, PurePath)):
        value = _as_text(kind, value)
    if isinstance(value, str) and kind in {Kind.DATE, Kind.DATETIME, Kind.PATH}:
        return _SCALARS[kind](value)
    if kind is Kind.FLOAT and (type(value) in {int, float} or value in NOT_FINITE):
        return json_float(_real(str(value)))
    if _is_plain(value) and (kind is Kind.ANY or type(value) in _TYPES.get(kind, ())):
        return list(value) if isinstance(value, tuple) else value
    raise ValueError(f"{_EXPECTED.get(kind, kind.value)} was expected")


def _as_text(kind: Kind, value: date | PurePath) -> Any:  # noqa: ANN401
    if isinstance(value, PurePath):
        return str(value) if kind in {Kind.PATH, Kind.ANY} else value
    own = Kind.DATETIME if isinstance(value, datetime) else Kind.DATE
    return value.isoformat() if kind in {own, Kind.ANY} else value


_TYPES: dict[Kind, tuple[type, ...]] = {
    Kind.INT: (int,),
    Kind.BOOL: (bool,),
    Kind.STR: (str,),
    Kind.NONE: (type(None),),
    Kind.LIST: (list, tuple),
    Kind.DICT: (dict,),
}
_EXPECTED = {
    Kind.INT: "a whole number",
    Kind.FLOAT: "a number",
    Kind.BOOL: "true or false",
    Kind.STR: "text",
    Kind.NONE: "None",
    Kind.LIST: "a list such as [1, 2] without anything that JSON lacks",
    Kind.DICT: 'a dict such as {"a": 1} with texts as keys',
    Kind.DATE: "a date such as 2024-12-31",
    Kind.DATETIME: "a time such as 2024-12-31T23:59:00",
    Kind.PATH: "a path",
    Kind.ANY: "a value that JSON can hold",
}
