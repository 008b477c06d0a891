"""What runs in the kernel for roots: golden cases from real calls, and their capture.

Engine and notebook call :func:`attend` early and :func:`capture_roots` after the last cell.
Nothing here may break a cell: hooks swallow their own faults.
"""

from __future__ import annotations

import ast
import contextlib
import json
import linecache
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship import variables
from nbship.errors import NbshipError
from nbship.release.cells import ExecutedCell, bound_names
from nbship.release.declared import declaration, declare
from nbship.release.objects import attended
from nbship.release.recording import record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

    from nbship.records.signature import Declaration
    from nbship.records.state import KeptObject
    from nbship.workflow.export_capture import LiveNotebook

_PROTOCOL_NAMES = ("pre_run_cell", "post_run_cell")
_attended: dict[int, _Attendance] = {}


class _Attendance:
    """The roots of one shell, wrapped again whenever a cell redefines one."""

    def __init__(self, shell: Any) -> None:  # noqa: ANN401  # IPython has no types
        self.shell = shell
        self.roots: dict[str, None] = {}
        #: execution count -> cell id
        self.cell_ids: dict[int, str] = {}

    def pre_run_cell(self, _info: Any) -> None:  # noqa: ANN401
        self._wrap()

    def post_run_cell(self, result: Any) -> None:  # noqa: ANN401
        self._wrap()
        cell_id = getattr(getattr(result, "info", None), "cell_id", None)
        if cell_id and result.execution_count:
            self.cell_ids[result.execution_count] = str(cell_id)

    def _wrap(self) -> None:
        for name in self.roots:
            if name in self.shell.user_ns:
                self.wrap(name)

    def wrap(self, name: str) -> None:
        """Let the calls of a root be recorded from now on."""
        value = self.shell.user_ns[name]
        stand_in = attended(value, self.running_cell, _keep)
        if stand_in is not value:
            self.shell.user_ns[name] = stand_in

    def visit(self, tree: Any) -> Any:  # noqa: ANN401  # IPython's protocol
        """Add, behind a statement that binds a root, the call that lets it be recorded.

        IPython asks this before it compiles a cell. So calls in the cell of the definition
        are recorded too. The last statement is left alone: it may be the cell's answer.
        """
        if not isinstance(tree, ast.Module):
            return tree
        body: list[ast.stmt] = []
        for statement in tree.body:
            body.append(statement)
            bound = self.roots.keys() & bound_names(statement)
            if bound and statement is not tree.body[-1]:
                body += [_wrapping(name, statement) for name in sorted(bound)]
        tree.body = body
        return tree

    def running_cell(self) -> str:
        """Name the cell whose code is on the stack: ``In[3]``."""
        names: Mapping[str, int] = getattr(self.shell.compile, "_filename_map", {})
        frame: FrameType | None = sys._getframe()  # noqa: SLF001  # the stack's top
        found = ""
        while frame is not None:
            count = names.get(frame.f_code.co_filename)
            found = f"In[{count}]" if count else found
            frame = frame.f_back
        return found


def attend(roots: Sequence[str]) -> None:
    """Record the calls of functions of these names, now and whenever they are redefined.

    Parameters
    ----------
    roots
        Names in the notebook; they need not exist yet.
    """
    shell = _shell()
    if shell is None:
        return
    attendance = _attended.get(id(shell))
    if attendance is None:
        attendance = _attended[id(shell)] = _Attendance(shell)
        for name in _PROTOCOL_NAMES:
            shell.events.register(name, getattr(attendance, name))
        shell.ast_transformers.append(attendance)
    attendance.roots |= dict.fromkeys(roots)
    attendance.pre_run_cell(None)


def wrap(name: str) -> None:
    """Let the calls of a root be recorded: what a cell calls behind its definition."""
    attendance = _attended.get(id(_shell()))
    if attendance is not None and name in attendance.shell.user_ns:
        with contextlib.suppress(Exception):  # the cell is the user's
            attendance.wrap(name)


def dismiss() -> None:
    """Stop recording in this shell; recorded calls stay with their functions."""
    shell = _shell()
    attendance = _attended.pop(id(shell), None)
    if attendance is not None:
        for name in _PROTOCOL_NAMES:
            attendance.shell.events.unregister(name, getattr(attendance, name))
        if attendance in attendance.shell.ast_transformers:
            attendance.shell.ast_transformers.remove(attendance)


