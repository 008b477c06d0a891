"""Capture a root: its closure, module text, captured values and golden cases, in one folder."""

from __future__ import annotations

import difflib
import inspect
import platform
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.errors import ExportError
from nbship.records.codec import json_text
from nbship.records.digest import digest_text
from nbship.records.release import ENOUGH_ROWS, RootCapture
from nbship.release import hazards
from nbship.release.answers import answers_of
from nbship.release.closure import ClosureWalk
from nbship.release.describing import described
from nbship.release.golden import (
    count_rows,
    estimator_cases,
    golden_text,
    modules_of,
)
from nbship.release.instructions import use_of_text
from nbship.release.items import Closure, written_item
from nbship.release.module_text import module_text
from nbship.release.pins import pins_of
from nbship.release.recording import recorder_of, unrecorded
from nbship.workflow.bundle_files import writing
from nbship.workflow.state_capture import capture_state, refuse_pickled_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nbship.ports_shipping import Codec
    from nbship.records.release import StateEntry
    from nbship.release.answers import Answers
    from nbship.release.cells import Cells
    from nbship.release.golden import Case
    from nbship.release.pins import Installed

RECORD, MODULE, GOLDEN = "capture.json", "module.py", "golden.jsonl"


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveNotebook:
    """A notebook as it stands in its kernel."""

    #: the notebook's names
    namespace: Mapping[str, Any]
    #: file name of each cell execution -> its source
    cells: Cells
    #: file name, for the header of the module
    name: str = "a notebook"


@dataclass(slots=True)
class _Draft:
    """What is known of a root before it is written."""

    kind: str = "function"
    closure: Closure = field(
        default_factory=lambda: Closure(root="", items={}, modules=())
    )
    cases: tuple[Case, ...] = ()
    parameters: tuple[str, ...] = ()
    remarks: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    state: list[StateEntry] = field(default_factory=list)
    modules: set[str] = field(default_factory=set)


def capture_root(
    root: str,
    *,
    live: LiveNotebook,
    codecs: Sequence[Codec],
    installed: Callable[[Iterable[str]], Installed],
    folder: Path,
) -> RootCapture:
    """Capture a function or fitted estimator of a live notebook.

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
    folder
        Where everything goes; whole or not at all.

    Raises
    ------
    ExportError
        If there is no such root, it has no golden case, or its text cannot be written.
    HazardError
        If something that it reads has no place in a package.
    """
    if root not in live.namespace:
        near = difflib.get_close_matches(root, live.namespace, n=1)
        raise ExportError(
            f"the notebook has no {root!r}",
            hint=f"Did you mean {near[0]!r}?"
            if near
            else f"Run the cell that makes {root}.",
        )
    value = unrecorded(live.namespace[root])
    answers = answers_of(value, own=root if root != "predict" else "fitted")
    if answers is not None:
        draft = _draft_estimator(root, value, answers, live, codecs)
    elif callable(value) and not isinstance(value, type):
        draft = _draft_function(root, live, codecs)
    else:
        raise ExportError(
            f"{root!r} is a {hazards.type_name(value)}; a function or a fitted estimator was "
            "expected",
            hint="Write a function that answers, and export that.",
        )
    return _write(root, draft, live=live, installed=installed, folder=folder)


def _draft_function(root: str, live: LiveNotebook, codecs: Sequence[Codec]) -> _Draft:
    walk = ClosureWalk(live.namespace, live.cells)
    walk.require(root, reader=root)
    draft = _with_state(walk, codecs)
    draft.closure = walk.finish(root)
    recorder = recorder_of(live.namespace[root])
    draft.cases = _with_ids(recorder.cases(), live.cells) if recorder else ()
    draft.remarks += recorder.remarks() if recorder else ()
    if not draft.cases:
        left_out = f" ({'; '.join(draft.remarks)})" if draft.remarks else ""
        raise ExportError(
            f"{root}: no golden case: no call of it, as it now stands, was recorded{left_out}",
            hint=f"Call {root} in a cell after the one that defines it.",
        )
    function = unrecorded(live.namespace[root])
    draft.parameters = tuple(inspect.signature(function).parameters)
    return draft


