"""Execute notebooks through a kernel and directly, with the client that jobs use."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import nbformat

from nbship.adapters.kernels.client import NbshipClient
from nbship.adapters.kernels.saving import SparingManager
from nbship.adapters.kernels.terms import Terms

if TYPE_CHECKING:
    from pathlib import Path

    from nbship.adapters.kernels.processes import Launcher

#: what no two kernels agree in
_ADDRESS = re.compile(
    r"0x[0-9a-f]{6,}|ipykernel_\d+|\b\d+(\.\d+)?(e[+-]\d+)? ?(ns|[^ ]s|s)\b"
)


@dataclass
class Silent:
    """A listener that keeps how the kernel was started."""

    remark: str = ""
    events: list[Any] = field(default_factory=list)

    def kernel_ready(self, client):
        self.remark = client.kernel_remark

    def cell_started(self, cell):
        pass

    def output(self, data):
        self.events.append(data)

    def cell_ended(self, cell, **_told):
        pass

    def cells_done(self, client):
        pass

    def __getattr__(self, name):
        return lambda *_args, **_options: None


def execute(
    launcher: Launcher,
    sources: list[str],
    *,
    cwd: Path,
    is_direct: bool = False,
    **options: Any,
) -> tuple[list[dict], str]:
    """Return the cells' outputs and counts, and how the kernel was started."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    for cell in cells:
        if "# raises" in cell.source:
            cell.metadata["tags"] = ["raises-exception"]
    nb = nbformat.v4.new_notebook(cells=cells)
    nb.metadata["papermill"] = {}
    manager = SparingManager(nb, target=None, progress_bar=False)
    manager.notebook_start()
    listener = Silent()
    client = NbshipClient(
        manager,
        listener=listener,
        terms=Terms(launcher=launcher, is_direct=is_direct),
        kernel_name="python3",
        **{"timeout": 120, **options},
    )
    client.execute(env=kernel_environ(), cwd=str(cwd))
    told = [
        {"outputs": _plain(c.outputs), "execution_count": c.execution_count}
        for c in manager.nb.cells
    ]
    return told, listener.remark


def kernel_environ() -> dict[str, str]:
    """Return this environment without what ipykernel behaves otherwise for."""
    return {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}


def _plain(value: Any) -> Any:
    """Replace addresses, process ids and durations."""
    if isinstance(value, str):
        return _ADDRESS.sub("…", value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
