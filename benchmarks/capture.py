"""What capture costs inside the kernel: loading, per cell, per metric; beside MLflow and W&B.

Run it with ``python benchmarks/capture.py``. It prints a table and writes nothing outside a
temporary folder. Times depend on the machine, the ratios hardly do.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LOADS = 5
CELLS = 300
METRICS = 2000
SLOW_METRICS = 100

LOAD = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
begun = time.process_time()
shell.run_line_magic("load_ext", "nbship")
print((time.process_time() - begun) * 1000)
"""

CELL = f"""
import sys, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
if sys.argv[1] != "bare":
    shell.run_line_magic("load_ext", "nbship")
if sys.argv[1] == "recorded":
    shell.run_line_magic("mlops", "start bench")
times = []
for number in range({CELLS}):
    begun = time.perf_counter()
    shell.run_cell("x = 1", store_history=True)
    times.append(time.perf_counter() - begun)
print(sorted(times)[len(times) // 2] * 1e6)
"""

METRIC = f"""
import time, nbship
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "nbship")
shell.run_line_magic("mlops", "start bench")
times = []
for step in range({METRICS}):
    begun = time.perf_counter()
    nbship.log(loss=0.5, step=step)
    times.append(time.perf_counter() - begun)
print(sorted(times)[len(times) // 2] * 1e6)
"""

MLFLOW = f"""
import time, mlflow, os
mlflow.set_tracking_uri("sqlite:///" + os.path.join(os.getcwd(), "peer.db"))
mlflow.set_experiment("bench")
times = []
with mlflow.start_run():
    for step in range({SLOW_METRICS}):
        begun = time.perf_counter()
        mlflow.log_metric("loss", 0.5, step=step)
        times.append(time.perf_counter() - begun)
print(sorted(times)[len(times) // 2] * 1e6)
"""

WANDB = f"""
import time, wandb
run = wandb.init(project="bench", mode="offline", settings=wandb.Settings(silent=True))
times = []
for step in range({SLOW_METRICS}):
    begun = time.perf_counter()
    run.log({{"loss": 0.5}}, step=step)
    times.append(time.perf_counter() - begun)
run.finish()
print(sorted(times)[len(times) // 2] * 1e6)
"""


def measured(script: str, *words: str) -> float:
    """Run a script in a process and a folder of its own and read the number it prints last."""
    environ = {
        **os.environ,
        "MLOPS_TRACKERS": "",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "WANDB_ERROR_REPORTING": "false",
    }
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder, ".mlops").mkdir()
        environ["WANDB_DATA_DIR"] = environ["WANDB_CACHE_DIR"] = folder
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script, *words],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure and print."""
    begun = time.monotonic()
    load_ms = statistics.median(measured(LOAD) for _ in range(LOADS))
    bare = measured(CELL, "bare")
    loaded = measured(CELL, "loaded")
    recorded = measured(CELL, "recorded")
    metric = measured(METRIC)
    rows = [
        ("%load_ext nbship, CPU", f"{load_ms:.1f} ms", "limit 20 ms"),
        ("cell, plain IPython", f"{bare:.0f} us", "1x"),
        ("cell, extension loaded", f"{loaded:.0f} us", f"{loaded / bare:.2f}x"),
        ("cell, recorded in a run", f"{recorded:.0f} us", f"{recorded / bare:.2f}x"),
        ("nbship.log of one metric", f"{metric:.0f} us", "1x"),
    ]
    for name, script in (("wandb offline log", WANDB), ("mlflow log_metric", MLFLOW)):
        cost = measured(script)
        rows.append(
            (f"{name} of one metric", f"{cost:.0f} us", f"{cost / metric:.0f}x")
        )
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for what, cost, ratio in rows:
        print(f"{what:<{widths[0]}}  {cost:>{widths[1]}}  {ratio:>{widths[2]}}")
    print(f"medians; measured in {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