def _with_ids(cases: tuple[Case, ...], cells: Cells) -> tuple[Case, ...]:
    """Name the cell of each call by its id where that is known."""
    ids = {f"In[{c.execution_count}]": c.cell_id for c in cells.values() if c.cell_id}
    return tuple(
        {**case, "origin": f"cell {ids.get(case['origin'], case['origin'])}".strip()}
        for case in cases
    )


def _draft_estimator(
    root: str,
    value: Any,  # noqa: ANN401
    answers: Answers,
    live: LiveNotebook,
    codecs: Sequence[Codec],
) -> _Draft:
    walk = ClosureWalk(live.namespace, live.cells)
    own = answers.own
    if own != root:
        walk.bind(own, value)
    made = written_item("predict", answers.text, kind="function", reads=())
    made = replace(made, imports=use_of_text(answers.text).imports)
    walk.need_state(own, value, reader="predict")
    draft = _with_state(walk, codecs)
    walk.add(made)
    draft.closure = walk.finish(root)
    draft.kind, draft.parameters = "estimator", ("X",)
    draft.cases, remarks = estimator_cases(answers, live.namespace)
    draft.remarks += remarks
    if not draft.cases:
        raise ExportError(
            f"{root}: no golden case: no frame or array of the notebook fits its predict",
            hint="Keep test data in a name of the notebook, such as X_test, and fit first.",
        )
    return draft


def _with_state(walk: ClosureWalk, codecs: Sequence[Codec]) -> _Draft:
    state = capture_state(walk, codecs)
    return _Draft(
        files=state.files,
        state=state.entries,
        modules=state.modules,
        remarks=state.remarks,
    )


def _check_texts(closure: Closure, module: str, root: str) -> None:
    """Refuse a module that holds a secret or spells a pickle out."""
    for item in closure.items.values():
        place = item.cell.place if item.cell else "the module"
        hazards.check_text(item.text, reader=item.name, place=place)
    refuse_pickled_text(module, root)


def _write(
    root: str,
    draft: _Draft,
    *,
    live: LiveNotebook,
    installed: Callable[[Iterable[str]], Installed],
    folder: Path,
) -> RootCapture:
    public = "predict" if draft.kind == "estimator" else root
    module = module_text(draft.closure, notebook=live.name, public=public)
    _check_texts(draft.closure, module.text, root)
    modules = {*draft.closure.modules, *draft.modules, *modules_of(draft.cases)}
    golden = golden_text(draft.cases)
    rows = count_rows(draft.cases)
    remarks = [*draft.closure.remarks, *draft.remarks]
    if rows < ENOUGH_ROWS:
        remarks.append(
            f"not proven: {rows} distinct golden rows, fewer than {ENOUGH_ROWS}"
        )
    signature, skew = described(
        root,
        cases=draft.cases,
        parameters=draft.parameters,
        namespace=live.namespace,
        cells=live.cells,
    )
    record = RootCapture(
        name=root,
        kind=draft.kind,
        module=MODULE,
        module_digest=digest_text(module.text),
        state=tuple(sorted(draft.state, key=lambda entry: entry.name)),
        requirements=pins_of(modules, installed(modules)),
        python_version=platform.python_version(),
        signature=signature,
        golden_cases=len(draft.cases),
        golden_rows=rows,
        golden=GOLDEN,
        golden_digest=digest_text(golden),
        source_map=module.source_map,
        remarks=tuple(dict.fromkeys(remarks)),
        skew=skew,
    )
    files = {RECORD: json_text(record), MODULE: module.text, GOLDEN: golden}
    _place({**draft.files, **{n: text.encode() for n, text in files.items()}}, folder)
    return record


def _place(files: Mapping[str, bytes], folder: Path) -> None:
    """Write all files of a folder, or none: into a neighbour that is then renamed."""
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            for name, data in sorted(files.items()):
                path = draft / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            draft.chmod(0o755)
            shutil.rmtree(folder, ignore_errors=True)
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
