"""pandas values of golden cases as JSON and back; see ``_values``.

Ships verbatim inside every exported package, and is imported only where pandas is.
"""

from __future__ import annotations

import sys
from typing import Any

from ._values import NOT_MINE, UnsupportedValueError, decode, encode, flat_array


def encode_pandas(value: Any, path: str) -> Any:  # noqa: PLR0911  # one line a type
    """Turn a pandas value into JSON; ``NOT_MINE`` for every other one.

    Raises
    ------
    UnsupportedValueError
        If a column is of a dtype that has no place in a golden case.
    """
    pd = sys.modules["pandas"]
    if value is pd.NA or value is pd.NaT:
        return {"$missing": "NA" if value is pd.NA else "NaT"}
    if type(value) is pd.Timestamp:
        text = value.tz_localize(None).isoformat()
        zone = None if value.tz is None else str(value.tz)
        fold = {"fold": 1} if value.fold else {}
        return {"$timestamp": {"value": text, "tz": zone, "unit": value.unit, **fold}}
    if type(value) is pd.Timedelta:
        return {"$pandas_timedelta": {"value": value.isoformat(), "unit": value.unit}}
    if type(value) is pd.DataFrame:
        return {"$frame": _encode_frame(value, path)}
    if type(value) is pd.Series:
        name = encode(value.name, path)
        body = _column_body(value, path)
        return {"$series": {"name": name, **body, "index": _index(value.index, path)}}
    if isinstance(value, pd.Index):
        return {"$index": _index(value, path) or {"range": [0, len(value), 1]}}
    if type(value) is pd.Categorical:
        return {"$categorical": _column_body(pd.Series(value), path)}
    return NOT_MINE


def _encode_frame(frame: Any, path: str) -> dict[str, Any]:
    columns = [
        {
            "name": encode(name, path),
            **_column_body(frame.iloc[:, i], f"{path}[{name!r}]"),
        }
        for i, name in enumerate(frame.columns)
    ]
    body: dict[str, Any] = {"columns": columns, "index": _index(frame.index, path)}
    if any(name is not None for name in frame.columns.names):
        body["column_names"] = [encode(name, path) for name in frame.columns.names]
    if not columns and len(frame.index):
        body["index"] = body["index"] or {"range": [0, len(frame.index), 1]}
    return body


def _column_body(column: Any, path: str) -> dict[str, Any]:
    dtype = str(column.dtype)
    if dtype == "category":
        categories = column.cat.categories
        return {
            "dtype": dtype,
            "values": column.cat.codes.tolist(),
            "categories": _column_body(
                categories.to_series(index=range(len(categories))), path
            ),
            "ordered": bool(column.cat.ordered),
        }
    if dtype == "object":
        items = [encode(item, f"{path}[{i}]") for i, item in enumerate(column.tolist())]
        return {"dtype": dtype, "values": items}
    if column.dtype.kind in "mM":
        return {"dtype": dtype, "values": _ticks(column)}
    if dtype.startswith(("Sparse", "interval", "period")) or column.dtype.kind == "V":
        raise UnsupportedValueError(
            f"{path + ': ' if path else ''}a column of dtype {dtype} cannot be recorded"
        )
    is_missing = column.isna().tolist()
    plain_float = column.dtype.kind == "f" and dtype[0].islower()
    return {
        "dtype": dtype,
        "values": [
            encode(item, path)
            if plain_float
            else None
            if missing
            else encode(item, path)
            for item, missing in zip(column.tolist(), is_missing, strict=True)
        ],
    }


def _ticks(column: Any) -> list[Any]:
    ticks = iter(column.dropna().astype("int64").tolist())
    return [None if missing else next(ticks) for missing in column.isna().tolist()]


