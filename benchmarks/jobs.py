"""Jobs beside papermill, nbclient and nbmake: seconds per notebook, and the CPU that saving takes.

``python benchmarks/jobs.py [--notebooks 50] [--peers 5] [--rounds 5] [--json FILE]``

Every executor runs notebooks of the same kind, in rounds, one executor after the other, so that
what else the machine does meets all of them. nbship runs ``--notebooks`` of them through
``mlops submit``, with a new user's settings (capture, record, lock, mirrors), behind a first job
that starts supervisor, worker and fork server and is reported apart. The peers run ``--peers``
of them: their cost per notebook does not depend on the number. nbship's outputs must equal
papermill's.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from execution import peers
from execution.notebooks import outputs_of, write_notebooks

if TYPE_CHECKING:
    from collections.abc import Callable

NBSHIP = "nbship"
DIRECT = "nbship --direct"
PAPERMILL = "papermill command"
FIRST = "nbship, first job"
#: case -> executors that run it beside nbship
KINDS: dict[str, tuple[str, ...]] = {
    "trivial": (PAPERMILL, "papermill API", "nbclient", "nbmake"),
    "fit": (PAPERMILL, "papermill API", "nbclient", "nbmake"),
    "torch": (PAPERMILL, "papermill API", "nbclient", "nbmake"),
    "200 cells": (PAPERMILL, "papermill API", "nbclient"),
    "200 cells x 200 kB": (PAPERMILL, "nbclient"),
}
#: notebooks of these are many times longer: so many of them a round and worker; of peers one
LONG = {"200 cells": 10, "200 cells x 200 kB": 2}
PEERS: dict[str, Callable[[list[Path], Path, int], None]] = {
    PAPERMILL: peers.papermill_command,
    "papermill API": peers.papermill_api,
    "nbclient": peers.nbclient,
    "nbmake": peers.nbmake,
}


@dataclass
class Bench:
    """A folder, what is measured in it, and the figures."""

    folder: Path
    notebooks: int
    peers: int
    seconds: dict[str, list[float]] = field(default_factory=dict)
    direct: bool = False

    def note(self, case: str, executor: str, workers: int, seconds: float) -> None:
        """Keep one figure, in seconds per notebook."""
        key = f"{case} | {executor} | {workers}"
        self.seconds.setdefault(key, []).append(seconds)
        print(f"  {key}: {seconds:.3f} s", file=sys.stderr, flush=True)


def run_round(bench: Bench, case: str, workers: int, number: int) -> None:
    """Run one case once through every executor; the one that begins changes by round."""
    order = [NBSHIP, *([DIRECT] if bench.direct else []), *KINDS[case]]
    turn = number % len(order)
    for executor in order[turn:] + order[:turn]:
        if executor in PEERS:
            run_peer(bench, case, executor, workers, number)
        else:
            run_nbship(bench, case, executor, workers, number)


def run_peer(bench: Bench, case: str, executor: str, workers: int, number: int) -> None:
    """Measure a peer."""
    count = workers if case in LONG else max(bench.peers, workers)
    with tempfile.TemporaryDirectory(dir=bench.folder) as name:
        folder, out = Path(name, "in"), Path(name, "out")
        out.mkdir()
        paths = write_notebooks(folder, case, count, salt=f"p{number}")
        begun = time.perf_counter()
        PEERS[executor](paths, out, workers)
        bench.note(case, executor, workers, (time.perf_counter() - begun) / count)


def run_nbship(
    bench: Bench, case: str, executor: str, workers: int, number: int
) -> None:
    """Measure ``mlops submit``, and the first job before it."""
    count = LONG[case] * workers if case in LONG else bench.notebooks
    options = ["--direct"] if executor == DIRECT else []
    with tempfile.TemporaryDirectory(
        dir=bench.folder, ignore_cleanup_errors=True
    ) as name:
        project = Path(name)
        (project / "mlops.toml").write_text("")
        first = write_notebooks(project, case, workers, salt="first")
        paths = write_notebooks(project, case, count, salt=f"n{number}")
        words = ["submit", *options]
        began = time.perf_counter()
        mlops(project, *words, *[path.name for path in first], workers=workers)
        ready = time.perf_counter()
        mlops(project, *words, *[path.name for path in paths], workers=workers)
        ended = time.perf_counter()
        if executor == NBSHIP:
            bench.note(case, FIRST, workers, ready - began)
        bench.note(case, executor, workers, (ended - ready) / count)
        if number == 0:
            check_outputs(project, paths[0])
        end_processes(project)


def check_outputs(project: Path, notebook: Path) -> None:
    """Stop unless a job's outputs are papermill's."""
    theirs = project / "theirs.ipynb"
    peers.papermill_command([notebook], project / "..", 1)
    (project / ".." / notebook.name).rename(theirs)
    jobs = json.loads(mlops(project, "jobs", "--json"))
    job = next(j["job"] for j in jobs if j["job"]["notebook"] == notebook.name)
    ours = next(
        (project / ".mlops" / "jobs" / job["id"]).glob("attempts/*/output.ipynb")
    )
    if outputs_of(ours) != outputs_of(theirs):
        sys.exit(
            f"{notebook.name}: the outputs differ from papermill's: {ours} {theirs}"
        )


def end_processes(project: Path) -> None:
    """End supervisor, workers and shipper of a project, as a machine that is switched off would."""
    mark = str(project.resolve()).encode()
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = place.read_bytes()
            if mark in words and b"nbship.faces" in words:
                os.kill(int(place.parent.name), signal.SIGKILL)


def mlops(project: Path, *words: str, workers: int = 1) -> str:
    """Run a verb in a project."""
    done = subprocess.run(
        [str(peers.BIN / "mlops"), *words],
        cwd=project,
        env=peers.environ() | {"MLOPS_QUEUE_WORKERS": str(workers)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(
            f"mlops {' '.join(words[:3])}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return done.stdout


def saving_cpu(rounds: int) -> dict[str, float]:
    """CPU seconds spent on saving 100 cells of 200 kB, by papermill and by nbship."""
    script = Path(__file__).parent / "execution" / "saving.py"
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for engine in ("papermill", "nbship"):
            done = subprocess.run(
                [sys.executable, str(script), engine],
                env=peers.environ() | {"MLOPS_TRACKERS": ""},
                capture_output=True,
                text=True,
                check=True,
            )
            found.setdefault(engine, []).append(float(done.stdout.split()[-1]))
    return {engine: statistics.median(values) for engine, values in found.items()}


def report(bench: Bench, floors: dict[str, float], saving: dict[str, float]) -> None:
    """Print medians as ratios to papermill's command with as many workers, and serially."""
    medians = {key: statistics.median(v) for key, v in bench.seconds.items()}
    print(f"{'case | executor | workers':<52}{'seconds':>9}{'times':>8}")
    for key, seconds in medians.items():
        case, executor, workers = key.split(" | ")
        peer = medians.get(f"{case} | {PAPERMILL} | {workers}")
        ratio = f"{peer / seconds:>7.1f}x" if peer and executor != FIRST else f"{'':>8}"
        print(f"{key:<52}{seconds:>9.3f}{ratio}")
    for case, seconds in floors.items():
        ours = medians.get(f"{case} | {NBSHIP} | 1")
        away = f", {ours / seconds:.1f} times below nbship" if ours else ""
        print(f"floor, {case}: {seconds:.4f} s in one Python process{away}")
    if saving:
        ratio = saving["papermill"] / max(saving["nbship"], 1e-9)
        print(
            f"CPU spent on saving, 100 cells x 200 kB: papermill {saving['papermill']:.2f} s,"
            f" nbship {saving['nbship']:.3f} s: {ratio:.0f}x"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notebooks", type=int, default=50)
    parser.add_argument("--peers", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--saving", type=int, default=5, help="rounds of saving")
    parser.add_argument("--cases", default=",".join(KINDS))
    parser.add_argument("--direct", action="store_true", help="measure --direct, too")
    parser.add_argument("--json", type=Path, help="write every figure there")
    given = parser.parse_args()
    cases = [case for case in given.cases.split(",") if case in KINDS]
    if importlib.util.find_spec("torch") is None and "torch" in cases:
        print("torch is not installed: its case is left out", file=sys.stderr)
        cases.remove("torch")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        bench = Bench(
            folder=Path(name),
            notebooks=given.notebooks,
            peers=given.peers,
            direct=given.direct,
        )
        for number in range(given.rounds):
            for case in cases:
                for workers in map(int, given.workers.split(",")):
                    if workers == 1 or case not in LONG:
                        run_round(bench, case, workers, number)
        floors = {
            case: peers.floor_s(
                write_notebooks(bench.folder / "floor", case, 1, salt=case)[0], 5
            )
            for case in cases
        }
        saving = saving_cpu(given.saving) if given.saving else {}
    report(bench, floors, saving)
    if given.json:
        figures = {"seconds": bench.seconds, "floors": floors, "saving_cpu": saving}
        figures["load"] = list(os.getloadavg())
        figures["arguments"] = {k: str(v) for k, v in vars(given).items()}
        given.json.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
