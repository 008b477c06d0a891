"""Where something ran: interpreter, packages with hashes, accelerator, repository."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar


def normalized_name(name: str) -> str:
    """Return a distribution's name in the one form of PEP 503: ``scikit-learn``."""
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """One installed distribution."""

    name: str
    version: str
    #: sha256 of its RECORD file, so that an edited installation shows; "" where it has none
    record_digest: str = ""
    #: digest over the files of RECORD that every installer writes alike; "" where it has none
    content_digest: str = ""
    #: folders of an editable distribution's source; empty where it is no such one
    source_folders: tuple[str, ...] = ()
    #: digest over the Python files in them
    source_digest: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Accelerator:
    """One GPU as NVML names it."""

    uuid: str
    name: str
    memory_gib: float
    driver: str
    #: position of the GPU in NVML's list, that of the bus; an instance of MIG has its GPU's
    index: int = 0
    #: GPU that an instance of MIG is a part of; "" for a whole GPU
    parent_uuid: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class GpuSurvey:
    """The GPUs that a job could be given, and what was looked for in vain."""

    accelerators: tuple[Accelerator, ...] = ()
    #: sentences for people
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """The interpreter that a kernel runs in, and what is installed there."""

    SCHEMA: ClassVar[str] = "environment/1"

    python_version: str
    implementation: str
    executable: str
    #: ``platform.platform()``
    platform: str
    machine: str
    cpus: int
    #: as the processor names itself; "" where it does not
    cpu_model: str = ""
    #: of the whole machine; 0 where it is unknown
    memory_gib: float = 0.0
    packages: tuple[Package, ...] = ()
    accelerators: tuple[Accelerator, ...] = ()

    def version_of(self, name: str) -> str | None:
        """Return the version of a distribution, None where it is not installed."""
        wanted = normalized_name(name)
        for package in self.packages:
            if normalized_name(package.name) == wanted:
                return package.version
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class GitState:
    """The repository that a notebook lies in."""

    SCHEMA: ClassVar[str] = "git-state/1"

    #: 40 hexadecimal digits; "" before the first commit
    commit: str
    branch: str
    is_dirty: bool
    #: remote ``origin`` without user and password; "" where there is none
    remote_url: str = ""