def _index(index: Any, path: str) -> Any:
    pd = sys.modules["pandas"]
    if type(index) is pd.RangeIndex:
        is_plain = index.start == 0 and index.step == 1 and index.name is None
        span = [index.start, index.stop, index.step]
        return None if is_plain else {"range": span, "name": encode(index.name, path)}
    if isinstance(index, pd.MultiIndex):
        levels = [index.get_level_values(i) for i in range(index.nlevels)]
        return {"levels": [_index(pd.Index(level), path) for level in levels]}
    column = index.to_series(index=range(len(index)))
    body = {"name": encode(index.name, path), **_column_body(column, path)}
    if getattr(index, "freq", None) is not None:
        body["freq"] = index.freqstr
    return body


def _decode_column(body: dict[str, Any]) -> Any:
    import numpy as np
    import pandas as pd

    dtype = body["dtype"]
    if dtype == "category":
        categories = pd.Index(_decode_column(body["categories"]))
        return pd.Categorical.from_codes(
            body["values"], categories=categories, ordered=body["ordered"]
        )
    if dtype == "object":
        return pd.Series(flat_array(body["values"], np.dtype("O")), dtype=object)
    values = [decode(item) for item in body["values"]]
    if dtype.startswith(("datetime64", "timedelta64")):
        naive, _, zone = dtype.rstrip("]").partition(", ")
        series = pd.Series(flat_array(values, np.dtype(naive + "]")))
        return series.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else series
    return pd.Series(values, dtype=dtype)


def _decode_index(body: dict[str, Any] | None, length: int) -> Any:
    import pandas as pd

    if body is None:
        return pd.RangeIndex(length)
    if "range" in body:
        start, stop, step = body["range"]
        return pd.RangeIndex(start, stop, step, name=decode(body.get("name")))
    if "levels" in body:
        levels = [_decode_index(level, length) for level in body["levels"]]
        names = [level.name for level in levels]
        return pd.MultiIndex.from_arrays(levels, names=names)
    index = pd.Index(_decode_column(body), name=decode(body["name"]))
    if "freq" in body:
        index.freq = body["freq"]
    return index


def _decode_frame(body: dict[str, Any]) -> Any:
    import pandas as pd

    columns = body["columns"]
    length = len(columns[0]["values"]) if columns else 0
    index = _decode_index(body["index"], length)
    arrays = {i: pd.Series(_decode_column(column)) for i, column in enumerate(columns)}
    frame = pd.DataFrame(arrays, index=pd.RangeIndex(len(index)))
    frame.index = index
    names = [decode(column["name"]) for column in columns]
    if names == list(range(len(names))) and columns:
        frame.columns = pd.RangeIndex(len(names))
    elif names and all(isinstance(name, tuple) for name in names):
        frame.columns = pd.MultiIndex.from_tuples(names)
    else:
        frame.columns = pd.Index(names) if names else pd.RangeIndex(0)
    if "column_names" in body:
        frame.columns.names = [decode(name) for name in body["column_names"]]
    return frame


def _decode_series(body: dict[str, Any]) -> Any:
    import pandas as pd

    series = pd.Series(_decode_column(body), name=decode(body["name"]))
    series.index = _decode_index(body["index"], len(series))
    return series


def _decode_timestamp(body: dict[str, Any]) -> Any:
    import pandas as pd

    stamp = pd.Timestamp(body["value"]).as_unit(body["unit"])
    if body["tz"] is None:
        return stamp
    return stamp.tz_localize(body["tz"], ambiguous=not body.get("fold", 0))


def _decode_missing(name: str) -> Any:
    import pandas as pd

    return pd.NA if name == "NA" else pd.NaT


def _decode_pandas_timedelta(body: dict[str, Any]) -> Any:
    import pandas as pd

    return pd.Timedelta(body["value"]).as_unit(body["unit"])


#: kind -> reader of its body
DECODERS: dict[str, Any] = {
    "$missing": _decode_missing,
    "$timestamp": _decode_timestamp,
    "$pandas_timedelta": _decode_pandas_timedelta,
    "$frame": _decode_frame,
    "$series": _decode_series,
    "$index": lambda body: _decode_index(body, 0),
    "$categorical": _decode_column,
}
