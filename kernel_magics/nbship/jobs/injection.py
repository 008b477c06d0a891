"""The source of the injected cell: assignments that give back type and value.

A date or a path is made by the class that the parameters cell itself names (``dt.date``,
``Path``), so that the injected cell needs no import and shadows no name of the notebook.
"""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from nbship.jobs.fitting import fit, option_of
from nbship.jobs.kinds import ANYTHING, options
from nbship.jobs.literals import Member, NumpyScalar
from nbship.jobs.typed import type_of
from nbship.records.parameters import ParameterKind as K

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.records.parameters import (
        Parameter,
        ParameterContract,
        ParameterType,
    )

HEADER = "# Parameters"
_NESTED = frozenset({K.LIST, K.SET, K.FROZENSET, K.TUPLE, K.DICT})
_BIG = 10**4000


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
    taken = frozenset(known)
    lines = (f"{n} = {value_source(known.get(n), values[n], taken)}" for n in ordered)
    return "\n".join([HEADER, *lines]) + "\n"


def value_source(
    parameter: Parameter | None,
    value: Any,  # noqa: ANN401
    taken: frozenset[str] = frozenset(),
) -> str:
    """Write one value as an expression that gives it back.

    Parameters
    ----------
    parameter
        The declaration; None writes a JSON value without a type.
    value
        A JSON value.
    taken
        Names that parameters have: they make no values.
    """
    kind = ANYTHING if parameter is None else type_of(parameter)
    return source_of(kind, fit(kind, value, is_json=True), taken)


def source_of(kind: ParameterType, value: Any, taken: frozenset[str]) -> str:  # noqa: ANN401
    """Write a value that fits a type as an expression."""
    return _Writer(taken).write(kind, value)


class _Writer:
    def __init__(self, taken: frozenset[str]) -> None:
        self._taken = taken

    def write(self, kind: ParameterType, value: Any) -> str:  # noqa: ANN401, C901, PLR0911  # one line a kind
        if kind.kind is K.UNION and value is not None:
            solid = options(kind)
            kind = solid[0] if len(solid) == 1 else option_of(kind, value) or ANYTHING
        match value:
            case list() | tuple() | set() | frozenset() | dict():
                return self._container(kind, value)
            case float() if not math.isfinite(value):
                return f'{self._builtin("float")}("{value}")'
            case int() if abs(value) >= _BIG:
                return hex(value)  # Python reads no more than 4300 digits
            case complex():
                parts = (
                    self.write(ANYTHING, part) for part in (value.real, value.imag)
                )
                return f"{self._builtin('complex')}({', '.join(parts)})"
            case Member():
                maker = kind.maker or value.maker
                is_name = kind.is_open and value.name.isidentifier()
                return (
                    f"{maker}.{value.name}" if is_name else f"{maker}[{value.name!r}]"
                )
            case NumpyScalar():
                return self._numpy(kind, value)
            case PurePath():
                return f"{self._maker(kind, _path_class(value), 'pathlib')}({str(value)!r})"
            case Decimal():
                return f"{self._maker(kind, 'Decimal', 'decimal')}({str(value)!r})"
            case datetime() | time() | date():
                return self._moment(kind, value)
            case timedelta():
                fields = {
                    n: getattr(value, n) for n in ("days", "seconds", "microseconds")
                }
                told = ", ".join(f"{n}={v}" for n, v in fields.items() if v) or "0"
                return f"{self._maker(kind, 'timedelta', 'datetime')}({told})"
            case _:
                return repr(value)

    def _builtin(self, name: str) -> str:
        return f'__import__("builtins").{name}' if name in self._taken else name

    def _maker(self, kind: ParameterType, name: str, module: str) -> str:
        head = kind.maker.partition(".")[0]
        if kind.maker and head not in self._taken:
            return kind.maker
        return f'__import__("{module}").{name}'

    def _container(self, kind: ParameterType, value: Any) -> str:  # noqa: ANN401
        if isinstance(value, dict):
            keys, items = kind.items if len(kind.items) == 2 else (ANYTHING, ANYTHING)  # noqa: PLR2004  # key, value
            pairs = (
                f"{self.write(keys, k)}: {self.write(items, v)}"
                for k, v in value.items()
            )
            return "{" + ", ".join(pairs) + "}"
        parts = [self.write(_item_kind(kind, n), item) for n, item in enumerate(value)]
        if isinstance(value, list):
            return f"[{', '.join(parts)}]"
        if isinstance(value, tuple):
            return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"
        inside = "{" + ", ".join(sorted(parts)) + "}" if parts else ""
        if isinstance(value, frozenset):
            return f"{self._builtin('frozenset')}({inside})"
        return inside or f"{self._builtin('set')}()"

    def _numpy(self, kind: ParameterType, value: NumpyScalar) -> str:
        if "64[" in value.class_name or value.class_name.startswith(("M8", "m8")):
            return (
                f'__import__("numpy").int64({value.value}).view({value.class_name!r})'
            )
        maker = self._maker(kind, value.class_name, "numpy")
        return f"{maker}({self.write(ANYTHING, value.value)})"

    def _moment(self, kind: ParameterType, value: datetime | time | date) -> str:
        name = (
            type(value).__name__
            if type(value) in {datetime, time, date}
            else "datetime"
        )
        maker = self._maker(kind, name, "datetime")
        zone = getattr(getattr(value, "tzinfo", None), "key", None)
        told = value.replace(tzinfo=None) if zone else value  # type: ignore[call-arg]
        source = f"{maker}.fromisoformat({told.isoformat()!r})"
        changes = [f'tzinfo=__import__("zoneinfo").ZoneInfo({zone!r})'] if zone else []
        changes += ["fold=1"] if getattr(value, "fold", 0) else []
        return f"{source}.replace({', '.join(changes)})" if changes else source


def _item_kind(kind: ParameterType, place: int) -> ParameterType:
    if not kind.items:
        return ANYTHING
    is_each = kind.kind is K.TUPLE and not kind.is_open
    return kind.items[place] if is_each and place < len(kind.items) else kind.items[0]


def _path_class(value: PurePath) -> str:
    if isinstance(value, PureWindowsPath):
        return "PureWindowsPath"
    return "PurePosixPath" if type(value) is PurePosixPath else "Path"
