"""Ports of Production: what export and release ask of the outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from nbship.records.inspection import Inspection
    from nbship.records.release import ParityReport, RootCapture
    from nbship.records.release_diff import Answered
    from nbship.records.state import EncodedState


class Sealer(Protocol):
    """Seals with the private key of one person, and checks anybody's seals."""

    def public_key(self) -> str:
        """Return the public key as one line of OpenSSH."""
        ...

    def seal(self, message: bytes, *, namespace: str) -> str:
        """Seal a message for one use, such as ``nbship-approval``."""
        ...

    def check_seal(self, message: bytes, seal: str, *, namespace: str) -> str:
        """Return the public key that sealed the message; raise ApprovalError where it did not."""
        ...


class ModelSealer(Protocol):
    """Signs bundles for OpenSSF's model-signing with an elliptic-curve key."""

    def public_key(self) -> str:
        """Return the public key in PEM."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Sign a message: equal messages give equal signatures."""
        ...

    def check(self, message: bytes, signature: bytes, *, public_key: str) -> None:
        """Check a signature by a public key in PEM; raise ApprovalError where it does not hold."""
        ...


class PackageBuilder(Protocol):
    """Makes the wheel of a captured root, and the lock to install it with."""

    @property
    def platform(self) -> str:
        """The platform that it runs on, as uv names it: ``x86_64-unknown-linux-gnu``."""
        ...

    def build(
        self,
        capture: RootCapture,
        capture_folder: Path,
        *,
        into: Path,
        origin: Mapping[str, Any],
    ) -> Path:
        """Write the wheel into a folder; equal inputs give equal bytes."""
        ...

    def lock(
        self,
        requirements: Sequence[str],
        *,
        python_version: str,
        installed: Mapping[str, str] | None,
        platform: str = "",
        carried: Path | None = None,
    ) -> str:
        """Resolve requirements into a lock with hashes, keeping to what is installed.

        For another platform where one is named; NoWheelsError where no wheels satisfy them.
        A wheel of the folder ``carried`` goes before any that an index has under its name.
        """
        ...

    def carry(self, requirements: Sequence[str], into: Path) -> None:
        """Make wheels of what this process has and no index: editable, local, and the like."""
        ...

    def collect(
        self,
        lock: str,
        into: Path,
        *,
        python_version: str,
        carried: Path | None = None,
    ) -> None:
        """Put the wheels of a lock into a folder: carried ones, and downloaded ones."""
        ...

    def read(self, wheel: Path) -> dict[str, bytes]:
        """Read every file of a wheel by its name, running nothing."""
        ...


class InstalledPackage(Protocol):
    """A package in an environment of its own, asked call by call in one process."""

    def ask(self, case: Mapping[str, Any]) -> Answered:
        """Call ``predict`` with the ``args`` and ``kwargs`` of a golden case."""
        ...

    def laps_ms(self, cases: Sequence[Mapping[str, Any]], *, calls: int) -> list[float]:
        """Time single calls in milliseconds, one golden case after the other."""
        ...


class Replayer(Protocol):
    """Replays golden cases where nothing but a wheel and its lock is installed."""

    def replay(
        self, wheel: Path, lock: Path, *, package: str, python_version: str
    ) -> ParityReport:
        """Install, replay twice without network, and report."""
        ...

    def serving(
        self, wheel: Path, lock: Path, *, package: str, python_version: str
    ) -> Mapping[str, Any]:
        """Install, and let the package decide without network what answers, and why."""
        ...

    def inspect(
        self, wheel: Path, lock: Path, *, package: str, python_version: str
    ) -> Inspection:
        """Install, list what is installed, and measure calls without network."""
        ...

    def installed(
        self, wheel: Path, lock: Path, *, package: str, python_version: str
    ) -> AbstractContextManager[InstalledPackage]:
        """Install, and let the package be asked without network while the block runs."""
        ...


class PageWriter(Protocol):
    """Writes the pages of a bundle."""

    def write(self, template: str, facts: Mapping[str, Any]) -> str:
        """Fill the template of that name, such as ``HANDOFF.md``."""
        ...


class Codec(Protocol):
    """Writes one kind of value without pickle, the same bytes for the same value."""

    @property
    def name(self) -> str:
        """``json``, ``npz`` and the like, or ``module:function`` of its reader.

        The function takes the file's bytes and returns the value; its distribution becomes
        a requirement of the package.
        """
        ...

    @property
    def suffix(self) -> str:
        """Ending of the file's name, with its dot."""
        ...

    def encode(self, value: object) -> EncodedState | None:
        """Write a value; None where it is not of this codec's kind."""
        ...


@runtime_checkable
class GroupCodec(Codec, Protocol):
    """A codec that can write several values into one file, so that they go on sharing."""

    def groups(self, values: Mapping[str, object]) -> Sequence[tuple[str, ...]]:
        """Group the names of values that have a changeable object in common."""
        ...

    def encode_together(self, values: Mapping[str, object]) -> EncodedState:
        """Write values into one file; its reader gives a dict by name."""
        ...
