"""Start kernels by forking warm ones, and fresh ones where that is not safe.

A server is kept per interpreter, environment and settings that count before the first import.
The first kernel of a kind waits for no more than a fresh one would import by itself.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from nbship.adapters.kernels.launching import FreshLauncher
from nbship.adapters.kernels.learning import Memory
from nbship.adapters.kernels.processes import ForkRefusedError
from nbship.adapters.kernels.warm import ForkServer, ServerStart

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbship.adapters.kernels.direct import DirectConversation
    from nbship.adapters.kernels.processes import KernelProcess, KernelStart

Forked = TypeVar("Forked")

#: servers kept by one launcher; the one used least recently goes first
_SERVERS = 3
#: resident memory of all servers together beyond which others than the last used go
_MEMORY_BYTES = 4 << 30
#: how long a kernel waits for a server that is importing before it is started afresh
_PATIENCE_S = 30.0
#: new servers for one kernel, each without the module that spoiled the one before
_ATTEMPTS = 3
#: variables that count when an interpreter or a library begins
_PREFIXES = (
    "ARROW_", "BLIS_", "CUBLAS_", "CUDA_", "CUDNN_", "GLIBC_", "GOMP_", "GOTO_", "HIP_",
    "HSA_", "IPYTHON", "JAX_", "JUPYTER_", "KMP_", "LANG", "LC_", "LD_", "MALLOC_", "MKL_",
    "MPL", "NCCL_", "NUMEXPR_", "NUMBA_", "NVIDIA_", "OMP_", "OPENBLAS_", "PYTHON",
    "PYTORCH_", "ROCR_", "TF_", "TORCH_", "VECLIB_", "XLA_",
)  # fmt: skip
_NAMES = {"HOME", "TZ", "VIRTUAL_ENV"}
_NBSHIP = str(Path(__file__).resolve().parents[2]) + os.sep


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerKey:
    """What two kernels must have in common to come from one server."""

    #: interpreter and its options
    command: tuple[str, ...]
    #: variables that count before the first import
    variables: tuple[tuple[str, str], ...]
    #: True where nothing is imported ahead but what every kernel imports
    is_bare: bool


class WarmLauncher:
    """Forks kernels from servers of its own.

    Parameters
    ----------
    memory
        File that keeps what kernels were found to import; None keeps it for this process.
    """

    def __init__(self, memory: Path | None = None) -> None:
        self._fresh = FreshLauncher()
        self._memory = Memory(memory)
        self._servers: OrderedDict[ServerKey, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def launch(self, start: KernelStart) -> KernelProcess:
        """Start a kernel.

        Raises
        ------
        KernelError
            If it has to be started afresh, and cannot.
        """
        reason = _unfit(start)
        if not reason:
            try:
                with self._lock:
                    return self._from_server(start, ForkServer.fork)
            except (ForkRefusedError, OSError) as error:
                reason = str(error)
        fresh = self._fresh.launch(start)
        fresh.remark = f"fresh: {reason}"
        return fresh

    def converse(self, start: KernelStart) -> DirectConversation:
        """Have a process that runs cells without the kernel's protocol.

        Raises
        ------
        ForkRefusedError
            If that is not safe, or not here.
        """
        reason = _unfit(start)
        if reason:
            raise ForkRefusedError(reason)
        with self._lock:
            return self._from_server(start, ForkServer.converse)

    def close(self) -> None:
        """End the servers, and with them kernels that still live."""
        with self._lock:
            while self._servers:
                self._drop(next(iter(self._servers)))

    def _from_server(self, start: KernelStart, ask: Callable[..., Forked]) -> Forked:
        key = key_of(start)
        left = _ATTEMPTS
        while True:
            server = self._server(key, start).server
            left -= 1
            try:
                return ask(server, start, patience_s=_PATIENCE_S)
            except ForkRefusedError:
                if server.is_usable or not left:  # it refuses this kernel only
                    raise
            finally:
                self._learn(key)

    def _server(self, key: ServerKey, start: KernelStart) -> _Kept:
        kept = self._servers.get(key)
        if kept is not None and not (kept.server.is_usable and kept.is_current()):
            self._drop(key)
            kept = None
        if kept is None:
            kept = self._servers[key] = _Kept(self._start(key, start))
        self._servers.move_to_end(key)
        self._make_room(key)
        return kept

    def _start(self, key: ServerKey, start: KernelStart) -> ForkServer:
        known = self._memory.recall(key.command)
        return ForkServer(
            ServerStart(
                command=key.command,
                environ={**_own_variables(), **dict(key.variables)},
                base=known.base,
                preload=() if key.is_bare else known.used_since(start.imports),
                banned=known.banned,
                also=(_NBSHIP,),
                learns=not key.is_bare,
            )
        )

    def _learn(self, key: ServerKey) -> None:
        kept = self._servers.get(key)
        if kept is not None:
            self._memory.keep(key.command, kept.server.take_learnt())

    def _make_room(self, newest: ServerKey) -> None:
        sizes = {key: kept.server.memory_bytes() for key, kept in self._servers.items()}
        for key in list(self._servers):
            is_full = sum(sizes.values()) > _MEMORY_BYTES or len(sizes) > _SERVERS
            if key != newest and is_full and not self._servers[key].server.has_kernels:
                self._drop(key)
                del sizes[key]

    def _drop(self, key: ServerKey) -> None:
        self._learn(key)
        self._servers.pop(key).server.close()


class _Kept:
    """A server, and the packages that were installed when it began."""

    def __init__(self, server: ForkServer) -> None:
        self.server = server
        self._fingerprint = ""

    def is_current(self) -> bool:
        """Tell whether the same packages are installed still."""
        roots = self.server.learnt.roots
        if not roots:
            return True
        found = fingerprint(roots)
        self._fingerprint = self._fingerprint or found
        return found == self._fingerprint


def key_of(start: KernelStart) -> ServerKey:
    """Return what a kernel's server must have been started with."""
    variables = {
        name: value
        for name, value in start.environ.items()
        if name in _NAMES or name.startswith(_PREFIXES)
    }
    return ServerKey(
        command=start.argv[: start.argv.index("-m")],
        variables=tuple(sorted(variables.items())),
        is_bare=start.is_bare,
    )


def fingerprint(folders: tuple[str, ...]) -> str:
    """Return a digest over the names of the distributions in folders of packages."""
    names = []
    for folder in sorted(folders):
        try:
            entries = [path.name for path in Path(folder).iterdir()]
        except OSError:
            continue
        wanted = (".dist-info", ".egg-info", ".pth", ".egg-link")
        names += [f"{folder}/{name}" for name in entries if name.endswith(wanted)]
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()


def _unfit(start: KernelStart) -> str:
    """Say why a kernel must be a fresh one; "" where it need not."""
    if start.is_fresh:
        return "a fresh kernel was asked for"
    if sys.platform != "linux":
        return "warm kernels need Linux"
    if "-m" not in start.argv[:-1]:
        return "its command starts no module"
    options = start.argv[1 : start.argv.index("-m")]
    if start.argv[start.argv.index("-m") + 1] not in {
        "ipykernel_launcher",
        "ipykernel",
    }:
        return "it is not ipykernel"
    if any(not option.startswith("-X") for option in options):
        return f"its interpreter is given {' '.join(options)}"
    return ""


def _own_variables() -> dict[str, str]:
    """Return this process's variables, but for those that a kernel's key decides."""
    return {
        name: value
        for name, value in os.environ.items()
        if not (name in _NAMES or name.startswith(_PREFIXES))
    }
