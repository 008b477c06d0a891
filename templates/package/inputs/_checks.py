"""Check a value against the signature, and turn it into what ``predict`` saw in the notebook.

One pass does both: a value that fits comes back converted, any other adds a problem to the
findings, so that all mistakes are known at once. Ranges and values that were only seen are
warnings; those that the author declared are problems.
"""

from __future__ import annotations

import math
from typing import Any

from .. import _values
from . import _problems
from ._labels import EXPECTED, convert_labelled
from ._problems import InputError, Problem, shown
from ._scalars import WrongError, limits_of, range_text, scalar_of

#: a signature lists no more categories than these
MAX_CATEGORIES = 50
_SHOWN = 10
_NESTED = ("list", "tuple", "object", "array", "tensor", "series", "frame")
_ARRAYS = ("array", "tensor", "series")


class Findings:
    """What was found wrong with one input, and what a reader should know of it.

    Parameters
    ----------
    is_text
        Whether scalars are text, as in CSV.
    """

    def __init__(self, *, is_text: bool = False) -> None:
        self.is_text = is_text
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        #: path of the row or call that is being looked at
        self.prefix = ""
        #: the same for a reader of the file: ``line 4``
        self.place = ""
        #: what readers of a file call a part
        self.noun = "column"

    def add(
        self,
        path: str,
        code: str,
        *,
        found: str = "",
        expected: str = "",
        is_warning: bool = False,
    ) -> None:
        """Take one mistake, or one remark."""
        dot = "." if self.prefix and path and not path.startswith("[") else ""
        part = f", {self.noun} {path!r}" if path else ""
        problem = Problem(
            path=f"{self.prefix}{dot}{path}",
            code=code,
            found=found,
            expected=expected,
            place=f"{self.place}{part}" if self.place else "",
        )
        (self.warnings if is_warning else self.problems).append(problem)

    def demand(self) -> None:
        """Raise what was found.

        Raises
        ------
        InputError
            If anything is wrong; all of it together.
        """
        if self.problems:
            error = InputError.of(self.problems)
            raise error


class Spec:
    """One column, argument or part of the signature, ready to check many values."""

    __slots__ = (
        "categories",
        "dtype",
        "expected",
        "fields",
        "form",
        "is_nullable",
        "is_open",
        "is_required",
        "is_strict",
        "item",
        "limits",
        "name",
        "scalar",
        "shape",
    )

    def __init__(self, column: dict[str, Any]) -> None:
        self.name: str = str(column["name"])
        self.dtype: str = column["dtype"]
        self.form: str = column.get("form") or ""
        self.shape = tuple(column.get("shape") or ())
        self.is_nullable = bool(column.get("is_nullable"))
        self.is_required = column.get("is_required", True)
        self.is_strict = bool(column.get("is_strict"))
        self.fields = [Spec(field) for field in column.get("fields") or ()]
        self.limits = limits_of(column)
        self.categories = _categories(column)
        is_closed = self.is_strict or self.dtype == "category"
        self.scalar = scalar_of(
            self.dtype,
            form=self.form,
            limits=self.limits,
            categories=self.categories,
            is_closed=is_closed,
        )
        if is_closed:
            self.categories = ()  # the scalar's check knows them
        self.expected = _expected(self)
        is_nested = self.form in _NESTED
        #: whether any value will do, null too
        self.is_open = self.dtype in {"json", "object"} and not is_nested
        #: what each item of a list or array must be
        self.item: Spec = Spec({**column, "form": ""}) if is_nested else self


def convert(  # noqa: PLR0911  # one line a way to be wrong
    spec: Spec, value: Any, path: str, findings: Findings
) -> Any:
    """Check a value and return it as ``predict`` takes it; None where it does not fit.

    Parameters
    ----------
    spec
        What is expected.
    value
        A JSON value, or text where ``findings.is_text``.
    path
        Where it lies below the row or call.
    findings
        Takes what is wrong.
    """
    if isinstance(value, dict) and is_encoded(value):
        value = _decoded(spec, value, path, findings)
        if value is ...:
            return None
        if spec.form in _NESTED:
            return value
    if value is None or (isinstance(value, float) and math.isnan(value)):
        if not spec.is_nullable and not spec.is_open:
            findings.add(path, _problems.NULL, expected=spec.expected)
        return value
    if spec.form in _NESTED:
        return _convert_nested(spec, value, path, findings)
    try:
        found = spec.scalar(value, findings.is_text)
    except WrongError as error:
        code, expected = error.args
        findings.add(path, code, found=shown(value), expected=expected)
        return None
    except (TypeError, ValueError, OverflowError, KeyError):
        wrong = _problems.TYPE
        findings.add(path, wrong, found=shown(value), expected=spec.expected)
        return None
    if spec.limits is not None or spec.categories:
        _check_seen(spec, found, path, findings)
    return found


def convert_items(
    spec: Spec, value: Any, path: str, findings: Findings, *, shape: tuple[int, ...]
) -> Any:
    """Check nested lists of scalars against a shape; -1 stands for any length."""
    if not shape:
        return convert(spec.item, value, path, findings)
    if not isinstance(value, list):
        expected = f"a list of {_items_text(spec, shape)}"
        findings.add(path, _problems.TYPE, found=shown(value), expected=expected)
        return None
    if shape[0] not in {-1, len(value)}:
        found, expected = f"{len(value)} items", f"{shape[0]} items"
        findings.add(path, _problems.SHAPE, found=found, expected=expected)
    return [
        convert_items(spec, item, f"{path}[{i}]", findings, shape=shape[1:])
        for i, item in enumerate(value)
    ]


