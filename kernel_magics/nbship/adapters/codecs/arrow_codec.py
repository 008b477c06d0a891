"""pandas frames and series as Arrow files: index, dtypes and categories kept."""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

from nbship.records.state import EncodedState
from nbship.resources import shipped_module


class ArrowCodec:
    """Frames and series that come back from Arrow exactly as they were."""

    name = "arrow"
    suffix = ".arrow"

    def encode(self, value: object) -> EncodedState | None:
        """Write a frame or series; None for other values, and where Arrow would change it."""
        pd = sys.modules.get("pandas")
        if pd is None or type(value) not in (pd.DataFrame, pd.Series):
            return None
        import pyarrow as pa

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pyarrow's use of pandas is not ours
                data = _write(value)
        except (pa.ArrowException, TypeError, ValueError):
            return None
        if not _comes_back(value, data):
            return None
        return EncodedState(data=data, modules=("pandas", "pyarrow"))


def _write(value: Any) -> bytes:  # noqa: ANN401
    import pandas as pd
    import pyarrow as pa

    values = shipped_module("_values")
    is_series = type(value) is pd.Series
    frame = value.to_frame() if is_series else value
    layout = {
        "is_series": is_series,
        "series_name": values.encode(value.name) if is_series else None,
        "columns": [values.encode(name) for name in frame.columns],
        "column_names": [values.encode(name) for name in frame.columns.names],
    }
    if getattr(frame.index, "freq", None) is not None:
        layout["freq"] = frame.index.freqstr
    numbered = frame.set_axis([f"c{i}" for i in range(frame.shape[1])], axis="columns")
    table = pa.Table.from_pandas(numbered)
    metadata = {**(table.schema.metadata or {}), b"nbship": json.dumps(layout).encode()}
    sink = pa.BufferOutputStream()
    schema = table.schema.with_metadata(metadata)
    with pa.ipc.new_file(sink, schema) as writer:
        writer.write_table(table.cast(schema))
    return bytes(sink.getvalue().to_pybytes())


def _comes_back(value: Any, data: bytes) -> bool:  # noqa: ANN401
    import pandas as pd

    back = shipped_module("_state").read("arrow", data)
    compare = (
        pd.testing.assert_series_equal
        if type(value) is pd.Series
        else pd.testing.assert_frame_equal
    )
    try:
        compare(value, back, check_exact=True, check_index_type="equiv")
    except AssertionError:
        return False
    return True
