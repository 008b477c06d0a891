"""What a job's folder holds beside the notebook, so that it can be repeated elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from nbship.records.environment import GitState


@dataclass(frozen=True, kw_only=True, slots=True)
class Determinism:
    """What a kernel begins with, so that two runs are alike."""

    #: seed of ``random``, numpy and torch before the first cell; None leaves them alone
    seed: int | None = None
    #: True asks libraries for deterministic algorithms, or an exception where there are none
    is_strict: bool = False
    #: variables of the kernel's environment: threads, hash seed, time zone, cuBLAS
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalModule:
    """A file of code that the notebook imports and no distribution provides."""

    #: path as people know it: relative to the project, absolute outside of it
    path: str
    #: path of the copy, relative to the job's ``modules/``
    copy: str
    #: folder in ``modules/`` that belongs on ``sys.path``, such as ``notebooks``
    root: str
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class GitChanges:
    """What git tells of a folder: where it stands, and what is not committed."""

    state: GitState
    #: from the commit to the files as they are
    patch: bytes = b""
    #: files that git does not know; a folder of such files once, with its slash
    untracked: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """The repository that a job was planned in: ``git.json``."""

    SCHEMA: ClassVar[str] = "repository/1"

    state: GitState
    #: sha256 of ``patch.diff``, which leads from the commit to the files as they were; "" without
    patch_digest: str = ""
    #: files that git does not know, relative to the repository; they are not copied
    untracked: tuple[str, ...] = ()
    #: what was left out, and why
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class CarriedWheel:
    """A distribution that no index has as it is installed, kept as a wheel."""

    name: str
    version: str
    #: file in the wheelhouse
    file: str
    #: sha256 of that file
    digest: str
    #: why it is carried: editable, local, direct-url, local-version, not-on-an-index
    reason: str
    #: built from its source, or packed from what is installed
    origin: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedEnvironment:
    """Pins with hashes, and the wheels of what no index has."""

    #: ``requirements.lock``: one pin a block, sorted by name
    requirements: str
    wheels: tuple[CarriedWheel, ...] = ()
    #: names of distributions that could be locked in no way
    missing: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentLock:
    """How an environment is rebuilt: ``environment-lock.json`` beside ``requirements.lock``."""

    SCHEMA: ClassVar[str] = "environment-lock/1"

    #: digest of the lock that the environment had before and after this was made
    lock_digest: str
    made_at: datetime
    python_version: str
    implementation: str
    #: such as ``Linux-6.1-x86_64-with-glibc2.36``
    platform: str
    #: sha256 of ``requirements.lock``
    requirements_digest: str
    wheels: tuple[CarriedWheel, ...] = ()
    #: distributions that can be had neither from an index nor from their files
    missing: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class RebuiltEnvironment:
    """An environment that was made from a job's lock: ``rebuilt.json`` in its folder."""

    SCHEMA: ClassVar[str] = "rebuilt-environment/1"

    #: its interpreter, absolute
    python: str
    #: folder for ``JUPYTER_PATH``: kernels of the jobs' names start this interpreter there
    jupyter_path: str
    #: digest of ``requirements.lock``, by which it is kept
    digest: str
    #: what differs from the environment that the job ran in; empty where nothing does
    differences: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
