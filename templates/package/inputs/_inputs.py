"""Turn JSON rows and calls into what ``predict`` takes, checked against the signature.

A data frame is a list of objects by column, an array a list of rows; all else is the arguments
of one call: an object by name, or a list by position. Dtypes are those of the golden cases.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from .. import _about, _values
from ..parity import _replay
from . import _problems
from ._checks import Findings, Spec, convert, convert_fields, convert_items
from ._labels import like
from ._problems import InputError, Problem, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMELESS = "argument_"


def table_of(
    rows: Sequence[Any],
    *,
    places: Sequence[str] = (),
    is_text: bool = False,
    allows_extra: bool = False,
    prefix: str = "",
) -> tuple[Any, list[Problem]]:
    """Build the data frame or array that ``predict`` takes.

    Parameters
    ----------
    rows
        JSON values, one a row.
    places
        Where a reader finds each: ``line 3``; problems name their path alone without them.
    is_text
        Whether cells are text, as in CSV.
    allows_extra
        Whether columns that ``predict`` does not know are left out with a warning.
    prefix
        Path of the rows, such as ``instances``.

    Returns
    -------
    tuple
        The table, and warnings: values outside of what was seen.

    Raises
    ------
    InputError
        If anything does not fit; all of it together.
    """
    build = _frame if form() == "frame" else _array
    findings = Findings(is_text=is_text)
    heads = [f"{prefix}[{i}]" for i in range(len(rows))]
    table = build(rows, heads, places, findings, allows_extra=allows_extra)
    findings.prefix = findings.place = ""
    findings.demand()
    return table, findings.warnings


def call_of(
    given: Any, *, prefix: str = "", place: str = ""
) -> tuple[list[Any], dict[str, Any], list[Problem]]:
    """Read the arguments of one call.

    Parameters
    ----------
    given
        An object by name, or a list by position.
    prefix
        Its path, such as ``[3]``.
    place
        Where a reader finds it: ``line 4``.

    Returns
    -------
    tuple
        Arguments by position, arguments by name, warnings.

    Raises
    ------
    InputError
        If anything does not fit; all of it together.
    """
    findings = Findings()
    findings.prefix, findings.place, findings.noun = prefix, place, "argument"
    if isinstance(given, list):
        found: list[Any] = _by_position(given, findings)
        names = (spec.name for spec in specs())
        found = [
            _as_recorded(name, value, findings)
            for name, value in zip(names, found, strict=False)
        ]
        findings.demand()
        return found, {}, findings.warnings
    named = convert_fields(
        list(specs()), given, "", findings, allows_extra=_takes_any_name()
    )
    named = {k: _as_recorded(k, value, findings) for k, value in named.items()}
    findings.demand()
    if _takes_any_name():
        findings.warnings = []
        named |= {k: _values.decode(v) for k, v in given.items() if k not in named}
    args = [v for name, v in named.items() if name.startswith(_NAMELESS)]
    rest = {k: v for k, v in named.items() if not k.startswith(_NAMELESS)}
    return args, rest, findings.warnings


def refusal_of(instances: Any, *, prefix: str = "instances") -> InputError | None:
    """Return all that is wrong with the rows or calls of a request; None where nothing is.

    For a server that refused them by a faster check, which names but the first mistake.
    """
    if not isinstance(instances, list):
        text = f"{prefix}: {shown(instances)} where a list was expected"
        problem = Problem(prefix, _problems.TYPE, shown(instances), "a list")
        return InputError(text, [problem])
    problems: list[Problem] = []
    try:
        if form() != "arguments":
            table_of(instances, prefix=prefix)
        else:
            for i, given in enumerate(instances):
                problems += _problems_of_call(given, f"{prefix}[{i}]")
    except InputError as error:
        return error
    return InputError.of(problems) if problems else None


def form() -> str:
    """Return what ``predict`` takes: ``frame``, ``array`` or ``arguments``."""
    return str(_about.capture()["signature"]["input_form"])


@functools.cache
def specs() -> tuple[Spec, ...]:
    """Return what is expected of each column or argument."""
    columns = [dict(column) for column in _about.capture()["signature"]["inputs"]]
    if form() == "frame":
        known = _categories(recorded_table())
        for column in columns:
            column.update(known.get(str(column["name"]), {}))
    return tuple(Spec(column) for column in columns)


@functools.cache
def recorded_table() -> Any:
    """Return the frame or array of the first golden case."""
    case = next(_replay.golden_cases())
    values = map(_values.decode, [*case["args"], *case["kwargs"].values()])
    return next(value for value in values if hasattr(value, "shape"))


def _frame(
    rows: Sequence[Any],
    heads: Sequence[str],
    places: Sequence[str],
    findings: Findings,
    *,
    allows_extra: bool,
) -> Any:
    fields = list(specs())
    found = []
    for i, row in enumerate(rows):
        findings.prefix = heads[i]
        findings.place = places[i] if places else ""
        found.append(
            convert_fields(fields, row, "", findings, allows_extra=allows_extra)
        )
    if findings.problems:
        return None
    import pandas as pd

    recorded = recorded_table()
    findings.prefix = findings.place = ""
    columns = {
        name: _series([row.get(str(name)) for row in found], name, kind, findings)
        for name, kind in zip(recorded.columns, recorded.dtypes, strict=True)
    }
    if findings.problems:
        return None
    return pd.DataFrame(columns, columns=recorded.columns)


def _series(values: list[Any], name: Any, dtype: Any, findings: Findings) -> Any:
    import pandas as pd

    try:
        first = object if dtype.kind == "b" else None
        return pd.Series(values, dtype=first).astype(dtype)
    except (TypeError, ValueError) as error:
        findings.add(str(name), _problems.TYPE, found=str(error), expected=str(dtype))
        return None


def _array(
    rows: Sequence[Any],
    heads: Sequence[str],
    places: Sequence[str],
    findings: Findings,
    *,
    allows_extra: bool,  # noqa: ARG001  # an array has no names
) -> Any:
    import numpy as np

    recorded = recorded_table()
    (spec,) = specs()
    deeper = recorded.ndim - 1
    shape = spec.shape if len(spec.shape) == deeper else (-1,) * deeper
    found = []
    for i, row in enumerate(rows):
        findings.prefix = heads[i]
        findings.place = places[i] if places else ""
        found.append(convert_items(spec, row, "", findings, shape=shape))
    if findings.problems:
        return None
    try:
        return np.array(found, dtype=recorded.dtype)
    except (TypeError, ValueError, OverflowError) as error:
        findings.prefix = findings.place = ""
        text, wanted = str(error), f"an array of {recorded.dtype}"
        findings.add("", _problems.TYPE, found=text, expected=wanted)
        return None


def _problems_of_call(given: Any, prefix: str) -> list[Problem]:
    try:
        call_of(given, prefix=prefix)
    except InputError as error:
        return error.problems
    return []


def _by_position(given: list[Any], findings: Findings) -> list[Any]:
    known = specs()
    found = [
        convert(spec, item, spec.name, findings)
        for spec, item in zip(known, given, strict=False)
    ]
    for spec in known[len(given) :]:
        if spec.is_required:
            findings.add(spec.name, _problems.MISSING, expected=spec.expected)
    if len(given) > len(known):
        names = ", ".join(repr(spec.name) for spec in known)
        findings.add(f"[{len(known)}]", _problems.EXTRA, expected=names)
    return found


def _as_recorded(name: str, value: Any, findings: Findings) -> Any:
    """Give a series the dtype, index and name that the golden cases show."""
    example = _recorded_series().get(name)
    if example is None or not hasattr(value, "index") or not hasattr(value, "dtype"):
        return value
    try:
        return like(value, example)
    except (TypeError, ValueError, OverflowError) as error:
        found, wanted = str(error), f"a series of {example.dtype}"
        findings.add(name, _problems.TYPE, found=found, expected=wanted)
        return None


@functools.cache
def _recorded_series() -> dict[str, Any]:
    """Return a recorded example of each argument that is a series by its labels."""
    names = [spec.name for spec in specs()]
    wanted = {spec.name for spec in specs() if spec.form == "series" and spec.fields}
    found: dict[str, Any] = {}
    for case in _replay.golden_cases():
        if not wanted - found.keys():
            break
        given = dict(zip(names, case["args"], strict=False)) | case["kwargs"]
        for name in wanted - found.keys():
            if given.get(name) is not None:
                found[name] = _values.decode(given[name])
    return found


def _takes_any_name() -> bool:
    return bool(_about.capture()["signature"].get("takes_any_name"))


def _categories(frame: Any) -> dict[str, dict[str, Any]]:
    """Name all categories of the recorded columns: the signature may list but some."""
    known = {}
    for name, dtype in zip(frame.columns, frame.dtypes, strict=True):
        if str(dtype) == "category":
            encoded = [_values.encode(item) for item in dtype.categories.tolist()]
            known[str(name)] = {"categories": encoded, "is_complete": True}
    return known
