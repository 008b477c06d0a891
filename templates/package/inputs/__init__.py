"""Inputs as people write them, checked against the signature: every mistake with its path."""

from __future__ import annotations

from ._problems import InputError, Problem

__all__ = ["InputError", "Problem"]