def convert_fields(
    fields: list[Spec],
    value: Any,
    path: str,
    findings: Findings,
    *,
    allows_extra: bool = False,
) -> dict[str, Any]:
    """Check an object key by key."""
    if not isinstance(value, dict):
        findings.add(
            path, _problems.TYPE, found=shown(value), expected="an object by name"
        )
        return {}
    found: dict[str, Any] = {}
    known = set()
    for field in fields:
        name = field.name
        known.add(name)
        if name in value:
            where = f"{path}.{name}" if path else name
            found[name] = convert(field, value[name], where, findings)
        elif field.is_required:
            where = f"{path}.{name}" if path else name
            findings.add(where, _problems.MISSING, expected=field.expected)
    if len(value) > len(found):
        names = ", ".join(repr(field.name) for field in fields[:_SHOWN])
        for name in value:
            if name not in known:
                where = f"{path}.{name}" if path else str(name)
                findings.add(
                    where, _problems.EXTRA, expected=names, is_warning=allows_extra
                )
    return found


def is_encoded(value: dict[str, Any]) -> bool:
    """Tell whether a JSON object stands for one value, as ``_values.encode`` writes it."""
    return len(value) == 1 and str(next(iter(value))).startswith("$")


def _convert_nested(spec: Spec, value: Any, path: str, findings: Findings) -> Any:
    if spec.form == "object":
        return convert_fields(spec.fields, value, path, findings)
    if spec.form == "series" and spec.fields:
        return convert_labelled(spec, value, path, findings, convert=convert)
    if not isinstance(value, list):
        wrong = _problems.TYPE
        findings.add(path, wrong, found=shown(value), expected=spec.expected)
        return None
    before = len(findings.problems)
    if spec.form == "frame":
        rows = [
            convert_fields(spec.fields, row, f"{path}[{i}]", findings)
            for i, row in enumerate(value)
        ]
        return None if len(findings.problems) > before else _frame(spec, rows)
    if spec.form in _ARRAYS:
        items = convert_items(spec, value, path, findings, shape=(-1, *spec.shape))
        return None if len(findings.problems) > before else _array(spec, items)
    part = spec.fields[0] if spec.fields else spec.item
    parts = [
        convert(part, item, f"{path}[{i}]", findings) for i, item in enumerate(value)
    ]
    return tuple(parts) if spec.form == "tuple" else parts


def _frame(spec: Spec, rows: list[Any]) -> Any:
    import pandas as pd

    frame = pd.DataFrame(rows, columns=[field.name for field in spec.fields])
    kinds = {f.name: f.dtype for f in spec.fields if f.dtype[:3] in {"int", "flo"}}
    return frame.astype({n: k for n, k in kinds.items() if not frame[n].isna().any()})


def _array(spec: Spec, items: Any) -> Any:
    import numpy as np

    kinds = ("int", "uint", "float", "bool", "datetime64", "object")
    dtype = spec.dtype if spec.dtype.startswith(kinds) else None
    if spec.form == "array":
        return np.array(items, dtype=dtype)
    if spec.form == "tensor":
        import torch

        return torch.tensor(items, dtype=getattr(torch, spec.dtype))
    import pandas as pd

    return pd.Series(items, dtype=dtype)


def _decoded(spec: Spec, value: Any, path: str, findings: Findings) -> Any:
    try:
        return _values.decode(value)
    except Exception:  # noqa: BLE001  # what a stranger wrote may fail anywhere
        wrong = _problems.TYPE
        findings.add(path, wrong, found=shown(value), expected=spec.expected)
        return ...


def _check_seen(spec: Spec, value: Any, path: str, findings: Findings) -> None:
    if spec.categories and value not in spec.categories:
        listed = ", ".join(map(repr, spec.categories[:_SHOWN]))
        findings.add(
            path,
            _problems.CATEGORY,
            found=shown(value),
            expected=f"the values seen: {listed}",
            is_warning=True,
        )
    if spec.limits is None or spec.limits[0] <= value <= spec.limits[1]:
        return
    source = "declared" if spec.is_strict else "seen"
    findings.add(
        path,
        _problems.RANGE,
        found=shown(value),
        expected=f"the range {source}, {range_text(*spec.limits)}",
        is_warning=not spec.is_strict,
    )


def _categories(column: dict[str, Any]) -> tuple[Any, ...]:
    values = column.get("categories") or ()
    is_complete = column.get("is_complete") or column.get("is_strict")
    if len(values) >= MAX_CATEGORIES and not is_complete:
        return ()
    decoded = (_values.decode(value) for value in values)
    return tuple(value for value in decoded if value.__hash__ is not None)


def _expected(spec: Spec) -> str:  # noqa: PLR0911  # one line a form
    if spec.dtype == "opaque":
        return f"an object of class {spec.form or 'several'}, given in Python"
    if spec.form == "object":
        return "an object by name"
    if spec.form == "frame":
        return "a list of objects, one a row"
    if spec.form == "series" and spec.fields:
        return EXPECTED
    if spec.form in _ARRAYS:
        return f"a list of {_items_text(spec, (-1, *spec.shape))}"
    if spec.form in {"list", "tuple"}:
        return "a list of objects" if spec.fields else f"a list of {spec.dtype}"
    if spec.dtype.startswith("datetime64"):
        return f"a {spec.form or 'date'} in ISO 8601"
    return spec.dtype


def _items_text(spec: Spec, shape: tuple[int, ...]) -> str:
    if len(shape) == 1:
        return f"{'' if shape[0] == -1 else f'{shape[0]} '}{spec.dtype}"
    return f"lists of shape {tuple(shape[1:])} of {spec.dtype}"
