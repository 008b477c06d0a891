"""An exported package, laid out as an installer does and called as ``python -m`` calls it."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from nbship.adapters.bundles.wheel import WheelBuilder, read_wheel
from nbship.workflow.bundle_files import read_capture

if TYPE_CHECKING:
    from pathlib import Path


class Package:
    """An installed package of this process.

    Parameters
    ----------
    folder
        Where wheel and files go.
    name
        Import name; one that no other test uses.
    capture
        Folder of a captured root.
    """

    def __init__(self, folder: Path, name: str, capture: Path) -> None:
        record = read_capture(capture)
        origin = {"name": name, "package": name, "version": "1.0.0", "job": "job-1"}
        wheel = WheelBuilder().build(record, capture, into=folder, origin=origin)
        self.name = name
        self.folder = folder / "site" / name
        for path, content in read_wheel(wheel).items():
            target = folder / "site" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        sys.path.insert(0, str(folder / "site"))
        try:
            self.module = importlib.import_module(name)
            self.main = importlib.import_module(f"{name}.__main__").main
        finally:
            sys.path.remove(str(folder / "site"))

    def part(self, name: str) -> Any:
        """Return one of its modules, such as ``inputs._inputs``."""
        return importlib.import_module(f"{self.name}.{name}")
