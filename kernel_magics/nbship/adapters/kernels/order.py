"""What a job tells the engine through papermill."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nbship.adapters.kernels.processes import Launcher
    from nbship.capture.redaction import Redactor
    from nbship.records.environment import Accelerator

#: the engine option that carries it
OPTION = "nbship_order"


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineOrder:
    """The job that the engine works for; without one it records a run of its own."""

    store: Path
    project: Path
    job_id: str
    run_id: str
    experiment: str
    #: the notebook's path as the user knows it
    notebook: Path
    #: where the executed notebook goes
    output: Path
    values: Mapping[str, Any] = field(default_factory=dict)
    roots: tuple[str, ...] = ()
    #: where roots are captured to
    roots_folder: Path
    #: seconds that all cells together may take; 0 is no limit
    timeout_s: float = 0.0
    #: variables of the kernel's environment: determinism, GPUs; never recorded here
    environ: Mapping[str, str] = field(default_factory=dict)
    #: resolved secrets by their variable: in the kernel's environment, and nowhere else
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: takes them out of what is recorded; None where there are none
    redactor: Redactor | None = None
    #: Python that the kernel runs silently before the first cell; "" for none
    beginning: str = ""
    #: descriptors that the kernel keeps open: the attempt's lock, GPU leases
    held_fds: tuple[int, ...] = ()
    #: GPUs that were leased for the kernel
    gpus: tuple[Accelerator, ...] = ()
    #: memory that the kernel may use; 0 is no limit
    memory_limit_bytes: int = 0
    #: True where others mirror the run, and close it where this process dies
    is_mirrored: bool = False
    #: True forbids a forked kernel
    is_fresh: bool = False
    #: True asks for a process without the kernel's protocol
    is_direct: bool = False
    #: the sweep whose jobs may share cells, and the ids of these; "" and none for no sweep
    sweep_id: str = ""
    shared_cells: tuple[str, ...] = ()
    #: starts the kernel; None starts a fresh one
    launcher: Launcher | None = None
