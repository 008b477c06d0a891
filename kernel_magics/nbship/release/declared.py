"""What the author of a root declares of its inputs and outputs."""

from __future__ import annotations

import dataclasses
import weakref
from typing import TYPE_CHECKING, Any

from nbship.errors import ExportError, UsageError
from nbship.records.signature import Declaration
from nbship.release.recording import recorder_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbship.records.signature import Column, Signature

_PAIR = 2
#: identity of an object -> the object, weakly, and what was declared of it
_declared: dict[int, tuple[Any, Declaration]] = {}


def declaration(  # noqa: PLR0913  # what an author may say
    *,
    units: Mapping[str, str] | None = None,
    ranges: Mapping[str, Sequence[float | None]] | None = None,
    categories: Mapping[str, Sequence[Any]] | None = None,
    nulls: Sequence[str] = (),
    rtol: float | Mapping[str, float] | None = None,
    onnx: bool = False,
) -> Declaration:
    """Read what was declared.

    Raises
    ------
    UsageError
        If a range is no pair, a tolerance no number of at least 0, or a graph is asked for
        without a tolerance.
    """
    if onnx and rtol is None:
        raise UsageError(
            "golden: onnx=True without a tolerance: a graph computes in other steps than the "
            "estimator",
            hint="Say how far floats may be off: golden(model, onnx=True, rtol=1e-5).",
        )
    for name, limits in (ranges or {}).items():
        if isinstance(limits, (str, bytes)) or len(limits) != _PAIR:
            raise UsageError(
                f"golden: ranges[{name!r}] is {limits!r} where lowest and highest were "
                "expected",
                hint=f'Give a pair, such as ranges={{"{name}": (0, 100)}}.',
            )
    tolerances: dict[str, Any] = (
        {"": rtol} if isinstance(rtol, (int, float, str)) else dict(rtol or {})
    )
    for name, value in tolerances.items():
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not 0 <= value < 1:
            raise UsageError(
                f"golden: rtol{f'[{name!r}]' if name else ''} is {value!r} where a number "
                "from 0 to 1 was expected",
                hint='Give one such as rtol=1e-6, or rtol={"price": 1e-6}.',
            )
    return Declaration(
        units=dict(units or {}),
        ranges={name: (low, high) for name, (low, high) in (ranges or {}).items()},
        categories={name: tuple(values) for name, values in (categories or {}).items()},
        nulls=(nulls,) if isinstance(nulls, str) else tuple(nulls),
        rtol={name: float(value) for name, value in tolerances.items()},
        onnx=onnx,
    )


def declare(value: Any, declared: Declaration) -> None:  # noqa: ANN401  # any object
    """Remember what was declared of an object that no recorder is put around."""
    _declared[id(value)] = (weakref.ref(value), declared)


def declared_of(value: Any) -> Declaration:  # noqa: ANN401
    """Return what was declared of an object or of the function behind a recorder."""
    recorder = recorder_of(value)
    if recorder is not None:
        return recorder.declared
    known, declared = _declared.get(id(value), (None, Declaration()))
    return declared if known is not None and known() is value else Declaration()


def with_declared(signature: Signature, declared: Declaration) -> Signature:
    """Take over what the author says: units, ranges, categories, nulls, tolerances.

    Raises
    ------
    ExportError
        If a name is none of the inputs or outputs; all are named together.
    """
    inputs, outputs = _names(signature.inputs), _names(signature.outputs)
    asked: dict[str, tuple[Any, set[str]]] = {
        "units": (declared.units, inputs | outputs),
        "ranges": (declared.ranges, inputs),
        "categories": (declared.categories, inputs),
        "nulls": (declared.nulls, inputs),
        "rtol": (declared.rtol, {column.name for column in signature.outputs} | {""}),
    }
    mistakes = [
        f"{word}: no {name!r} among {', '.join(sorted(map(repr, names - {''})))}"
        for word, (given, names) in asked.items()
        for name in given
        if name not in names
    ]
    if mistakes:
        raise ExportError(
            "nbship.golden: " + "; ".join(mistakes),
            hint="Name inputs and outputs as the signature does.",
        )
    return dataclasses.replace(
        signature,
        inputs=tuple(_declared_input(c, declared) for c in signature.inputs),
        outputs=tuple(_declared_output(c, declared) for c in signature.outputs),
    )


def _names(columns: Sequence[Column]) -> set[str]:
    names = {column.name for column in columns}
    return names.union(*(_names(column.fields) for column in columns))


def _declared_input(column: Column, declared: Declaration) -> Column:
    changes: dict[str, Any] = {
        "unit": declared.units.get(column.name, column.unit),
        "is_nullable": column.is_nullable or column.name in declared.nulls,
        "fields": tuple(_declared_input(field, declared) for field in column.fields),
    }
    if column.name in declared.ranges:
        low, high = declared.ranges[column.name]
        changes |= {"minimum": low, "maximum": high, "is_strict": True}
    if column.name in declared.categories:
        values = tuple(declared.categories[column.name])
        changes |= {"categories": values, "is_strict": True}
    return dataclasses.replace(column, **changes)


def _declared_output(column: Column, declared: Declaration) -> Column:
    rtol = declared.rtol.get(column.name, declared.rtol.get(""))
    unit = declared.units.get(column.name, column.unit)
    return dataclasses.replace(column, unit=unit, rtol=rtol)
