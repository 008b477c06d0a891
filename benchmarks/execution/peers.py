"""How each executor runs a folder of notebooks, one after the other or two at a time.

Every function takes the notebooks, a folder for what they become, and the number of workers,
and returns when all have run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BIN = Path(sys.executable).parent

_PAPERMILL_API = """
import sys, papermill
for word in sys.argv[2:]:
    papermill.execute_notebook(word, sys.argv[1] + "/" + word.rpartition("/")[2], progress_bar=False)
"""
_NBCLIENT = """
import sys, nbformat
from nbclient import NotebookClient
for word in sys.argv[2:]:
    notebook = nbformat.read(word, as_version=4)
    NotebookClient(notebook, kernel_name="python3").execute()
    nbformat.write(notebook, sys.argv[1] + "/" + word.rpartition("/")[2])
"""
_FLOOR = """
import contextlib, io, json, sys, time
sources = ["".join(c["source"]) for c in json.load(open(sys.argv[1]))["cells"]]
codes = [compile(source, "cell", "exec") for source in sources]
import matplotlib
matplotlib.use("agg")
def run():
    space = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        for code in codes:
            exec(code, space)
run()
begun = time.perf_counter()
for _ in range(int(sys.argv[2])):
    run()
print((time.perf_counter() - begun) / int(sys.argv[2]))
"""


def papermill_command(notebooks: list[Path], out: Path, workers: int) -> None:
    """``papermill IN OUT``, one process a notebook."""

    def run(path: Path) -> None:
        words = [str(BIN / "papermill"), str(path), str(out / path.name)]
        _run([*words, "--no-progress-bar"])

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(run, notebooks))


def papermill_api(notebooks: list[Path], out: Path, workers: int) -> None:
    """``papermill.execute_notebook`` in a loop; one process a worker."""
    _script(_PAPERMILL_API, notebooks, out, workers)


def nbclient(notebooks: list[Path], out: Path, workers: int) -> None:
    """``NotebookClient.execute`` in a loop; one process a worker."""
    _script(_NBCLIENT, notebooks, out, workers)


def nbmake(notebooks: list[Path], _out: Path, workers: int) -> None:
    """``pytest --nbmake``, one process; with xdist where there are two workers."""
    options = ["-n", str(workers)] if workers > 1 else ["-p", "no:xdist"]
    words = [sys.executable, "-m", "pytest", "-q", "--nbmake", "-p", "no:cacheprovider"]
    _run([*words, *options, *map(str, notebooks)], cwd=notebooks[0].parent)


def floor_s(notebook: Path, rounds: int) -> float:
    """Seconds that the same code takes in one Python process that has imported everything."""
    done = _run([sys.executable, "-c", _FLOOR, str(notebook), str(rounds)])
    return float(done.stdout.split()[-1])


def _script(code: str, notebooks: list[Path], out: Path, workers: int) -> None:
    parts = [notebooks[start::workers] for start in range(workers)]

    def run(part: list[Path]) -> None:
        _run([sys.executable, "-c", code, str(out), *map(str, part)])

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(run, [part for part in parts if part]))


def _run(words: list[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        words, cwd=cwd, env=environ(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(words[:4])}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done


def environ() -> dict[str, str]:
    """The environment of every executor: no progress lines, no telemetry."""
    return {
        **os.environ,
        "PYTHONWARNINGS": "ignore",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "WANDB_ERROR_REPORTING": "false",
        "WANDB_MODE": "offline",
    }
