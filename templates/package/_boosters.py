"""Read gradient-boosted trees from the formats of their own libraries.

Ships verbatim inside every exported package.
"""

from __future__ import annotations

from typing import Any


def read_xgboost(data: bytes) -> Any:
    """Read a ``Booster`` of XGBoost from UBJSON."""
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(bytearray(data))
    return booster


def read_lightgbm(data: bytes) -> Any:
    """Read a ``Booster`` of LightGBM from its text."""
    import lightgbm

    return lightgbm.Booster(model_str=data.decode())
