"""Whether a value fits a type, and the value that then reaches the notebook.

JSON stands in where a person may have written it: ISO 8601 texts for times, lists for tuples
and sets, texts for paths and members of an Enum. Whole numbers become floats where a float is
declared; nothing else changes its type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbship.jobs.encoding import KEY_KINDS, canonical, decode_any, encode_any
from nbship.jobs.kinds import options, type_text
from nbship.jobs.limits import check_bounds
from nbship.jobs.literals import Member
from nbship.jobs.scalar_fits import SCALAR_FITS, bare, expected, own
from nbship.records.parameters import ParameterKind as K

if TYPE_CHECKING:
    from nbship.jobs.scalar_fits import Fits
    from nbship.records.parameters import ParameterType

_SEQUENCES = (list, tuple)
_GROUPS = (list, tuple, set, frozenset)
#: modules of Enum classes in an encoded value
_MODULE = re.compile(r'(?<="\$enum": ")([\w]+\.)*(?=\w+\.\w+")')
_MEMBER = re.compile(r"[^\W\d]\w*")


def fit(kind: ParameterType, value: Any, *, is_json: bool = False) -> Any:  # noqa: ANN401
    """Return the value that reaches the notebook.

    Parameters
    ----------
    kind
        The declared type.
    value
        A Python value, or one that stands in JSON.
    is_json
        True where the value was written by :func:`nbship.jobs.encoding.encode`, or by a person
        in JSON; bytes are then base64, and marks such as ``{"$date": ...}`` are read.

    Returns
    -------
    Any
        A value of the standard library's types, a ``Member`` or a ``NumpyScalar``.

    Raises
    ------
    ValueError
        If it does not fit; the message says what was expected.
    """
    found = _FITS[kind.kind](kind, own(value), is_json)
    if kind.bounds is not None:
        check_bounds(kind.bounds, found)
    return found


def _items(kind: ParameterType, value: Any, is_json: bool) -> list[Any]:  # noqa: ANN401, FBT001
    if not kind.items:
        return [_any(kind, item, is_json) for item in value]
    return [
        _at(place, kind.items[0], item, is_json) for place, item in enumerate(value)
    ]


def _at(place: Any, kind: ParameterType, value: Any, is_json: bool) -> Any:  # noqa: ANN401, FBT001
    try:
        return fit(kind, value, is_json=is_json)
    except ValueError as error:
        raise ValueError(f"item {place!r} is {shown(value)}: {error}") from None


def _list(kind: ParameterType, value: Any, is_json: bool) -> list[Any]:  # noqa: ANN401, FBT001
    if not isinstance(value, _SEQUENCES):
        raise expected(kind)
    return _items(kind, value, is_json)


def _tuple(kind: ParameterType, value: Any, is_json: bool) -> tuple[Any, ...]:  # noqa: ANN401, FBT001
    if not isinstance(value, _SEQUENCES):
        raise expected(kind)
    if not kind.items or kind.is_open:
        return tuple(_items(kind, value, is_json))
    if len(value) != len(kind.items):
        raise ValueError(f"{len(kind.items)} items were expected ({type_text(kind)})")
    pairs = enumerate(zip(kind.items, value, strict=True))
    return tuple(_at(place, k, item, is_json) for place, (k, item) in pairs)


def _set(kind: ParameterType, value: Any, is_json: bool) -> Any:  # noqa: ANN401, FBT001
    if not isinstance(value, _GROUPS):
        raise expected(kind)
    make = set if kind.kind is K.SET else frozenset
    try:
        return make(_items(kind, value, is_json))
    except TypeError:
        raise ValueError("items that can be hashed were expected") from None


def _dict(kind: ParameterType, value: Any, is_json: bool) -> dict[Any, Any]:  # noqa: ANN401, FBT001
    if not kind.items:
        found = _any(kind, value, is_json)
        if not isinstance(found, dict):
            raise expected(kind)
        return found
    key_kind, item_kind = kind.items
    has_texts = key_kind.kind in KEY_KINDS
    if isinstance(value, Mapping):
        pairs = list(value.items())
    elif is_json and not has_texts and _are_pairs(value):
        pairs = [(key, item) for key, item in value]
    else:
        raise expected(kind)
    try:
        return {
            _key(key_kind, key, is_json): _at(key, item_kind, item, is_json)
            for key, item in pairs
        }
    except TypeError:
        raise ValueError("keys that can be hashed were expected") from None


def _are_pairs(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2  # noqa: PLR2004  # key, value
        for pair in value
    )


def _key(kind: ParameterType, key: Any, is_json: bool) -> Any:  # noqa: ANN401, FBT001
    from nbship.jobs.texts import read_text

    try:
        return fit(kind, key, is_json=is_json)
    except ValueError as error:
        if isinstance(key, str):
            try:
                return read_text(kind, key)
            except ValueError:
                pass
        raise ValueError(f"key {shown(key)}: {error}") from None


def _literal(kind: ParameterType, value: Any, is_json: bool) -> Any:  # noqa: ANN401, FBT001
    choices = [decode_any(choice) for choice in kind.choices]
    for choice, told in zip(choices, kind.choices, strict=True):
        if is_json and type(value) is type(told) and value == told:
            return choice
        if type(choice) is type(bare(value)) and choice == bare(value):
            return choice
        if (
            isinstance(choice, Member)
            and isinstance(value, Member)
            and choice.name == value.name
        ):
            return choice
    raise ValueError(f"one of {', '.join(map(repr, choices))} was expected")


def _enum(kind: ParameterType, value: Any, _: bool) -> Member:  # noqa: ANN401, FBT001
    value = bare(value)
    name: Any = None
    if isinstance(value, Member):
        same = value.maker.rpartition(".")[2] == kind.class_name
        name = value.name if same else None
    elif isinstance(value, str) and value.rpartition(".")[0] in {
        "",
        kind.class_name,
        kind.maker,
    }:
        name = value.rpartition(".")[2]
    if name in kind.choices or (kind.is_open and name and _MEMBER.fullmatch(name)):
        return Member(kind.maker, name)
    if isinstance(value, (str, int, float, bytes)):  # the member's value
        for choice, told in zip(kind.choices, kind.member_values, strict=False):
            own_value = decode_any(told)
            if type(own_value) is type(value) and own_value == value:
                return Member(kind.maker, choice)
    raise ValueError(f"one of {', '.join(kind.choices)} was expected")


def _union(kind: ParameterType, value: Any, is_json: bool) -> Any:  # noqa: ANN401, FBT001
    if value is None and any(o.kind is K.NONE for o in kind.items):
        return None
    solid = options(kind)
    if len(solid) == 1:
        return fit(solid[0], value, is_json=is_json)
    told = decode_any(value) if is_json else _owned(value)
    option = option_of(kind, told)
    if option is not None:
        return fit(option, told)
    mistakes = []
    for option in solid:
        try:
            return fit(option, value, is_json=is_json)
        except ValueError as error:
            mistakes.append(str(error).removesuffix(" was expected"))
    raise ValueError(f"{', or '.join(dict.fromkeys(mistakes))} was expected")


def option_of(kind: ParameterType, value: Any) -> ParameterType | None:  # noqa: ANN401
    """Return the option of a union that has a value as it is."""
    trace = _trace(value)
    for option in options(kind):
        try:
            if trace == _trace(fit(option, value)):
                return option
        except ValueError:
            continue
    return None


def _trace(value: Any) -> str:  # noqa: ANN401
    """Write a value so that equal ones of equal types are equal texts."""
    try:
        return _MODULE.sub("", canonical(encode_any(value)))
    except ValueError:
        return ""


def _any(_kind: ParameterType, value: Any, is_json: bool) -> Any:  # noqa: ANN401, FBT001
    found = decode_any(value) if is_json else _owned(value)
    encode_any(found)
    return found


def _owned(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Mapping):
        return {_owned(key): _owned(item) for key, item in value.items()}
    if type(value) in _GROUPS:
        return type(value)(_owned(item) for item in value)
    return own(value)


def shown(value: Any) -> str:  # noqa: ANN401
    """Write a value for a message, on one short line."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004  # one line


_FITS: dict[K, Fits] = {
    **SCALAR_FITS,
    K.LIST: _list,
    K.TUPLE: _tuple,
    K.SET: _set,
    K.FROZENSET: _set,
    K.DICT: _dict,
    K.LITERAL: _literal,
    K.ENUM: _enum,
    K.UNION: _union,
    K.ANY: _any,
}