def golden(  # noqa: PLR0913  # what an author may say of a function
    function: Callable[..., Any] | None = None,
    *,
    units: Mapping[str, str] | None = None,
    ranges: Mapping[str, Sequence[float | None]] | None = None,
    categories: Mapping[str, Sequence[Any]] | None = None,
    nulls: Sequence[str] = (),
    rtol: float | Mapping[str, float] | None = None,
    onnx: bool = False,
) -> Any:  # noqa: ANN401  # a decorator
    """Record calls of a function as golden cases, also those in its own cell.

    Parameters
    ----------
    function
        The function; ``@golden`` and ``@golden()`` both do. Or a fitted estimator, which is
        returned as it is: ``golden(model, units={"mass": "g"})``.
    units
        Input or output -> its unit, such as ``{"km": "km"}``.
    ranges
        Input -> lowest and highest value, None for no limit; others are refused.
    categories
        Input -> the values that are taken; others are refused.
    nulls
        Inputs that may be null although no call shows it.
    rtol
        Relative tolerance of the outputs' floats, or one by output; 1e-9 where not given.
    onnx
        Whether servers may answer by an ONNX graph of a fitted estimator, where every golden
        and generated row agrees within ``rtol``; labels always exactly.

    Raises
    ------
    UsageError
        If a range is no pair, a tolerance no number of at least 0, or ``onnx`` is asked for
        without ``rtol``.
    """
    declared = declaration(
        units=units,
        ranges=ranges,
        categories=categories,
        nulls=nulls,
        rtol=rtol,
        onnx=onnx,
    )
    if function is None:
        return lambda made: _recorded(made, declared)
    return _recorded(function, declared)


def _recorded(function: Callable[..., Any], declared: Declaration) -> Any:  # noqa: ANN401
    if hasattr(function, "fit"):  # its rows are taken from the notebook
        declare(function, declared)
        return function
    shell = _shell()
    attendance = _attended.get(id(shell)) or _Attendance(shell)
    origin = attendance.running_cell if shell is not None else str
    return record(function, origin, declared, keep=_keep)


def _keep(value: Any) -> KeptObject:  # noqa: ANN401
    """Write an argument that JSON has no kind for."""
    from nbship.workbench import Workbench
    from nbship.workflow.golden_objects import keeper_of

    return keeper_of(Workbench.codecs)(value)


def capture_roots(roots: Sequence[str], folder: str | Path) -> None:
    """Capture each root into ``folder/<root>/``, or write there why it was refused.

    Parameters
    ----------
    roots
        Names in the notebook.
    folder
        Made where it does not exist.
    """
    from nbship.workbench import Workbench
    from nbship.workflow.captured import root_folder
    from nbship.workflow.export_capture import capture_root

    live = live_notebook()
    for root in roots:
        place = root_folder(Path(folder), root)
        try:
            capture_root(
                root,
                live=live,
                to_graph=Workbench.to_graph,
                codecs=Workbench.codecs(),
                installed=Workbench.installed_here,
                folder=place,
            )
        except NbshipError as error:
            _refuse(place, error.message, error.hint)
        except Exception as error:  # noqa: BLE001  # one root's fault is not the job's
            _refuse(
                place,
                f"{root}: {type(error).__name__}: {error}",
                "Try `%mlops export` in the notebook; it says more.",
            )


def live_notebook(namespace: Mapping[str, Any] | None = None) -> LiveNotebook:
    """Return the notebook of this kernel as it stands."""
    from nbship.workflow.export_capture import LiveNotebook

    shell = _shell()
    if namespace is None:
        namespace = {} if shell is None else shell.user_ns
    return LiveNotebook(
        namespace=namespace, cells=executed_cells(shell), name=_notebook_name(namespace)
    )


def executed_cells(shell: Any) -> dict[str, ExecutedCell]:  # noqa: ANN401
    """Collect the source of every cell execution that the shell's compiler remembers."""
    names: Mapping[str, int] = getattr(
        getattr(shell, "compile", None), "_filename_map", {}
    )
    attendance = _attended.get(id(shell))
    by_count = {**_journal_ids(), **(attendance.cell_ids if attendance else {})}
    return {
        name: ExecutedCell(
            source="".join(linecache.cache[name][2]),  # type: ignore[misc]
            cell_id=by_count.get(count),
            execution_count=count or None,
        )
        for name, count in names.items()
        if name in linecache.cache and len(linecache.cache[name]) > 2  # noqa: PLR2004  # not lazy
    }


def _journal_ids() -> dict[int, str]:
    """Read which cell had which execution count from the run that the engine records."""
    told = os.environ.get(variables.RUN_FOLDER)
    if not told:
        return {}
    from nbship.workbench import Workbench
    from nbship.workflow.recording import ids_by_count

    return ids_by_count(Path(told).name, Workbench.journal_in(Path(told)))


def _notebook_name(namespace: Mapping[str, Any]) -> str:
    from nbship.faces.notebook_path import notebook_path

    path = notebook_path(namespace)
    return path.name if path is not None else "a notebook"


def _refuse(place: Path, message: str, hint: str) -> None:
    place.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"message": message, "hint": hint}, ensure_ascii=False)
    (place / "refusal.json").write_text(text, "utf-8")


def _wrapping(name: str, behind: ast.stmt) -> ast.stmt:
    text = f"__import__({__name__!r}, fromlist=['']).wrap({name!r})"
    made = ast.parse(text).body[0]
    for node in ast.walk(made):
        ast.copy_location(node, behind)
    return ast.fix_missing_locations(made)


def _shell() -> Any:  # noqa: ANN401
    interactive = sys.modules.get("IPython")
    return None if interactive is None else interactive.get_ipython()
