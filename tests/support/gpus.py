"""A machine with GPUs: a stand-in for the driver's library, and a file that tells what it sees."""

from __future__ import annotations

import functools
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from support.tools import need_tool

_SOURCE = Path(__file__).parent / "nvml" / "nvml.c"
_NAME = "libnvidia-ml.so.1"


@dataclass(frozen=True)
class Machine:
    """What the stand-in's processes need."""

    #: the file that describes the GPUs; see ``nvml/nvml.c``
    devices: Path
    environ: dict[str, str]

    def has(self, *lines: str) -> None:
        """Rewrite the file at once: its readers see the old or the new GPUs."""
        draft = self.devices.with_suffix(".draft")
        draft.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        draft.replace(self.devices)


def machine(folder: Path, *lines: str) -> Machine:
    """Make a machine with these GPUs; its locks lie in the folder too."""
    devices = folder / "gpus.txt"
    made = Machine(
        devices=devices,
        environ={
            "LD_LIBRARY_PATH": str(_library_folder()),
            "STAND_IN_GPUS": str(devices),
            "MLOPS_GPU_LOCKS": str(folder / "gpu-locks"),
        },
    )
    made.has(*lines)
    return made


@functools.cache
def _library_folder() -> Path:
    compiler = need_tool("cc", "gcc", "clang")
    folder = Path(tempfile.mkdtemp(prefix="stand-in-nvml-"))
    flags = ("-shared", "-fPIC", "-O1", "-Wall", "-Werror")
    library = str(folder / _NAME)
    subprocess.run([compiler, *flags, str(_SOURCE), "-o", library], check=True)
    return folder


def outside(made: Machine, **more: str) -> dict[str, str]:
    """Return the environment of a process on that machine."""
    kept = {k: v for k, v in os.environ.items() if k != "CUDA_VISIBLE_DEVICES"}
    return {**kept, **made.environ, **more}
