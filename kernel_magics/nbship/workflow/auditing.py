"""A bundle while it is looked at: what was found so far, and whom its reader trusts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbship.records.digest import digest_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from nbship.ports_shipping import ModelSealer, PackageBuilder, Replayer, Sealer
    from nbship.records.release import Manifest, ParityReport


@dataclass(frozen=True, kw_only=True, slots=True)
class Trust:
    """Whom and what the reader of a bundle trusts."""

    #: the bundle's digest, told over another channel; "" where it is not known
    expect: str = ""
    #: public keys that may seal bundles; any where empty
    signers: Sequence[str] = ()
    #: public keys that may approve; any where empty
    reviewers: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Instruments:
    """The ports that a bundle is asked with."""

    reader: PackageBuilder
    replayer: Replayer
    sealer: Sealer
    model_sealer: ModelSealer


@dataclass(slots=True)
class Audit:
    """What is known of a bundle, and what is wrong with it."""

    bundle: Path
    trust: Trust
    with_: Instruments
    files: dict[str, Path] = field(default_factory=dict)
    #: path -> sha256 of every file that is there, as they were read once
    digests: dict[str, str] = field(default_factory=dict)
    listed: dict[str, str] = field(default_factory=dict)
    manifest: Manifest | None = None
    failures: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    signer: str = ""
    parity: ParityReport | None = None

    def has(self, *names: str) -> bool:
        """Tell whether files are there to be looked into; missing ones are named already."""
        return all(name in self.files for name in names)

    def add(self, name: str, path: Path) -> None:
        """Take note of a file, and of what is in it."""
        self.files[name] = path
        self.digests[name] = digest_file(path)

    def text(self, name: str) -> str:
        """Read a file as text; what is none is read as far as it can be."""
        return self.files[name].read_bytes().decode("utf-8", "replace")

    def compare(self, name: str, differences: Callable[[Any], list[str]]) -> None:
        """Read a paper of JSON and note what differs; one in another form is noted as such."""
        try:
            self.failures += differences(json.loads(self.files[name].read_bytes()))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            self.failures.append(
                f"{name}: cannot be read: {type(error).__name__}: {error}"
            )
