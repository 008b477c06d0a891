"""How a notebook is executed, beside nbclient's options."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbship.adapters.kernels.listening import Unwatched

if TYPE_CHECKING:
    from nbship.adapters.kernels.listening import Watch
    from nbship.adapters.kernels.processes import Launcher
    from nbship.capture.redaction import Redactor


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """How a notebook is executed, beside nbclient's options."""

    launcher: Launcher
    #: seconds that all cells together may take; 0 is no limit
    deadline_s: float = 0.0
    #: descriptors that the kernel keeps open
    held_fds: tuple[int, ...] = ()
    #: True forbids a forked kernel
    is_fresh: bool = False
    #: True asks for a process without the kernel's protocol where the notebook needs no more
    is_direct: bool = False
    #: looks at the kernel's process
    watch: Watch = field(default_factory=Unwatched)
    #: False where the kernel sees no GPU
    has_gpus: bool = True
    #: takes secrets out of what the kernel says
    redactor: Redactor | None = None
