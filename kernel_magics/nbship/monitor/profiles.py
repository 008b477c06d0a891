"""Profiles of columns by numpy alone: fixed bins, quantiles, categories, missing values.

Bins are the quantiles of the baseline, so that each holds about as many values; counts of
windows add up. What a window may differ by where nothing drifts is measured by drawing windows
from the baseline itself: no threshold is a number by convention.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    Counts = npt.NDArray[np.int64]
    Values = npt.NDArray[np.float64]

#: bins of a column of numbers
BINS = 20
#: quantiles that are kept; a distance of distributions is exact to about 1/256
QUANTILES = 257
#: categories that are kept; the others are counted together
CATEGORIES = 50
#: windows that are drawn from the baseline
_WINDOWS = 400
#: share of windows without drift that stay below ``no_drift``
_LEVEL = 0.99
_SEED = 20_260_101
#: added to each count, so that an empty bin has a logarithm
_SMOOTHING = 0.5


def number_profile(
    values: Sequence[float | int | None] | Values, *, hide_below: int = 1
) -> dict[str, Any]:
    """Profile a column of numbers; ``None`` and NaN are missing.

    Parameters
    ----------
    values
        One a row, in any order.
    hide_below
        Bins and quantiles are so few that each stands for about this many rows or more.
    """
    import numpy as np

    if isinstance(values, np.ndarray):
        found = values.astype(np.float64)
        there = found[~np.isnan(found)]
    else:
        plain = [float(v) for v in values if v is not None]
        there = np.asarray([v for v in plain if not math.isnan(v)], dtype=np.float64)
    missing = len(values) - len(there)
    if not len(there):
        return {"kind": "number", "count": 0, "missing": missing}
    data = np.sort(there)
    finite = data[np.isfinite(data)]
    bins = max(min(BINS, len(data) // hide_below), 2) if hide_below > 1 else BINS
    steps = np.arange(1, bins) / bins
    edges = np.unique(_quantiles(data, steps))
    edges = edges[np.isfinite(edges)]
    counts = _bin_counts(data, edges)
    every = np.linspace(0.0, 1.0, min(QUANTILES, max(len(data) // hide_below, 2)))
    return {
        "kind": "number",
        "count": len(there),
        "missing": missing,
        "mean": float(finite.mean()) if finite.size else None,
        "standard_deviation": float(finite.std()) if finite.size else None,
        "edges": _plain(edges),
        "counts": [int(n) for n in counts],
        "quantiles": _plain(_quantiles(data, every)),
        "no_drift": _no_drift(np.append(counts, missing), is_ordered=True),
    }


def category_profile(
    values: Sequence[object], *, hide_below: int = 1
) -> dict[str, Any]:
    """Profile a column of categories, texts or truth values; ``None`` is missing.

    Parameters
    ----------
    values
        One a row, in any order.
    hide_below
        A text that fewer rows have is counted among the others, without its name.
    """
    import numpy as np

    there = [str(value) for value in values if value is not None]
    missing = len(values) - len(there)
    counted = sorted(Counter(there).items(), key=lambda item: (-item[1], item[0]))
    kept = [pair for pair in counted[:CATEGORIES] if pair[1] >= hide_below]
    other = sum(count for _, count in counted[len(kept) :])
    profile: dict[str, Any] = {
        "kind": "category",
        "count": len(there),
        "missing": missing,
        "counts": dict(kept),
        "other": other,
    }
    if there:
        counts = np.asarray([*(n for _, n in kept), other, missing], dtype=np.int64)
        profile["no_drift"] = _no_drift(counts, is_ordered=False)
    return profile


def stability_index(baseline: Counts, windows: Counts) -> Values:
    """Return the population stability index of counts over the same bins.

    ``sum((p - q) * ln(p / q))`` over smoothed shares; symmetric, 0 where the shares are equal.

    Parameters
    ----------
    baseline
        Counts, one a bin.
    windows
        Counts of one window or of many, one a row.
    """
    import numpy as np

    left, right = baseline + _SMOOTHING, windows + _SMOOTHING
    p, q = left / left.sum(), right / right.sum(axis=-1, keepdims=True)
    found: Values = ((p - q) * np.log(p / q)).sum(axis=-1)
    return found


def distance(baseline: Counts, windows: Counts, *, is_ordered: bool) -> Values:
    """Return the largest difference of shares: of sums along ordered bins, else of single bins.

    Parameters
    ----------
    baseline
        Counts, one a bin.
    windows
        Counts of one window or of many, one a row.
    is_ordered
        True for bins of numbers, False for categories.
    """
    import numpy as np

    gap = baseline / baseline.sum() - windows / windows.sum(axis=-1, keepdims=True)
    found: Values = np.abs(np.cumsum(gap, axis=-1) if is_ordered else gap).max(axis=-1)
    return found


def _no_drift(counts: Counts, *, is_ordered: bool) -> dict[str, float | int]:
    """Draw windows as large as the baseline from the baseline's own shares."""
    import numpy as np

    rows = int(counts.sum())
    drawn = np.random.default_rng(_SEED).multinomial(rows, counts / rows, size=_WINDOWS)
    indexes = stability_index(counts, drawn)
    gaps = distance(counts, drawn, is_ordered=is_ordered)
    return {
        "rows": rows,
        "psi": round(float(np.quantile(indexes, _LEVEL)), 6),
        "distance": round(float(np.quantile(gaps, _LEVEL)), 6),
    }


def _bin_counts(data: Values, edges: Values) -> Counts:
    """Count values between the edges; a value on an edge belongs to the bin above it."""
    import numpy as np

    places = np.searchsorted(edges, data, side="right")
    return np.bincount(places, minlength=len(edges) + 1).astype(np.int64)


def _quantiles(data: Values, steps: Values) -> Values:
    """Return values of sorted data, not numbers between them: infinities have no middle."""
    import numpy as np

    # the nudge keeps what is a whole number but for its last bit
    places = np.ceil(steps * len(data) - 1e-9).astype(np.int64) - 1
    return data[np.clip(places, 0, len(data) - 1)]


def _plain(values: Values) -> list[float | None]:
    """Write numbers as JSON has them; an infinity is None."""
    return [float(v) if math.isfinite(v) else None for v in values]
