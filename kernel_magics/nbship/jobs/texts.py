"""Texts, as ``-p name=value`` gives them, read by the declared types."""

from __future__ import annotations

import ast
import json
import math
import re
from typing import TYPE_CHECKING, Any

from nbship.jobs.encoding import decode_any, encode_any
from nbship.jobs.fitting import fit
from nbship.jobs.kinds import options
from nbship.jobs.literals import Member, literal
from nbship.jobs.scalar_fits import EXPECTED
from nbship.jobs.scalars import read_base64
from nbship.records.parameters import ParameterKind as K

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbship.records.parameters import ParameterType

_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}
_NONE = {"None", "null"}
_WHOLE = re.compile(r"[+-]?[0-9]+(_[0-9]+)*")
_IN_BASE = re.compile(r"[+-]?0([xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_BYTES = re.compile(r"[bB][rR]?(['\"]).*\1", re.DOTALL)
#: names that a text of a list or a dict may hold
_NAMES = {
    "nan": math.nan, "inf": math.inf, "true": True, "false": False, "null": None,
    "NaN": math.nan, "Infinity": math.inf,
}  # fmt: skip
#: which option of a union a text is tried as first; the others follow in the order declared
_ORDER = (
    K.LITERAL, K.ENUM, K.BOOL, K.INT, K.FLOAT, K.COMPLEX, K.DECIMAL, K.NUMPY, K.DATE, K.DATETIME,
    K.TIME, K.TIMEDELTA, K.LIST, K.TUPLE, K.SET, K.FROZENSET, K.DICT, K.BYTES, K.PATH, K.STR,
)  # fmt: skip


def read_text(kind: ParameterType, text: str) -> Any:  # noqa: ANN401
    """Read a text.

    Returns
    -------
    Any
        What :func:`nbship.jobs.fitting.fit` returns.

    Raises
    ------
    ValueError
        If it does not fit; the message says what was expected.
    """
    if kind.kind is K.UNION:
        return _option(kind, text)
    read = _READ.get(kind.kind)
    return fit(kind, text if read is None else read(kind, text))


def _option(kind: ParameterType, text: str) -> Any:  # noqa: ANN401
    if text in _NONE and any(o.kind is K.NONE for o in kind.items):
        return None
    solid = sorted(
        options(kind), key=lambda o: _ORDER.index(o.kind) if o.kind in _ORDER else 99
    )
    if len(solid) == 1:
        return read_text(solid[0], text)
    mistakes = []
    for option in solid:
        try:
            return _choice_of(option, text)
        except ValueError as error:
            mistakes.append(str(error).removesuffix(" was expected"))
    raise ValueError(f"{', or '.join(dict.fromkeys(mistakes))} was expected")


def _choice_of(option: ParameterType, text: str) -> Any:  # noqa: ANN401
    """Read a text as one option of several: no loose words, and quotes make a text.

    Raises
    ------
    ValueError
        If it is not that option.
    """
    if option.kind is K.BOOL and text.lower() not in {"true", "false"}:
        raise ValueError("true or false was expected")
    if option.kind is K.BYTES and not (
        _BYTES.fullmatch(text) or text.startswith(("hex:", "base64:"))
    ):
        raise ValueError(f"{EXPECTED[K.BYTES]} was expected")
    if (
        option.kind is K.STR
        and len(text) > 1
        and text[0] == text[-1]
        and text[0] in "'\""
    ):
        try:
            return fit(option, ast.literal_eval(text))
        except (SyntaxError, ValueError):
            pass
    return read_text(option, text)


def _whole(_kind: ParameterType, text: str) -> int:
    text = text.strip()
    if _IN_BASE.fullmatch(text):
        return int(text, 0)
    if not _WHOLE.fullmatch(text):
        raise ValueError("a whole number was expected")
    return int(text)


def _real(_kind: ParameterType, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError("a number was expected") from None
    if math.isinf(number) and not _INFINITE.fullmatch(text.strip()):
        raise ValueError("the number is too large for a float")
    return number


def _truth(_kind: ParameterType, text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("true or false was expected")
    return word in _TRUE


def _raw_bytes(_kind: ParameterType, text: str) -> bytes:
    if _BYTES.fullmatch(text):
        try:
            return bytes(ast.literal_eval(text))
        except (SyntaxError, ValueError):
            raise ValueError(f"{EXPECTED[K.BYTES]} was expected") from None
    if text.startswith("hex:"):
        return bytes.fromhex(text[4:])
    if text.startswith("base64:"):
        return read_base64(text[7:])
    return text.encode("utf-8", "surrogateescape")


def _nothing(_kind: ParameterType, text: str) -> None:
    if text not in _NONE:
        raise ValueError("None was expected")


def _choice(kind: ParameterType, text: str) -> Any:  # noqa: ANN401
    found = [decode_any(choice) for choice in kind.choices]
    for choice in found:
        own = choice.name if isinstance(choice, Member) else str(choice)
        if text == own:
            return choice
    for choice in found:
        if text in {repr(choice), json.dumps(encode_any(choice))}:
            return choice
    raise ValueError(f"one of {', '.join(map(repr, found))} was expected")


def _member(kind: ParameterType, text: str) -> Any:  # noqa: ANN401
    try:
        return fit(kind, text.strip())
    except ValueError:
        for choice, told in zip(kind.choices, kind.member_values, strict=False):
            if told is not None and text == str(decode_any(told)):
                return choice
        raise


def _numpy(kind: ParameterType, text: str) -> Any:  # noqa: ANN401
    name = kind.class_name
    if name == "longdouble":
        _real(kind, text)
        return text
    if name.startswith(("float", "double", "half", "single")):
        return _real(kind, text)
    words = {
        "complex": lambda _, t: complex(t.replace(" ", "")),
        "bool": _truth,
        "str": lambda _, t: t,
        "bytes": _raw_bytes,
    }
    for word, read in words.items():
        if name.startswith(word):
            return read(kind, text)
    return _whole(kind, text)


def _container(kind: ParameterType, text: str) -> Any:  # noqa: ANN401
    found = _guess(text)
    if isinstance(found, str):
        raise ValueError(f"{EXPECTED[kind.kind]} was expected")  # noqa: TRY004  # a mistake of the text
    return found


def _guess(text: str) -> Any:  # noqa: ANN401
    """Read a text whose type nobody declared: JSON, else a Python literal, else text."""
    for read in (_json, _python):
        try:
            return read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
    return text


def _json(text: str) -> Any:  # noqa: ANN401
    return json.loads(text, parse_constant=_refuse, parse_float=_finite)


def _python(text: str) -> Any:  # noqa: ANN401
    tree = ast.parse(text.strip(), mode="eval").body
    if isinstance(tree, (ast.Name, ast.BinOp)):
        raise ValueError("a bare word is text")  # noqa: TRY004  # a mistake of the text
    value = literal(tree, names=_NAMES)
    if isinstance(value, float):
        _finite(text)
    encode_any(value)
    return value


def _refuse(text: str) -> Any:  # noqa: ANN401
    raise ValueError(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


_READ: dict[K, Callable[[ParameterType, str], Any]] = {
    K.INT: _whole,
    K.FLOAT: _real,
    K.BOOL: _truth,
    K.BYTES: _raw_bytes,
    K.NONE: _nothing,
    K.LITERAL: _choice,
    K.ENUM: _member,
    K.NUMPY: _numpy,
    **dict.fromkeys((K.LIST, K.TUPLE, K.SET, K.FROZENSET, K.DICT), _container),
    K.ANY: lambda _, text: _guess(text),
}
