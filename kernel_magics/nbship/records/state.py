"""A captured value as a codec writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedState:
    """The bytes of one file below ``state/``, and what its reader needs."""

    data: bytes
    #: types that the reader must trust
    trusted_types: tuple[str, ...] = ()
    #: import names that the reader needs
    modules: tuple[str, ...] = ()
    #: classes and functions of the notebook that the value holds, by qualified name
    notebook_objects: Mapping[str, Any] = field(default_factory=dict)
