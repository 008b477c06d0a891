"""What callers may notice of two signatures, and how much of a version each change moves.

A change is **major** where a call that the old release takes may be refused by the new one, or
an answer has lost, renamed or retyped a part, or stands in another unit; **minor** where more is
taken or given; **patch** where only what was *seen* is told otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbship.records.release_diff import Level, SignatureChange

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nbship.records.signature import Column, Signature

_MAJOR, _MINOR, _PATCH = Level.MAJOR, Level.MINOR, Level.PATCH
_SHOWN = 8


def signature_changes(old: Signature, new: Signature) -> tuple[SignatureChange, ...]:
    """List what changed, inputs first, in the order of the columns."""
    return (
        *_call_changes(old, new),
        *_columns("input", old.inputs, new.inputs, ""),
        *_columns("output", old.outputs, new.outputs, ""),
    )


def kind_text(column: Column) -> str:
    """Write what one column is: ``float64 in km, may be missing``."""
    parts = [column.dtype]
    if column.form:
        parts.append(f"({column.form})")
    if column.shape:
        parts.append(f"of shape {column.shape}")
    if column.unit:
        parts.append(f"in {column.unit}")
    text = " ".join(parts)
    if column.is_nullable:
        text += ", may be missing"
    return text if column.is_required else f"{text}, optional"


def _call_changes(old: Signature, new: Signature) -> Iterator[SignatureChange]:
    for aspect, before, after in (
        ("form of inputs", old.input_form, new.input_form),
        ("form of answers", old.output_form, new.output_form),
        ("name of the parameter", old.parameter, new.parameter),
    ):
        if before != after:
            yield SignatureChange(
                side="call", name="", aspect=aspect, level=_MAJOR, old=before, new=after
            )
    if old.takes_any_name != new.takes_any_name:
        yield SignatureChange(
            side="call",
            name="",
            aspect="arguments of any name",
            level=_MINOR if new.takes_any_name else _MAJOR,
            old="taken" if old.takes_any_name else "refused",
            new="taken" if new.takes_any_name else "refused",
        )


def _columns(
    side: str, old: Sequence[Column], new: Sequence[Column], prefix: str
) -> Iterator[SignatureChange]:
    was = {column.name: column for column in old}
    now = {column.name: column for column in new}
    for name, column in was.items():
        place = f"{prefix}{name}"
        if name not in now:
            yield SignatureChange(
                side=side,
                name=place,
                aspect="removed",
                level=_MAJOR,
                old=kind_text(column),
            )
        else:
            yield from _Pair(side, place, column, now[name]).changes()
    for name, column in now.items():
        if name not in was:
            is_demanded = side == "input" and column.is_required
            yield SignatureChange(
                side=side,
                name=f"{prefix}{name}",
                aspect="added",
                level=_MAJOR if is_demanded else _MINOR,
                new=kind_text(column),
            )


@dataclass(frozen=True, slots=True)
class _Pair:
    """One column as it was and as it is."""

    side: str
    name: str
    old: Column
    new: Column

    def changes(self) -> Iterator[SignatureChange]:
        """List what changed of it and of its parts."""
        old, new = self.old, self.new
        if (old.dtype, old.form) != (new.dtype, new.form):
            is_wider = self._is_input and _is_wider(old, new)
            level = _MINOR if is_wider else _MAJOR
            yield self._change("dtype", _type(old), _type(new), level)
        if old.shape != new.shape:
            yield self._change("shape", str(old.shape), str(new.shape), _MAJOR)
        if old.unit != new.unit:
            is_other = bool(old.unit and new.unit)
            yield self._change(
                "unit", old.unit, new.unit, _MAJOR if is_other else _PATCH
            )
        yield from self._flags()
        yield from self._ranges()
        yield from self._categories()
        if old.rtol != new.rtol and not self._is_input:
            is_looser = (new.rtol or 0.0) > (old.rtol or 0.0)
            level = _MINOR if is_looser else _PATCH
            yield self._change("tolerance", _rtol(old), _rtol(new), level)
        yield from _columns(self.side, old.fields, new.fields, f"{self.name}.")

    def _flags(self) -> Iterator[SignatureChange]:
        old, new = self.old, self.new
        if old.is_nullable != new.is_nullable:
            # an input that takes less, an answer that may lack more
            narrows = new.is_nullable != self._is_input
            wider = _MINOR if self._is_input else _PATCH
            told = ("never missing", "may be missing")
            yield self._change(
                "missing values",
                told[old.is_nullable],
                told[new.is_nullable],
                _MAJOR if narrows else wider,
            )
        if old.is_required != new.is_required:
            narrows = new.is_required == self._is_input
            told = ("optional", "always there")
            yield self._change(
                "presence",
                told[old.is_required],
                told[new.is_required],
                _MAJOR if narrows else _MINOR,
            )

    def _ranges(self) -> Iterator[SignatureChange]:
        old, new = self.old, self.new
        if _range(old) == _range(new):
            return
        was, now = _limits(old), _limits(new)
        is_narrower = now[0] > was[0] or now[1] < was[1]
        yield self._change(
            "range" if new.is_strict or old.is_strict else "range seen",
            _range(old),
            _range(new),
            self._demand(is_narrower=is_narrower, is_same=was == now),
        )

    def _categories(self) -> Iterator[SignatureChange]:
        old, new = self.old, self.new
        if set(old.categories) == set(new.categories) and _is_closed(old) == _is_closed(
            new
        ):
            return
        was = set(old.categories) if _is_closed(old) else None
        now = set(new.categories) if _is_closed(new) else None
        is_narrower = now is not None and (was is None or bool(was - now))
        level = self._demand(is_narrower=is_narrower, is_same=was == now)
        if not self._is_input and set(new.categories) - set(old.categories):
            level = _MINOR  # a label that nobody has seen before
        word = "values" if _is_closed(new) or _is_closed(old) else "values seen"
        yield self._change(word, _values(old), _values(new), level)

    def _demand(self, *, is_narrower: bool, is_same: bool) -> Level:
        """Rate what is refused: what was only seen refuses nothing."""
        if is_same or not self._is_input:
            return _PATCH
        return _MAJOR if is_narrower else _MINOR

    @property
    def _is_input(self) -> bool:
        return self.side == "input"

    def _change(self, aspect: str, old: str, new: str, level: Level) -> SignatureChange:
        return SignatureChange(
            side=self.side,
            name=self.name,
            aspect=aspect,
            level=level,
            old=old,
            new=new,
        )


def _is_wider(old: Column, new: Column) -> bool:
    """Tell whether every value of the old type is taken as the new one: whole numbers are floats."""
    is_number = old.dtype.startswith(("int", "uint")) and new.dtype in {
        "float64",
        "float32",
    }
    is_text = (old.dtype, new.dtype) == ("category", "string")
    return old.form in {new.form, ""} and (is_number or is_text)


def _is_closed(column: Column) -> bool:
    """Tell whether another value than the known ones is refused."""
    return column.dtype == "category" or (column.is_strict and bool(column.categories))


def _limits(column: Column) -> tuple[float, float]:
    """Return what is refused below and above."""
    low = column.minimum if column.is_strict else None
    high = column.maximum if column.is_strict else None
    return (
        float("-inf") if low is None else low,
        float("inf") if high is None else high,
    )


def _range(column: Column) -> str:
    if column.minimum is None and column.maximum is None:
        return ""
    low = "" if column.minimum is None else f"{column.minimum:g}"
    high = "" if column.maximum is None else f"{column.maximum:g}"
    return f"{low} to {high}" + (" (others refused)" if column.is_strict else "")


def _values(column: Column) -> str:
    known: list[Any] = sorted(column.categories, key=repr)
    text = ", ".join(repr(value) for value in known[:_SHOWN])
    more = len(known) - _SHOWN
    text += f" and {more} more" if more > 0 else ""
    return f"{text} (others refused)" if _is_closed(column) and known else text


def _type(column: Column) -> str:
    return f"{column.dtype} ({column.form})" if column.form else column.dtype


def _rtol(column: Column) -> str:
    return "" if column.rtol is None else f"{column.rtol:g}"
