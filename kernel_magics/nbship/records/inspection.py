"""What a package shows of itself in a fresh environment: distributions, sizes, times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, kw_only=True, slots=True)
class Distribution:
    """One distribution that the package is installed with."""

    name: str
    version: str
    #: SPDX expression, else what its metadata say; "" where they say nothing
    licence: str
    #: bytes of its installed files
    size_bytes: int
    #: True where ``licence`` is an SPDX expression of its metadata
    is_expression: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportTime:
    """How long the modules of one top-level import name took, those that they import left out."""

    name: str
    self_ms: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspection:
    """One look at an installed package: ``inspections/<digest of its wheel>.json``.

    Times differ from one measurement to the next. They are taken once for a wheel and kept,
    so that a release that is made again has the same bytes.
    """

    SCHEMA: ClassVar[str] = "inspection/1"

    python_version: str
    #: ``x86_64``
    machine: str
    #: processors that the process might use
    cpus: int
    #: everything installed but the package itself, sorted by name
    distributions: tuple[Distribution, ...]
    #: bytes of all installed files, the package's own included
    installed_bytes: int
    #: from the start of the import to a loaded model
    load_ms: float
    #: calls of ``predict`` with recorded inputs, one at a time, in one process
    calls: int
    #: median, 99th percentile and most of one call
    latency_p50_ms: float
    latency_p99_ms: float
    latency_max_ms: float
    #: highest memory of that process
    memory_peak_mib: float
    #: the slowest imports of a start, by ``-X importtime``, the slowest first
    imports: tuple[ImportTime, ...] = ()
