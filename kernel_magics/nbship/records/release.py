"""Captured roots, exports and releases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from nbship.records.parity import ENOUGH_ROWS, ParityReport
from nbship.records.signature import Column, Signature

__all__ = [
    "ENOUGH_ROWS",
    "Column",
    "Export",
    "GoldenFile",
    "LocalModule",
    "Manifest",
    "ParityReport",
    "PlatformLock",
    "Release",
    "RootCapture",
    "Signature",
    "SkewFinding",
    "StateEntry",
    "Verification",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class StateEntry:
    """One captured value and the file that holds it."""

    #: the global name in the module
    name: str
    #: ``json``, ``npz``, ``arrow``, ``safetensors``, ``xgboost``, ``lightgbm``, ``skops``,
    #: ``tree``, or the reader of a plug-in
    codec: str
    #: file name below ``state/``
    file: str
    digest: str
    size_bytes: int
    #: types that the reader must trust, listed one by one
    trusted_types: tuple[str, ...] = ()
    #: whether the file holds other values too, each by its name, because they share parts
    is_shared: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class GoldenFile:
    """An argument of golden cases that JSON has no kind for, and the file that holds it."""

    #: path of its class
    type: str
    #: as of a :class:`StateEntry`
    codec: str
    #: file name below ``golden/``
    file: str
    digest: str
    size_bytes: int
    #: types that the reader must trust, listed one by one
    trusted_types: tuple[str, ...] = ()
    #: under which a file of several values has it; "" where the file is the value
    key: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SkewFinding:
    """Golden inputs that were transformed before they reached the root."""

    #: the column or the name that holds them
    name: str
    #: the statement that transformed them, one line
    statement: str
    #: where it stands; "" and 0 where the front end did not say
    cell_id: str = ""
    execution_count: int = 0
    #: 1-based line in the cell
    line: int = 0
    #: the whole of it, for people
    message: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalModule:
    """The file of a module that lay beside the notebook, taken along."""

    #: dotted import name in the notebook
    name: str
    #: path below the package's folder
    file: str
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RootCapture:
    """A root with its closure as it stood in a live kernel: ``roots/<name>/capture.json``."""

    SCHEMA: ClassVar[str] = "root-capture/2"
    OLDER: ClassVar[tuple[str, ...]] = ("root-capture/1",)

    name: str
    #: ``function`` or ``estimator``
    kind: str
    #: file name of the module's text beside this record
    module: str
    #: sha256 of the module's text
    module_digest: str
    state: tuple[StateEntry, ...]
    #: ``import name -> distribution==version`` of everything the closure imports
    requirements: Mapping[str, str]
    python_version: str
    signature: Signature
    #: number of recorded golden cases and of distinct rows in them
    golden_cases: int
    golden_rows: int
    #: file of the golden cases beside this record, JSON lines
    golden: str
    golden_digest: str
    #: module line -> {"cell_id", "execution_count", "line"}
    source_map: Mapping[str, Any] = field(default_factory=dict)
    #: what a reader should know, such as "golden rows taken from X_test"
    remarks: tuple[str, ...] = ()
    local_modules: tuple[LocalModule, ...] = ()
    #: what golden cases hold beside JSON
    golden_files: tuple[GoldenFile, ...] = ()
    #: environment variables that the code reads
    variables: tuple[str, ...] = ()
    #: those of them without which it fails: a replay gives them placeholders
    required_variables: tuple[str, ...] = ()
    #: functions that open a declared resource, once
    resources: tuple[str, ...] = ()
    #: the estimator as an ONNX graph, in the package's own folder; None where nobody asked
    graph: StateEntry | None = None
    #: golden inputs that cells outside of the closure had transformed
    skew: tuple[SkewFinding, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """Wheel with parity proof made from a root; unreleased."""

    SCHEMA: ClassVar[str] = "export/2"
    OLDER: ClassVar[tuple[str, ...]] = ("export/1",)

    id: str
    root: str
    package: str
    version: str
    exported_at: datetime
    wheel: str
    wheel_digest: str
    capture_digest: str
    lock_digest: str
    parity: ParityReport
    #: limits of the settings that the package exceeds, each with what has the largest part
    over_budget: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class PlatformLock:
    """For one platform: whether the golden cases were replayed on it, and its lock."""

    #: as uv names it, such as ``aarch64-unknown-linux-gnu``
    platform: str
    #: ``replayed``; ``resolved``: a set of wheels was found, and nothing was run; ``unresolved``
    state: str
    #: path of the lock in the bundle; "" where there is none
    lock: str = ""
    #: what is pinned otherwise than where it was replayed
    differences: tuple[str, ...] = ()
    #: why no set of wheels was found
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What a bundle holds and where it comes from: ``manifest.json``."""

    SCHEMA: ClassVar[str] = "manifest/3"
    OLDER: ClassVar[tuple[str, ...]] = ("manifest/1", "manifest/2")

    name: str
    version: str
    released_at: datetime
    tool: str
    job_id: str
    run_id: str
    verdict_id: str
    verdict_digest: str
    approvals: tuple[str, ...]
    notebook: str
    subject: Mapping[str, str]
    git: Mapping[str, Any]
    package: str
    wheel: str
    #: digest of the captured root that the wheel was built from
    capture_digest: str
    python_version: str
    signature: Signature
    parity: ParityReport
    #: path -> {"sha256", "size_bytes"} of every file but this one, SHA256SUMS and the seal
    files: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    state: tuple[StateEntry, ...] = ()
    #: the platform of the replay, then those that were only resolved, or could not be
    platforms: tuple[PlatformLock, ...] = ()
    #: what answers, the author's code or compiled routines that are equal, and why: ``form``,
    #: ``answers``, ``why``, ``row_by_row``, ``why_row_by_row``; as the wheel's own ``origin.json``
    serving: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """What `mlops verify` found in one bundle."""

    SCHEMA: ClassVar[str] = "verification/1"

    #: the folder as it was given
    bundle: str
    #: sha256 of ``SHA256SUMS``: the one number that names a bundle; "" where it is missing
    digest: str
    passed: bool
    #: everything that is not what was sealed, each naming its file or golden case
    failures: tuple[str, ...] = ()
    #: what a reader should know although it is no failure
    notices: tuple[str, ...] = ()
    #: what was asked, in words
    checks: tuple[str, ...] = ()
    #: the public key that sealed it, one line of OpenSSH; "" where the seal does not hold
    signer: str = ""
    #: the replay of the golden cases; None where the wheel or its lock is missing
    parity: ParityReport | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """A sealed bundle, as `mlops release` answers."""

    SCHEMA: ClassVar[str] = "release/1"

    name: str
    version: str
    #: the bundle's folder
    bundle: str
    #: sha256 of ``SHA256SUMS``
    digest: str
    wheel: str
    wheel_digest: str
    parity: ParityReport
    #: the public key that sealed it, one line of OpenSSH
    signer: str
    #: what the changes since the release before ask for; "" for the first release
    suggested_version: str = ""
    #: that the version promises less change than there is; "" where it does not
    remark: str = ""
