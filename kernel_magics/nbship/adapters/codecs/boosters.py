"""Gradient-boosted trees in the formats of their own libraries."""

from __future__ import annotations

import sys
from typing import Any

from nbship.records.state import EncodedState


class XgboostCodec:
    """``xgboost.Booster`` as UBJSON, which later versions of XGBoost read too."""

    name = "xgboost"
    suffix = ".ubj"

    def encode(self, value: object) -> EncodedState | None:
        """Write a booster; None for other values."""
        if not is_booster("xgboost", value):
            return None
        booster: Any = value
        data = bytes(booster.save_raw(raw_format="ubj"))
        return EncodedState(data=data, modules=("xgboost",))


class LightgbmCodec:
    """``lightgbm.Booster`` as LightGBM's own text."""

    name = "lightgbm"
    suffix = ".txt"

    def encode(self, value: object) -> EncodedState | None:
        """Write a booster; None for other values, and where it stopped early.

        The text does not say which iteration was the best; such a booster is written as a
        composite value, which does.
        """
        booster: Any = value
        if not is_booster("lightgbm", value) or booster.best_iteration > 0:
            return None
        return EncodedState(data=lightgbm_text(value), modules=("lightgbm",))


def is_booster(library: str, value: object) -> bool:
    """Tell whether a value is a plain booster of a library."""
    module = sys.modules.get(library)
    return type(value) is getattr(module, "Booster", None)


def lightgbm_text(booster: Any) -> bytes:  # noqa: ANN401
    """Write every tree of a booster, also those after the best iteration."""
    return str(booster.model_to_string(num_iteration=-1)).encode()
