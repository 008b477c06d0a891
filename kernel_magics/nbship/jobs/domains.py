"""A parameter's part of a search space, read from a text such as ``0.1,0.01`` or ``2..8``.

=========================  ==========================================================
text                       means
=========================  ==========================================================
``0.1,0.01``               these values, each read by the parameter's type
``2..8``                   every whole number from 2 to 8; of a float: that interval
``0..1:0.25``              from 0 to 1 in steps of 0.25
``1e-4..1e-1:log``         that interval, equal shares being equal ratios
``1e-4..1e-1:log:x4``      four values of it, the ends among them
``*``                      every value that the type has: Literal, Enum, bool, bounds
=========================  ==========================================================

Commas inside brackets and inside a quoted value separate nothing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nbship.errors import ParameterError
from nbship.jobs.kinds import is_optional, options
from nbship.jobs.typed import type_of
from nbship.jobs.values import fit_json, read_value
from nbship.records.domains import Domain
from nbship.records.parameters import ParameterKind as Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbship.records.parameters import Parameter, ParameterType

#: a range of whole numbers with more values is not listed
LISTED_AT_MOST = 1000
_RANGE = re.compile(r"(?P<low>[^:,]+?)\.\.(?P<high>[^:,]+)(?P<words>(:[^:,]+)*)")
_COUNT = re.compile(r"x([0-9]+)")
_NUMBERS = frozenset({Kind.INT, Kind.FLOAT, Kind.ANY, Kind.UNION})
_CONTAINERS = frozenset(
    {Kind.LIST, Kind.TUPLE, Kind.SET, Kind.FROZENSET, Kind.DICT, Kind.ANY, Kind.BYTES}
)
_OPENING, _CLOSING = "([{", ")]}"
_HINT = (
    "Write values as 0.1,0.01, a range as 2..8 or 1e-4..1e-1:log, or * for every value."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ask:
    """What stands behind a range's ends."""

    is_log: bool = False
    step: float | int | None = None
    count: int | None = None


def read_domain(parameter: Parameter, text: str) -> Domain:
    """Read what a sweep may set a parameter to.

    Raises
    ------
    ParameterError
        If the text is none of the forms, or a value does not fit the parameter.
    """
    try:
        if text.strip() == "*":
            values = tuple(_every(parameter))
            return Domain(name=parameter.name, text=text, values=values)
        pieces = split_values(text)
        if len(pieces) == 1 and (found := _range(parameter, pieces[0])):
            return replace(found, text=text)
        values = tuple(v for piece in pieces for v in _listed(parameter, piece))
        return Domain(name=parameter.name, text=text, values=_distinct(values))
    except ValueError as error:
        raise ParameterError(
            f"{parameter.name} = {text}: {error}", hint=_HINT
        ) from error


def value_at(domain: Domain, share: float) -> Any:  # noqa: ANN401  # a JSON value
    """Return the value that lies at a share of the domain.

    Parameters
    ----------
    domain
        Values or a range.
    share
        At least 0, below 1; equal shares give equal parts of the domain, in ratios of a :log range.
    """
    low, high = domain.low or 0, domain.high or 0
    is_every = domain.is_whole and len(domain.values) == int(high) - int(low) + 1
    if domain.values and not (is_every and domain.is_log):
        return domain.values[int(share * len(domain.values))]
    if not domain.is_whole:
        return _between(low, high, share, is_log=domain.is_log)
    if domain.is_log:  # each whole number owns half the way to its neighbours
        found = _between(low - 0.5, high + 0.5, share, is_log=True)
        return min(int(high), max(int(low), round(found)))
    return int(low) + int(share * (int(high) - int(low) + 1))


def split_values(text: str) -> list[str]:
    """Split at commas that stand in no bracket and in no quoted value."""
    pieces, start, depth, quote = [], 0, 0, ""
    for at, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"" and (depth or not text[start:at].strip(" b")):
            quote = sign
        elif sign in _OPENING:
            depth += 1
        elif sign in _CLOSING:
            depth = max(0, depth - 1)
        elif sign == "," and not depth:
            pieces.append(text[start:at].strip())
            start = at + 1
    return [*pieces, text[start:].strip()]


def _every(parameter: Parameter) -> list[Any]:
    """List every value that a type has.

    Raises
    ------
    ValueError
        If it does not say, or has too many.
    """
    kind = type_of(parameter)
    found: list[Any] = [None] if is_optional(kind) else []
    for option in options(kind):
        found += _every_of(option)
    return [fit_json(parameter, value) for value in found]


def _every_of(kind: ParameterType) -> list[Any]:
    if kind.kind is Kind.BOOL:
        return [False, True]
    if kind.kind in {Kind.LITERAL, Kind.ENUM} and not kind.is_open:
        return list(kind.choices)
    bounds = kind.bounds
    if kind.kind is Kind.INT and bounds and None not in {bounds.low, bounds.high}:
        step = bounds.multiple_of if type(bounds.multiple_of) is int else 1
        first = (
            math.floor(bounds.low) + 1 if bounds.excludes_low else math.ceil(bounds.low)
        )
        last = (
            math.ceil(bounds.high) - 1
            if bounds.excludes_high
            else math.floor(bounds.high)
        )
        first += -first % step
        if (last - first) // step < LISTED_AT_MOST:
            return list(range(first, last + 1, step))
        raise ValueError(f"its bounds hold more than {LISTED_AT_MOST} values")
    raise ValueError("its type does not list its values")


