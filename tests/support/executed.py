"""A notebook without a kernel: cells compiled under names of their own and executed."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from nbship.adapters.codecs.onnx_graph import onnx_graph
from nbship.adapters.codecs.registry import all_codecs
from nbship.adapters.probes.distributions import installed_here
from nbship.release.cells import ExecutedCell
from nbship.release.objects import attended
from nbship.resources import template_folder
from nbship.workflow.export_capture import LiveNotebook, capture_root
from nbship.workflow.golden_objects import keeper_of

if TYPE_CHECKING:
    from pathlib import Path

_REPLAY = """
import importlib, json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
model = importlib.import_module("shipped.model")
golden = importlib.import_module("shipped._golden")
function = getattr(model, sys.argv[2])
found = []
for line in (Path(sys.argv[1]) / "shipped" / "golden.jsonl").read_text().splitlines():
    case = json.loads(line)
    args, kwargs = golden.arguments_of(case)
    found += golden.differences_of(case, function(*args, **kwargs))
    found += golden.differences_after(case, args, kwargs)
json.dump({"differences": found, "modules": sorted(sys.modules)}, sys.stdout)
"""


_keep = keeper_of(all_codecs)


class ExecutedNotebook:
    """Executes cells one by one, as a kernel would.

    Parameters
    ----------
    *sources
        Cells to execute at once.
    roots
        Names whose calls are recorded from the cell after their definition on.
    """

    def __init__(self, *sources: str, roots: tuple[str, ...] = ("predict",)) -> None:
        self.namespace: dict = {"__name__": "__main__", "__builtins__": __builtins__}
        self.cells: dict[str, ExecutedCell] = {}
        self.roots = roots
        self._flags = 0
        for source in sources:
            self.run(source)

    def run(self, source: str) -> None:
        """Execute one cell, and put recorders around the roots after it."""
        count = len(self.cells) + 1
        name = f"<cell {id(self)}-{count}>"
        self.cells[name] = ExecutedCell(
            source=source, cell_id=f"c{count}", execution_count=count
        )
        self._origin = f"In[{count}]"
        # as IPython does: statement by statement; `from __future__` stays in force
        for statement in ast.parse(source).body:
            if getattr(statement, "module", "") == "__future__":
                self._flags |= annotations.compiler_flag
            unit = ast.Module([statement], [])
            code = compile(unit, name, "exec", self._flags, dont_inherit=True)
            exec(code, self.namespace)  # noqa: S102  # that is what a notebook is
        for root in self.roots:
            if root in self.namespace:
                value = self.namespace[root]
                self.namespace[root] = attended(value, lambda: self._origin, _keep)

    @property
    def live(self) -> LiveNotebook:
        return LiveNotebook(
            namespace=self.namespace, cells=self.cells, name="test.ipynb"
        )

    def capture(self, folder: Path, root: str = "predict"):
        """Capture a root into ``folder``."""
        return capture_root(
            root,
            live=self.live,
            codecs=all_codecs(),
            installed=installed_here,
            to_graph=onnx_graph,
            folder=folder,
        )

    def text(self, folder: Path, root: str = "predict") -> str:
        """Capture a root and return the text of its module."""
        self.capture(folder, root)
        return (folder / "module.py").read_text("utf-8")


def replay(capture: Path, folder: Path) -> dict:
    """Put a package together by hand and replay its golden cases in a fresh process."""
    package = folder / "shipped"
    shutil.copytree(capture, package)
    (package / "module.py").rename(package / "model.py")
    for path in template_folder("package").glob("_[a-z]*.py"):
        shutil.copy(path, package / path.name)
    (package / "__init__.py").write_text("")
    record = json.loads((package / "capture.json").read_text("utf-8"))
    name = "predict" if record["kind"] == "estimator" else record["name"]
    done = subprocess.run(
        [sys.executable, "-I", "-c", _REPLAY, str(folder), name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
