"""The lie detector: real failures, who executes, and what the executed notebook says of them.

Each failure happens under stock papermill, under ``papermill --engine nbship`` and in a job.
What is left behind is read by a stranger: exit code, notebook, and for jobs the outcome.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

from nbship.records.cause import CauseKind
from support.attempts import planned_attempt
from support.memory import limited_memory
from support.notebook_files import write_notebook
from support.tools import need_namespaces

if TYPE_CHECKING:
    from collections.abc import Callable

STOCK, ENGINE, JOB = "papermill", "--engine nbship", "job"
_READY = "import pathlib, os; pathlib.Path('ready').write_text(str(os.getpid()))"
#: a cell that says something, then that it is there, then waits to be struck
_WAITING = f"print('in it', flush=True)\n{_READY}\nimport time; time.sleep(600)"
_TIMEOUT_S = 240


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One way not to come to the end."""

    name: str
    #: source of the second of three cells
    source: str
    #: the exit code of papermill, and of ``mlops exec``
    exit_code: int = 1
    job_exit_code: int = 1
    kind: CauseKind | None
    #: what the cause must name
    named: str = ""
    tags: tuple[str, ...] = ()
    #: words added to papermill's command, and variables of the job's settings
    words: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    #: strikes once the cell waits
    strike: Callable[[subprocess.Popen[bytes], int], None] | None = None
    #: MiB of the cgroup that it runs in
    memory_mib: int = 0
    #: what lies on a file system of 1.5 MB: ``output`` or ``store``
    full: str = ""
    #: False where the notebook comes to its end all the same
    is_failure: bool = True
    #: True where the cells behind it are executed
    goes_on: bool = False
    #: who has no such failure
    absent: tuple[str, ...] = ()


def _kill_kernel(_process: subprocess.Popen[bytes], kernel: int) -> None:
    os.kill(kernel, signal.SIGKILL)


def _interrupt(process: subprocess.Popen[bytes], _kernel: int) -> None:
    os.killpg(process.pid, signal.SIGINT)


def _terminate(process: subprocess.Popen[bytes], _kernel: int) -> None:
    os.killpg(process.pid, signal.SIGTERM)


