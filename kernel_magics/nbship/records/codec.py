"""Records to JSON and back.

A record is a frozen dataclass with ``SCHEMA``, such as ``"run/1"``, as a class variable. The
reader takes its own schema number and refuses every other one by name. Fields are read by
their annotations: records, tuples, mappings, enums, aware datetimes and JSON values.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import types
import typing
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from nbship.errors import RecordFormatError

Record = TypeVar("Record")


def to_json(value: Any) -> Any:  # noqa: ANN401  # a record in, a JSON value out
    """Turn a record, or anything a record holds, into a JSON value."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        body = {f.name: to_json(getattr(value, f.name)) for f in _fields(type(value))}
        schema = getattr(value, "SCHEMA", None)
        return {"schema": schema, **body} if schema else body
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, (tuple, list)):
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    return value


def json_text(value: Any) -> str:  # noqa: ANN401  # a record, or anything a record holds
    """Write a record as a file of ours holds it: indented, UTF-8, one newline at its end."""
    return json.dumps(to_json(value), indent=1, ensure_ascii=False) + "\n"


def from_json(kind: type[Record], data: Any, *, where: str = "") -> Record:  # noqa: ANN401
    """Read a record of ``kind``.

    Parameters
    ----------
    kind
        The record's class.
    data
        What :func:`to_json` wrote.
    where
        The file, for the message.

    Raises
    ------
    RecordFormatError
        If the schema is another one, or a field is missing or of another type.
    """
    schema = getattr(kind, "SCHEMA", None)
    place = where or kind.__name__
    found = data.get("schema") if isinstance(data, Mapping) else None
    if schema and found != schema:
        raise RecordFormatError(
            f"{place}: schema {found!r} where {schema!r} was expected",
            hint="Read it with the version of nbship that wrote it.",
        )
    try:
        return typing.cast("Record", _read(kind, data))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordFormatError(
            f"{place}: not a {kind.__name__} record ({type(error).__name__}: {error})",
            hint="Restore the file: records are written once and never edited.",
        ) from error


@cache
def _fields(kind: type) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(kind)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _read(hint: Any, data: Any) -> Any:  # noqa: ANN401, PLR0911  # one line a kind of type
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _read_union(typing.get_args(hint), data)
    if origin is tuple:
        return _read_tuple(typing.get_args(hint), data)
    if origin in (dict, Mapping):
        value_hint = typing.get_args(hint)[1]
        return {key: _read(value_hint, item) for key, item in data.items()}
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _read_record(hint, data)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(data)
    if hint is datetime:
        return datetime.fromisoformat(data)
    if hint is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if hint in (int, str, bool, float) and type(data) is not hint:
        raise TypeError(f"{data!r} is not {hint.__name__}")
    return data


def _read_union(options: tuple[Any, ...], data: Any) -> Any:  # noqa: ANN401
    if data is None and type(None) in options:
        return None
    for option in options:
        if option is type(None):
            continue
        try:
            return _read(option, data)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
    raise TypeError(f"{data!r} fits none of {options}")


def _read_tuple(hints: tuple[Any, ...], data: Any) -> tuple[Any, ...]:  # noqa: ANN401
    if not isinstance(data, (list, tuple)):
        raise TypeError(f"{data!r} is not a list")
    if len(hints) == 2 and hints[1] is Ellipsis:  # noqa: PLR2004  # tuple[X, ...]
        return tuple(_read(hints[0], item) for item in data)
    return tuple(_read(hint, item) for hint, item in zip(hints, data, strict=True))


def _read_record(kind: type, data: Any) -> Any:  # noqa: ANN401
    hints = _hints(kind)
    known = {f.name: f for f in _fields(kind)}
    extra = set(data) - set(known) - {"schema"}
    if extra:
        raise KeyError(f"unknown fields {sorted(extra)}")
    return kind(
        **{name: _read(hints[name], data[name]) for name in known if name in data}
    )