def _listed(parameter: Parameter, piece: str) -> Iterator[Any]:
    found = _range(parameter, piece)
    if found is None:
        yield read_value(parameter, _unquoted(parameter, piece))
    elif found.values:
        yield from found.values
    else:
        raise ValueError(f"{piece} has no list of values; give it alone, or :xN")


def _unquoted(parameter: Parameter, piece: str) -> str:
    is_quoted = len(piece) > 1 and piece[0] in "'\"" and piece[-1] == piece[0]
    return piece[1:-1] if is_quoted and parameter.kind not in _CONTAINERS else piece


def _distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple({repr(value): value for value in values}.values())


def _range(parameter: Parameter, piece: str) -> Domain | None:
    """Read ``low..high``; None where the piece is something else.

    Raises
    ------
    ValueError
        If it is a range that has no values, or an end does not fit the parameter.
    """
    match = _RANGE.fullmatch(piece)
    if match is None or parameter.kind not in _NUMBERS:
        return None
    low = read_value(parameter, match["low"].strip())
    high = read_value(parameter, match["high"].strip())
    if type(low) not in {int, float} or type(high) not in {int, float}:
        return None
    if not -math.inf < low <= high < math.inf:
        raise ValueError("a range has two finite ends, the smaller one first")
    ask = _asked(match["words"])
    if ask.is_log and low <= 0:
        raise ValueError("a :log range begins above 0")
    is_whole = type(low) is int and type(high) is int and type(ask.step or 1) is int
    found = Domain(
        name=parameter.name,
        text=piece,
        low=low,
        high=high,
        step=ask.step,
        is_log=ask.is_log,
        is_whole=is_whole,
    )
    raw = _points(found, ask)
    steps = [o.bounds.multiple_of for o in options(type_of(parameter)) if o.bounds]
    if not raw and any(step is not None for step in steps):
        raise ValueError("multiples alone are allowed; say the step of the range")
    values = (read_value(parameter, repr(value)) for value in raw)
    return replace(found, values=_distinct(tuple(values)))


def _asked(words: str) -> _Ask:
    ask = _Ask()
    for word in filter(None, words.split(":")):
        if word.strip() == "log":
            ask = replace(ask, is_log=True)
        elif count := _COUNT.fullmatch(word.strip()):
            ask = replace(ask, count=int(count[1]))
        else:
            ask = replace(ask, step=_step(word))
    if ask.step is not None and (ask.count or ask.is_log):
        raise ValueError("a range has a step, or :log and :xN, not both")
    return ask


def _step(word: str) -> int | float:
    try:
        step = int(word) if word.strip().isdigit() else float(word)
    except ValueError:
        raise ValueError(f":{word} is neither a step, :log, nor :xN") from None
    if not 0 < step < math.inf:
        raise ValueError(f"the step {word} is not above 0")
    return step


def _points(domain: Domain, ask: _Ask) -> list[int | float]:
    """List the values of a range; none where it is continuous or too long.

    Raises
    ------
    ValueError
        If a step or a count was asked for that makes too many.
    """
    low, high = domain.low or 0, domain.high or 0
    if ask.count is not None:
        return _spread(domain, ask.count)
    if ask.step is None and not domain.is_whole:
        return []
    step = ask.step or 1
    count = math.floor((high - low) / step + 1e-9) + 1
    if count > LISTED_AT_MOST:
        if ask.step is None:
            return []
        raise ValueError(f"{count} values; at most {LISTED_AT_MOST} can be listed")
    if domain.is_whole:
        return list(range(int(low), int(high) + 1, int(step)))
    return [_tidy(low + step * number) for number in range(count)]


def _spread(domain: Domain, count: int) -> list[int | float]:
    if not 2 <= count <= LISTED_AT_MOST:  # noqa: PLR2004  # both ends
        raise ValueError(f":x{count} is not between :x2 and :x{LISTED_AT_MOST}")
    low, high = domain.low or 0, domain.high or 0
    inner = [
        _between(low, high, number / (count - 1), is_log=domain.is_log)
        for number in range(1, count - 1)
    ]
    if domain.is_whole:
        return [low, *map(round, inner), high]
    return [low, *map(_tidy, inner), high]


def _between(low: float, high: float, share: float, *, is_log: bool) -> float:
    if is_log:
        found = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
    else:
        found = low + share * (high - low)
    return min(float(high), max(float(low), found))


def _tidy(number: float) -> float:
    """Take off what binary fractions leave behind: 0.1 + 0.2 is 0.3."""
    return float(f"{number:.12g}")