FAILURES = (
    Failure(
        name="kernel killed (kill -9)",
        source=_WAITING,
        strike=_kill_kernel,
        exit_code=138,
        kind=CauseKind.KERNEL_KILLED,
        named="SIGKILL",
    ),
    Failure(
        name="out of memory (cgroup)",
        source="print('in it', flush=True)\nheld = [b'x' * (1 << 26) for _ in range(64)]",
        memory_mib=700,
        exit_code=138,
        kind=CauseKind.OUT_OF_MEMORY,
        named="memory ran out",
    ),
    Failure(
        name="MemoryError",
        source="print('in it')\nbytearray(1 << 60)",
        kind=CauseKind.OUT_OF_MEMORY,
        named="MemoryError",
    ),
    Failure(
        name="GPU out of memory, as PyTorch says it",
        source=(
            "print('in it')\nclass OutOfMemoryError(RuntimeError): pass\n"
            "raise OutOfMemoryError('CUDA out of memory. Tried to allocate 20.00 GiB')"
        ),
        kind=CauseKind.GPU_OUT_OF_MEMORY,
        named="CUDA out of memory",
    ),
    Failure(
        name="segmentation fault",
        source="print('in it', flush=True)\nimport ctypes, time; time.sleep(1); ctypes.string_at(0)",
        exit_code=138,
        kind=CauseKind.KERNEL_KILLED,
        named="SIGSEGV",
    ),
    Failure(
        name="kernel ends itself (os._exit)",
        source="print('in it', flush=True)\nimport os, time; time.sleep(1); os._exit(5)",
        exit_code=138,
        kind=CauseKind.KERNEL_EXITED,
        named="exit code 5",
    ),
    Failure(
        name="cell timeout",
        source=_WAITING,
        words=("--execution-timeout", "3"),
        settings={"MLOPS_JOB_CELL_TIMEOUT_S": "3"},
        kind=CauseKind.CELL_TIMEOUT,
        named="limit of 3 s",
    ),
    Failure(
        name="job timeout",
        source=_WAITING,
        settings={"MLOPS_JOB_TIMEOUT_S": "3"},
        kind=CauseKind.JOB_TIMEOUT,
        named="limit of 3 s",
        absent=(STOCK, ENGINE),
    ),
    Failure(
        name="SIGINT to the group",
        source=_WAITING,
        strike=_interrupt,
        kind=CauseKind.INTERRUPTED,
        named="SIGINT",
    ),
    Failure(
        name="SIGTERM to the group",
        source=_WAITING,
        strike=_terminate,
        exit_code=143,
        kind=CauseKind.TERMINATED,
        named="SIGTERM",
    ),
    Failure(
        name="sys.exit(0)",
        source="print('in it')\nimport sys; sys.exit(0)",
        exit_code=0,
        job_exit_code=0,
        kind=None,
        is_failure=False,
    ),
    Failure(
        name="sys.exit(3)",
        source="print('in it')\nimport sys; sys.exit(3)",
        kind=CauseKind.EXIT,
        named="SystemExit",
    ),
    Failure(
        name="an allowed exception (raises-exception)",
        source="print('in it')\n1 / 0",
        tags=("raises-exception",),
        job_exit_code=0,
        kind=None,
        is_failure=False,
        goes_on=True,
    ),
    Failure(
        name="disk full: output",
        source="print('in it')\nprint('x' * 3_000_000)",
        full="output",
        kind=CauseKind.DISK_FULL,
        named="No space left",
        absent=(JOB,),
    ),
    Failure(
        name="disk full: store",
        source="print('in it')\nprint('x' * 3_000_000)",
        full="store",
        kind=CauseKind.DISK_FULL,
        named="No space left",
        absent=(STOCK, ENGINE),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Remains:
    """What an execution left behind."""

    exit_code: int
    #: None where the file is no whole notebook
    notebook: Any
    #: of a job; None for papermill, or where there is none
    outcome: Any = None
    said: str = ""


def run(failure: Failure, executor: str, folder: Path) -> Remains:
    """Let a failure happen in a folder of its own."""
    folder.mkdir(parents=True)
    (folder / "mlops.toml").write_text("trackers = []\n")
    write_notebook(
        folder / "in.ipynb",
        "print('before')",
        failure.source,
        "print('after')",
        tags={2: list(failure.tags)},
    )
    environ = {**os.environ, **failure.settings}
    command = [sys.executable, "-m", "papermill", "in.ipynb", "out.ipynb"]
    output = folder / "out.ipynb"
    if executor == JOB:
        attempt = planned_attempt(folder, timeout_s=_job_limit_s(failure))
        command = [sys.executable, "-m", "nbship.faces.cli", "exec", str(attempt)]
        output = attempt / "output.ipynb"
    else:
        command += failure.words
        command += ["--engine", "nbship"] if executor == ENGINE else []
    if failure.full:
        command, output = _on_small_disk(failure, executor, folder, command)
    code, said = _executed(command, folder, environ, failure)
    outcome = output.parent / "outcome.json"
    return Remains(
        exit_code=code,
        notebook=_read(output),
        outcome=json.loads(outcome.read_text()) if outcome.is_file() else None,
        said=said,
    )


def _job_limit_s(failure: Failure) -> float:
    return float(failure.settings.get("MLOPS_JOB_TIMEOUT_S", 0))


def _executed(
    command: list[str], folder: Path, environ: dict[str, str], failure: Failure
) -> tuple[int, str]:
    with ExitStack() as stack:
        log = stack.enter_context((folder / "said.txt").open("wb"))
        cgroup = None
        if failure.memory_mib:
            cgroup = stack.enter_context(limited_memory(failure.memory_mib))
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: _enter(cgroup),  # noqa: PLW1509  # no thread runs here
        )
        try:
            if failure.strike is not None:
                failure.strike(process, _kernel_in(folder, process))
            code = process.wait(_TIMEOUT_S)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    # a shell's word for an end by signal
    code = 128 - code if code < 0 else code
    return code, (folder / "said.txt").read_text("utf-8", "replace")


def _enter(cgroup: Path | None) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if cgroup is not None:
        (cgroup / "cgroup.procs").write_text(str(os.getpid()))


def _kernel_in(folder: Path, process: subprocess.Popen[bytes]) -> int:
    """Wait until the cell waits; return the kernel's process."""
    end_s = time.monotonic() + _TIMEOUT_S
    ready = folder / "ready"
    while not (ready.is_file() and ready.read_text()):
        assert process.poll() is None, (folder / "said.txt").read_text()
        assert time.monotonic() < end_s, "the cell did not begin"
        time.sleep(0.05)
    return int(ready.read_text())


def _on_small_disk(
    failure: Failure, executor: str, folder: Path, command: list[str]
) -> tuple[list[str], Path]:
    """Put the output, or the whole store, on a file system of 1.5 MB, kept for the reader."""
    need_namespaces()
    small = folder / ("small" if executor != JOB else ".mlops")
    kept = folder / "kept"
    if executor == JOB:
        output = kept / Path(command[-1]).relative_to(small) / "output.ipynb"
    else:
        command = ["small/out.ipynb" if w == "out.ipynb" else w for w in command]
        output = kept / "out.ipynb"
    script = (
        f"cp -a {small} {folder}/was && mount -t tmpfs -o size=1536k none {small}"
        f" && cp -a {folder}/was/. {small}/ && {shlex.join(command)}; code=$?;"
        f" cp -a {small} {kept}; exit $code"
    )
    small.mkdir(exist_ok=True)
    return ["unshare", "-rm", "sh", "-c", script], output


def _read(path: Path) -> Any:
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except (OSError, ValueError, nbformat.ValidationError):
        return None
    return notebook


def untruths(failure: Failure, executor: str, remains: Remains) -> list[str]:
    """List what is wrong about what an execution left behind; empty where all is right."""
    wanted = failure.job_exit_code if executor == JOB else failure.exit_code
    wrong = []
    if remains.exit_code != wanted:
        wrong.append(f"exit code {remains.exit_code}, not {wanted}")
    if executor == JOB:
        wrong += _of_outcome(failure, remains.outcome)
    if remains.notebook is None:
        return [*wrong, "half a file"]
    return [*wrong, *_of_notebook(failure, remains.notebook)]


def _of_outcome(failure: Failure, outcome: Any) -> list[str]:
    if outcome is None:
        return ["no outcome"]
    kind = (outcome["why"] or {}).get("kind")
    wrong = []
    if kind != failure.kind:
        wrong.append(f"the outcome's cause is {kind}")
    if failure.is_failure == (outcome["status"] == "succeeded"):
        wrong.append(f"the outcome is {outcome['status']}")
    if failure.is_failure and outcome["cell_id"] != "c2":
        wrong.append(f"the outcome blames cell {outcome['cell_id']}")
    return wrong


def _of_notebook(failure: Failure, notebook: Any) -> list[str]:
    cells = {cell.id: cell for cell in notebook.cells if cell.cell_type == "code"}
    told = {name: cell.metadata.papermill for name, cell in cells.items()}
    wrong = []
    if told["c1"].status != "completed" or "before" not in str(cells["c1"].outputs):
        wrong.append("the first cell is not completed")
    if "in it" not in str(cells["c2"].outputs) and not failure.full:
        wrong.append("outputs lost")
    should = "failed" if failure.is_failure else "completed"
    if told["c2"].status != should:
        wrong.append(f"cell {told['c2'].status}")
    if bool(told["c2"].exception) != failure.is_failure:
        wrong.append(f"its exception {told['c2'].exception}")
    after = "completed" if failure.goes_on else "pending"
    if told["c3"].status != after:
        wrong.append(f"cell behind it {told['c3'].status}")
    if bool(notebook.metadata.papermill.exception) != failure.is_failure:
        wrong.append(
            f"the notebook's exception {notebook.metadata.papermill.exception}"
        )
    if failure.is_failure:
        wrong += _of_cause(failure, notebook)
    return wrong


def _of_cause(failure: Failure, notebook: Any) -> list[str]:
    marks = [
        cell.source
        for cell in notebook.cells
        if "papermill-error-cell-tag" in cell.metadata.get("tags", ())
    ]
    outputs = [
        str(output)
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "error"
    ]
    wrong = [] if marks else ["no banner"]
    if failure.named not in "\n".join(marks + outputs):
        wrong.append("no cause")
    return wrong


def table(found: dict[tuple[str, str], list[str]]) -> str:
    """Write the findings as a table in Markdown."""
    lines = [
        f"| failure | {STOCK} | {ENGINE} | {JOB} |",
        "|---|---|---|---|",
    ]
    for failure in FAILURES:
        words = [
            "no such thing"
            if executor in failure.absent
            else "; ".join(found.get((failure.name, executor), ["not run"])) or "right"
            for executor in (STOCK, ENGINE, JOB)
        ]
        lines.append(f"| {failure.name} | {' | '.join(words)} |")
    return "\n".join(lines)
