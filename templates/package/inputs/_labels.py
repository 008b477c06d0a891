"""Series whose labels carry meaning, such as dates, as JSON objects: a value by its label."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from . import _problems
from ._problems import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._checks import Findings, Spec

#: what is asked of such a series
EXPECTED = "an object: each value by its label"


def is_labelled(encoded: Any) -> bool:
    """Tell whether a recorded series has labels that a list of its values would lose.

    Those are times and texts. Numbers are taken for places in a table, whatever their order.
    """
    if not isinstance(encoded, dict) or "$series" not in encoded:
        return False
    index = encoded["$series"].get("index")
    kind = str((index or {}).get("dtype", ""))
    return kind.startswith("datetime64") or kind in {"str", "string", "object"}


def convert_labelled(
    spec: Spec,
    given: Any,
    path: str,
    findings: Findings,
    *,
    convert: Callable[[Spec, Any, str, Findings], Any],
) -> Any:
    """Check labels and values, and return the series; None where anything does not fit."""
    if not isinstance(given, dict):
        wrong = _problems.TYPE
        findings.add(path, wrong, found=shown(given), expected=EXPECTED)
        return None
    before = len(findings.problems)
    (index,) = spec.fields
    places = {label: f"{path}.{label}" for label in given}
    labels = [convert(index, label, place, findings) for label, place in places.items()]
    values = [convert(spec.item, given[key], places[key], findings) for key in given]
    if len(findings.problems) > before:
        return None
    import pandas as pd

    kinds = ("int", "uint", "float", "bool")
    dtype = spec.dtype if spec.dtype.startswith(kinds) and None not in values else None
    series = pd.Series(values, dtype=dtype)
    is_time = index.dtype.startswith("datetime64")
    series.index = pd.to_datetime(labels) if is_time else pd.Index(labels)
    return series


def like(series: Any, example: Any) -> Any:
    """Give a series of a request the dtypes and the names of a recorded one.

    Raises
    ------
    TypeError, ValueError
        If a value or a label does not fit.
    """
    made = series.astype(example.dtype).rename(example.name)
    index, wanted = made.index, example.index
    if (zone := getattr(wanted, "tz", None)) is not None:
        index = index.tz_localize("UTC") if index.tz is None else index
        index = index.tz_convert(zone)
    made.index = index.astype(wanted.dtype).rename(wanted.name)
    if getattr(wanted, "freq", None) is not None:
        with contextlib.suppress(ValueError):  # with gaps there is none
            made.index.freq = wanted.freq
    return made
