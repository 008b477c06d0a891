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


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptObject:
    """An argument of a golden case that JSON has no kind for: one file below ``golden/``."""

    #: sha256 and suffix
    file: str
    #: path of its class
    type: str
    codec: str
    encoded: EncodedState
    #: under which a file of several values has it; "" where the file is the value
    key: str = ""
