"""Literals, dates, small tables: whatever the values of golden cases can be, as JSON."""

from __future__ import annotations

import json
from typing import Any

from nbship.adapters.codecs.sharing import is_knotted
from nbship.records.state import EncodedState
from nbship.release.golden import READERS
from nbship.resources import shipped_module


class JsonCodec:
    """Values that :mod:`_values` of the exported package encodes."""

    name = "json"
    suffix = ".json"

    def encode(self, value: object) -> EncodedState | None:
        """Write a value; None where JSON cannot hold it, or would part what is shared."""
        values = shipped_module("_values")
        try:
            data = values.encode(value)
            if is_knotted(value):
                return None
        except (values.UnsupportedValueError, RecursionError):
            return None
        kinds = set(_kinds(data))
        if kinds & {"$record", "$tensor", "$sparse"}:  # other codecs write them
            return None
        modules = [module for module, of in READERS.items() if kinds & set(of)]
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        return EncodedState(data=text.encode(), modules=tuple(modules))


def _kinds(data: Any) -> list[str]:  # noqa: ANN401  # JSON
    if isinstance(data, list):
        return [kind for item in data for kind in _kinds(item)]
    if not isinstance(data, dict):
        return []
    own = [key for key in data if key.startswith("$")]
    return own + [kind for item in data.values() for kind in _kinds(item)]
