"""CPU seconds that saving takes while 100 cells of 200 kB are executed: ``saving.py ENGINE``."""

from __future__ import annotations

import sys
import tempfile
import time
from functools import wraps
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from execution.notebooks import CASES, write_notebooks

CASES["100 cells x 200 kB"] = CASES["200 cells x 200 kB"][:100]
SPENT = [0.0]
DEPTH = [0]


def timed(function):
    """Add the CPU of a call to what was spent; of calls within, only once."""

    @wraps(function)
    def wrapped(*args, **kwargs):
        if DEPTH[0]:
            return function(*args, **kwargs)
        DEPTH[0] += 1
        begun = time.thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            SPENT[0] += time.thread_time() - begun
            DEPTH[0] -= 1

    return wrapped


def main() -> None:
    """Execute and print."""
    import papermill
    from papermill import engines, execute

    engine = sys.argv[1]
    manager = engines.NotebookExecutionManager
    if engine == "nbship":
        from nbship.adapters.kernels import saving

        manager = saving.SparingManager
    for name in ("save", "save_now", "autosave_cell"):
        if hasattr(manager, name):
            setattr(manager, name, timed(getattr(manager, name)))
    execute.write_ipynb = timed(execute.write_ipynb)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        (Path(name) / "mlops.toml").touch()
        (path,) = write_notebooks(Path(name), "100 cells x 200 kB", 1, salt="s")
        papermill.execute_notebook(
            str(path),
            f"{name}/out.ipynb",
            progress_bar=False,
            engine_name=None if engine == "papermill" else engine,
        )
    print(SPENT[0])


if __name__ == "__main__":
    main()
