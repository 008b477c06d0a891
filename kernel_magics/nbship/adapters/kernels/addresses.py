"""Where a kernel and its client meet: socket files in a folder of their own, or ports."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

_CHANNELS = ("shell", "iopub", "stdin", "control", "hb")
#: the longest path of a socket file that every Unix takes
_LONGEST_PATH = 100
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Addresses:
    """The addresses of one kernel, written to a connection file."""

    folder: Path
    key: bytes
    transport: str
    ip: str
    ports: dict[str, int]

    @property
    def file(self) -> Path:
        """The connection file."""
        return self.folder / "kernel.json"

    def url(self, channel: str) -> str:
        """Return the address of a channel as ZeroMQ takes it."""
        mark = "-" if self.transport == "ipc" else ":"
        return f"{self.transport}://{self.ip}{mark}{self.ports[channel]}"

    def remove(self) -> None:
        """Remove the folder with all that lies in it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def make_addresses(kernel_name: str, *, are_files: bool) -> Addresses:
    """Choose addresses and write the connection file; only this user can read it.

    Parameters
    ----------
    kernel_name
        Noted in the file.
    are_files
        True for socket files; ports where their path would be too long.
    """
    folder = Path(tempfile.mkdtemp(prefix="nbship-"))
    ip = str(folder / "k")
    are_files = are_files and len(ip) < _LONGEST_PATH
    addresses = Addresses(
        folder=folder,
        key=secrets.token_hex(16).encode("ascii"),
        transport="ipc" if are_files else "tcp",
        ip=ip if are_files else _LOOPBACK,
        ports={c: i for i, c in enumerate(_CHANNELS, 1)} if are_files else _free(),
    )
    written = {f"{name}_port": port for name, port in addresses.ports.items()} | {
        "ip": addresses.ip,
        "key": addresses.key.decode("ascii"),
        "transport": addresses.transport,
        "signature_scheme": "hmac-sha256",
        "kernel_name": kernel_name,
    }
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(addresses.file, flags, 0o600), "w") as file:
        json.dump(written, file, indent=2)
    return addresses


def _free() -> dict[str, int]:
    """Return ports that nobody listened on a moment ago."""
    held = {name: socket.socket() for name in _CHANNELS}
    try:
        for one in held.values():
            one.bind((_LOOPBACK, 0))
        return {name: one.getsockname()[1] for name, one in held.items()}
    finally:
        for one in held.values():
            one.close()
