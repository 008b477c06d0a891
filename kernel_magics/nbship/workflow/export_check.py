"""Whether a root can be exported, said without building: for front ends that ask while one types.

The root is captured into a folder that is thrown away, the module that was written there is
imported in this process under a name of its own, and golden cases are replayed in it.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nbship.errors import ExportError
from nbship.records.explanation import (
    EXPLANATION,
    CheckFinding,
    Explanation,
    ExportCheck,
)
from nbship.records.release import ENOUGH_ROWS
from nbship.release.cells import binding_statements
from nbship.resources import shipped_module, template_folder
from nbship.workflow.bundle_files import read_record
from nbship.workflow.capture_writing import GOLDEN, MODULE
from nbship.workflow.check_memory import CheckMemory
from nbship.workflow.export_capture import capture_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from nbship.ports_shipping import Codec
    from nbship.records.release import RootCapture
    from nbship.release.cells import Cells
    from nbship.release.pins import Installed
    from nbship.workflow.export_capture import LiveNotebook

#: seconds after which no further golden case is replayed
REPLAY_LIMIT_S = 0.5
_MAX_DIFFERENCES = 5
_MAX_WATCHED_BYTES = 100_000


@dataclass(slots=True)
class _Replay:
    cases: int = 0
    duration_s: float = 0.0
    findings: list[CheckFinding] = field(default_factory=list)


def check_root(
    root: str,
    *,
    live: LiveNotebook,
    codecs: Sequence[Codec],
    installed: Callable[[Iterable[str]], Installed],
    memory: CheckMemory | None = None,
) -> ExportCheck:
    """Check a root of a live notebook: closure, codecs, hazards, compiled code, replay.

    Parameters
    ----------
    root
        Its name in the notebook.
    live
        The notebook.
    codecs
        What writes values, in order of preference.
    installed
        Looks up the distributions of import names.
    memory
        What earlier checks in this kernel left; nothing where None.

    Raises
    ------
    StoreError
        If the system's folder for temporary files cannot be written.
    """
    started = time.perf_counter()
    memory = memory or CheckMemory()
    with tempfile.TemporaryDirectory(prefix="nbship-check-") as name:
        folder = Path(name) / "capture"
        try:
            capture = capture_root(
                root,
                live=live,
                codecs=memory.codecs(codecs, root=root),
                installed=installed,
                folder=folder,
                with_baseline=False,
            )
        except ExportError as error:
            return ExportCheck(
                root=root,
                passed=False,
                findings=tuple(_refusals(error, live.cells)),
                capture_s=_since(started),
                duration_s=_since(started),
            )
        capture_s = _since(started)
        told = read_explanation(folder)
        replay = _replay(capture, folder, told, memory)
    memory.forget()
    findings = (*replay.findings, *_notes(capture))
    return ExportCheck(
        root=root,
        passed=all(finding.severity != "blocker" for finding in findings),
        findings=findings,
        cases=capture.golden_cases,
        cases_replayed=replay.cases,
        rows=capture.golden_rows,
        lines_kept=told.lines_kept,
        lines_of_notebook=told.lines_of_notebook,
        state_bytes=sum(entry.size_bytes for entry in capture.state),
        capture_s=capture_s,
        replay_s=replay.duration_s,
        duration_s=_since(started),
    )


def read_explanation(capture_folder: Path) -> Explanation:
    """Read why the lines of a capture are in and the cells are out.

    Raises
    ------
    ExportError
        If an older version made the capture, without an explanation.
    """
    path = capture_folder / EXPLANATION
    if not path.is_file():
        raise ExportError(
            f"{capture_folder}: no {EXPLANATION}", hint="Capture the root again."
        )
    return read_record(Explanation, path)


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 4)


def _refusals(error: ExportError, cells: Cells) -> Iterator[CheckFinding]:
    for part in error.parts or (error,):
        cell = next((c for _, c in binding_statements(part.name, cells)), None)
        yield CheckFinding(
            hazard=part.hazard,
            severity="blocker",
            message=part.message,
            hint=part.hint,
            name=part.name,
            cell_id=cell.cell_id if cell else None,
            execution_count=cell.execution_count if cell else None,
        )


def _notes(capture: RootCapture) -> Iterator[CheckFinding]:
    for remark in capture.remarks:
        is_weak = remark.startswith("not proven")
        yield CheckFinding(
            hazard="few-cases" if is_weak else "remark",
            severity="warning" if is_weak else "note",
            message=remark,
            hint=f"Call {capture.name} on {ENOUGH_ROWS} distinct rows or more."
            if is_weak
            else "",
        )


def _replay(
    capture: RootCapture, folder: Path, told: Explanation, memory: CheckMemory
) -> _Replay:
    found, started = _Replay(), time.perf_counter()
    with _imported(folder) as package, _silence():
        _remember(capture, package, memory)
        try:
            module = importlib.import_module(f"{package}.model")
        except Exception as error:  # noqa: BLE001  # the author's module may raise anything
            found.findings.append(_difference(capture, f"import: {_named(error)}"))
            return found
        before = _snapshot(module, told, package)
        name = "predict" if capture.kind == "estimator" else capture.name
        golden = importlib.import_module(f"{package}._golden")
        for line in (folder / GOLDEN).read_text("utf-8").splitlines():
            if found.cases and time.perf_counter() - started > REPLAY_LIMIT_S:
                break
            case = json.loads(line)
            found.cases += 1
            texts = _differences(getattr(module, name), case, golden)
            found.findings += [
                _difference(capture, f"case {case['case']}: {text}") for text in texts
            ]
            if len(found.findings) >= _MAX_DIFFERENCES:
                break
        after = _snapshot(module, told, package)
        found.findings += [
            _changed(capture, name)
            for name, text in before.items()
            if after.get(name) != text
        ]
    found.duration_s = _since(started)
    return found


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    unheard = io.StringIO()
    with contextlib.redirect_stdout(unheard), contextlib.redirect_stderr(unheard):
        yield


@contextlib.contextmanager
def _imported(folder: Path) -> Iterator[str]:
    """Lend a captured module the name of a package, with what ships beside it."""
    package = f"nbship_check_{folder.parent.name.rpartition('-')[2]}"
    shipped = template_folder("package")
    for path in shipped.rglob("*.py"):
        place = folder / path.relative_to(shipped)
        if path.parent != shipped or not path.name.startswith("__"):
            place.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, place)
    shutil.copyfile(folder / MODULE, folder / "model.py")
    made = ModuleType(package)
    made.__path__ = [str(folder)]
    sys.modules[package] = made
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        importlib.invalidate_caches()
        importlib.import_module(f"{package}._values")
        yield package
    finally:
        sys.dont_write_bytecode = writes
        for name in [n for n in sys.modules if n.partition(".")[0] == package]:
            del sys.modules[name]


def _remember(capture: RootCapture, package: str, memory: CheckMemory) -> None:
    """Let the package take values that an earlier check read from the same bytes.

    Not those that hold classes of the notebook: each check's module has classes of its own.
    """
    state = importlib.import_module(f"{package}._state")
    own, read = shipped_module("_state").NOTEBOOK_MODULE, state._read_entry  # noqa: SLF001

    def read_entry(entry: dict[str, Any]) -> Any:  # noqa: ANN401
        is_foreign = any(path.startswith(f"{own}.") for path in entry["trusted_types"])
        if capture.local_modules or is_foreign:
            return read(entry)
        return memory.loaded(entry, lambda: read(entry))

    state._read_entry = read_entry  # type: ignore[attr-defined]  # noqa: SLF001


def _differences(function: Any, case: dict[str, Any], golden: Any) -> list[str]:  # noqa: ANN401
    try:
        args, kwargs = golden.arguments_of(case)
        found = golden.differences_of(case, function(*args, **kwargs))
        return [*found, *golden.differences_after(case, args, kwargs)]
    except Exception as error:  # noqa: BLE001  # the author's function may raise anything
        return [f"{_named(error)} where an answer was recorded"]


def _snapshot(module: Any, told: Explanation, package: str) -> dict[str, str]:  # noqa: ANN401
    """Write the values that the calls could change as text; large ones are left out."""
    values = sys.modules[f"{package}._values"]
    found: dict[str, str] = {}
    for value in told.values:
        if value.size_bytes <= _MAX_WATCHED_BYTES:
            with contextlib.suppress(values.UnsupportedValueError, RecursionError):
                live = getattr(module, value.name, None)
                found[value.name] = json.dumps(values.encode(live))
    return found


def _changed(capture: RootCapture, name: str) -> CheckFinding:
    return CheckFinding(
        hazard="stateful",
        severity="warning",
        message=f"{capture.name} changes {name!r} when it is called: later answers may depend "
        "on earlier calls",
        hint="Work on a copy inside the function.",
        name=name,
    )


def _difference(capture: RootCapture, text: str) -> CheckFinding:
    return CheckFinding(
        hazard="parity",
        severity="blocker",
        message=text,
        hint=f"Call {capture.name} again in a new cell; where it still differs, look for "
        "randomness and hidden state.",
        name=capture.name,
    )


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
