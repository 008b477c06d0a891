"""Records to JSON and back.

A record is a frozen dataclass with ``SCHEMA``, such as ``"run/1"``, as a class variable. The
reader takes its own schema number, and those of ``OLDER``, whose records lack only fields with a
default; it refuses every other one by name. Fields are read by
their annotations: records, tuples, mappings, enums, aware datetimes and JSON values.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import types
import typing
from collections.abc import Callable, Hashable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeAlias, TypeVar

from nbship.errors import RecordFormatError

Record = TypeVar("Record")
#: turns a JSON value into what a type holds
Reader: TypeAlias = Callable[[Any], Any]
_PLAIN = (str, int, float, bool, type(None))


def to_json(value: Any) -> Any:  # noqa: ANN401, PLR0911  # a record in, a JSON value out
    """Turn a record, or anything a record holds, into a JSON value."""
    if type(value) in _PLAIN:
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        body = {name: to_json(getattr(value, name)) for name in _names(type(value))}
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
    if schema and found not in (schema, *getattr(kind, "OLDER", ())):
        raise RecordFormatError(
            f"{place}: schema {found!r} where {schema!r} was expected",
            hint="Read it with the version of nbship that wrote it.",
        )
    try:
        return typing.cast("Record", _reader(typing.cast("Hashable", kind))(data))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordFormatError(
            f"{place}: not a {kind.__name__} record ({type(error).__name__}: {error})",
            hint="Restore the file: records are written once and never edited.",
        ) from error


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


@cache
def _reader(hint: Hashable) -> Reader:  # noqa: PLR0911  # one line a kind of type
    """Return what reads values of a type; it raises the errors that :func:`from_json` names."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _union_reader(typing.get_args(hint))
    if origin is tuple:
        return _tuple_reader(typing.get_args(hint))
    if origin in (dict, Mapping):
        item = _reader(typing.get_args(hint)[1])
        return lambda data: {key: item(value) for key, value in data.items()}
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _record_reader(hint)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint
    if hint is datetime:
        return datetime.fromisoformat
    if hint is float:
        return _float
    if hint in (int, str, bool):
        return _exactly(hint)
    return lambda data: data


def _float(data: Any) -> float:  # noqa: ANN401
    if type(data) not in {float, int}:
        raise TypeError(f"{data!r} is not float")
    return float(data)


def _exactly(hint: type) -> Reader:
    def read(data: Any) -> Any:  # noqa: ANN401
        if type(data) is not hint:
            raise TypeError(f"{data!r} is not {hint.__name__}")
        return data

    return read


def _union_reader(options: tuple[Any, ...]) -> Reader:
    readers = [_reader(option) for option in options if option is not type(None)]
    is_optional = type(None) in options

    def read(data: Any) -> Any:  # noqa: ANN401
        if data is None and is_optional:
            return None
        for reader in readers:
            try:
                return reader(data)
            except (KeyError, TypeError, ValueError, AttributeError):
                continue
        raise TypeError(f"{data!r} fits none of {options}")

    return read


def _tuple_reader(hints: tuple[Any, ...]) -> Reader:
    readers = [_reader(hint) for hint in hints if hint is not Ellipsis]
    is_of_any_length = Ellipsis in hints

    def read(data: Any) -> tuple[Any, ...]:  # noqa: ANN401
        if not isinstance(data, (list, tuple)):
            raise TypeError(f"{data!r} is not a list")
        if is_of_any_length:
            return tuple(map(readers[0], data))
        return tuple(r(item) for r, item in zip(readers, data, strict=True))

    return read


def _record_reader(kind: type) -> Reader:
    names = _names(kind)
    allowed = {*names, "schema"}
    readers: dict[
        str, Reader
    ] = {}  # made at the first record: types may name themselves

    def read(data: Any) -> Any:  # noqa: ANN401
        if not readers:
            hints = typing.get_type_hints(kind)
            readers.update((name, _reader(hints[name])) for name in names)
        if extra := set(data) - allowed:
            raise KeyError(f"unknown fields {sorted(extra)}")
        return kind(**{n: readers[n](data[n]) for n in names if n in data})

    return read
