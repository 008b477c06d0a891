"""From the name of a kernel to a running one: its specification, its command, its start."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from nbship.adapters.kernels.addresses import make_addresses
from nbship.adapters.kernels.conversation import Conversation
from nbship.adapters.kernels.processes import ForkRefusedError, KernelStart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbship.adapters.kernels.addresses import Addresses
    from nbship.adapters.kernels.processes import Launcher

_NATIVE = "python3"
_LOCAL = "local-provisioner"
_FIELD = re.compile(r"\{([A-Za-z0-9_]+)\}")
_PYTHON = re.compile(r"(python|pypy)[0-9.]*(\.exe)?")
#: histories of jobs are nobody's, and the file would be shared by all of them
_HISTORY = "--HistoryManager.hist_file=:memory:"
#: a pause after each cell that hides lost outputs; we wait for the kernel's word instead
_NO_PAUSE = "--Kernel._execute_sleep=0"


@dataclass(frozen=True, kw_only=True, slots=True)
class Demand:
    """What a kernel is started for."""

    kernel_name: str
    #: the environment before the specification's own variables
    environ: Mapping[str, str]
    cwd: Path
    #: added to the kernel's command
    arguments: tuple[str, ...] = ()
    held_fds: tuple[int, ...] = ()
    is_fresh: bool = False
    #: what the notebook imports, so far as its text tells
    imports: tuple[str, ...] = ()
    #: True forbids to import it ahead
    is_bare: bool = False
    #: True asks for a process without the kernel's protocol
    is_direct: bool = False


def start_kernel(demand: Demand, launcher: Launcher) -> Conversation:
    """Start a kernel; it need not answer yet.

    Raises
    ------
    NoSuchKernel
        If it is not installed; jupyter_client's own error.
    KernelError
        If it cannot be started.
    """
    spec = read_spec(demand.kernel_name)
    is_ours = _is_ipykernel(spec.argv)
    addresses = make_addresses(demand.kernel_name, are_files=is_ours)
    try:
        argv = _command(spec, demand, addresses, is_ours=is_ours)
        start = KernelStart(
            argv=argv,
            connection_file=addresses.file,
            environ=_environ(spec, demand.environ),
            cwd=demand.cwd,
            held_fds=demand.held_fds,
            is_fresh=demand.is_fresh,
            imports=demand.imports,
            is_bare=demand.is_bare,
        )
        if demand.is_direct and is_ours:
            with suppress(ForkRefusedError):
                talk = launcher.converse(start)
                addresses.remove()
                return talk
        process = launcher.launch(start)
    except BaseException:
        addresses.remove()
        raise
    return Conversation(addresses, process, interrupt_mode=spec.interrupt_mode)


def read_spec(name: str) -> Any:  # noqa: ANN401  # a KernelSpec
    """Read a kernel's specification where Jupyter finds it.

    jupyter_client imports all of IPython to look for one; that is left to the rare cases.

    Raises
    ------
    NoSuchKernel
        If it is not installed; jupyter_client's own error.
    """
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_core.paths import jupyter_path

    name = _NATIVE if name in {"", "python"} else name
    for folder in map(Path, jupyter_path("kernels")):
        places = folder.iterdir() if folder.is_dir() else ()
        for place in places:
            is_it = place.name.lower() == name.lower()
            if is_it and (place / "kernel.json").is_file():
                return KernelSpec.from_resource_dir(str(place))
    return KernelSpecManager().get_kernel_spec(name)


def is_local(spec: Any) -> bool:  # noqa: ANN401
    """Tell whether a kernel is a plain process of this machine, started by its command."""
    told = spec.metadata.get("kernel_provisioner") or {}
    return bool(told.get("provisioner_name", _LOCAL) == _LOCAL)


def _is_ipykernel(argv: Sequence[str]) -> bool:
    """Tell whether the command is a Python that runs ipykernel here, in no container."""
    program = argv[0].replace("\\", "/").rpartition("/")[2] if argv else ""
    modules = {"ipykernel", "ipykernel_launcher"}
    return bool(_PYTHON.fullmatch(program)) and not modules.isdisjoint(argv[1:])


def _command(
    spec: Any,  # noqa: ANN401
    demand: Demand,
    addresses: Addresses,
    *,
    is_ours: bool,
) -> tuple[str, ...]:
    argv = [*spec.argv, *demand.arguments]
    if is_ours and not any(a.startswith("--HistoryManager.hist_file") for a in argv):
        argv.append(_HISTORY)
    if is_ours:
        argv.append(_NO_PAUSE)
    version = sys.version_info
    if argv[0] in {"python", f"python{version[0]}", f"python{version[0]}.{version[1]}"}:
        argv[0] = sys.executable
    known = {
        "connection_file": str(addresses.file),
        "prefix": sys.prefix,
        "resource_dir": spec.resource_dir,
    }
    filled = (_FIELD.sub(lambda m: known.get(m[1], m[0]), word) for word in argv)
    return tuple(
        str(Path(word).expanduser()) if word.startswith("~") else word
        for word in filled
    )


def _environ(spec: Any, environ: Mapping[str, str]) -> dict[str, str]:  # noqa: ANN401
    filled = {k: Template(v).safe_substitute(environ) for k, v in spec.env.items()}
    whole = {**environ, **filled}
    if spec.language.lower().startswith("python"):
        whole.pop("PYTHONEXECUTABLE", None)
    return whole
