"""Capture a root: its closure, module text, captured values and golden cases, in one folder."""

from __future__ import annotations

import difflib
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nbship.errors import ExportError
from nbship.release.answers import answers_of
from nbship.release.closure import ClosureWalk
from nbship.release.declared import declared_of
from nbship.release.golden import estimator_cases
from nbship.release.instructions import use_of_text
from nbship.release.items import written_item
from nbship.release.objects import at_rest
from nbship.release.recording import recorder_of, unrecorded
from nbship.release.roots import (
    answer_text,
    check_fitted,
    no_case,
    no_root,
    own_name,
    parameters_of,
)
from nbship.release.vendoring import vendored
from nbship.workflow.asking_again import ask_again
from nbship.workflow.capture_writing import GOLDEN_FOLDER, write_draft
from nbship.workflow.capture_writing import Draft as _Draft
from nbship.workflow.golden_objects import golden_file, take_objects
from nbship.workflow.graph_capture import add_graph
from nbship.workflow.local_modules import LocalModules
from nbship.workflow.state_capture import capture_state, reader_module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from nbship.ports_shipping import Codec
    from nbship.records.release import RootCapture
    from nbship.records.state import KeptObject
    from nbship.release.answers import Answers
    from nbship.release.cells import Cells
    from nbship.release.golden import Case
    from nbship.release.pins import Installed
    from nbship.release.recording import Recorder
    from nbship.workflow.graph_capture import ToGraph


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveNotebook:
    """A notebook as it stands in its kernel."""

    #: the notebook's names
    namespace: Mapping[str, Any]
    #: file name of each cell execution -> its source
    cells: Cells
    #: file name, for the header of the module
    name: str = "a notebook"


def capture_root(  # noqa: PLR0913  # a root, and what takes it down
    root: str,
    *,
    live: LiveNotebook,
    codecs: Sequence[Codec],
    installed: Callable[[Iterable[str]], Installed],
    folder: Path,
    to_graph: ToGraph | None = None,
    with_baseline: bool = True,
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
    to_graph
        Converts estimators whose authors asked for ONNX; None leaves their graphs out.
    with_baseline
        False leaves the profiles of the training data out: they take time, and a check needs none.

    Raises
    ------
    ExportError
        If there is no such root, it has no golden case, or its text cannot be written.
    HazardError
        If something that it reads has no place in a package.
    """
    local = LocalModules(installed)
    with at_rest(live.namespace) as recorders:
        value = live.namespace.get(root)
        recorder = recorders.get(id(value)) or recorder_of(value)
        draft = _draft_root(root, live, codecs, local, recorder)
        if to_graph is not None and declared_of(value).onnx:
            add_graph(root, unrecorded(value), draft, to_graph)
    draft.vendored = vendored(
        draft.closure.local,
        is_local=local.is_local,
        find_source=local.find_source,
        loaded=sys.modules,
    )
    return write_draft(
        root,
        draft,
        namespace=live.namespace,
        cells=live.cells,
        notebook=live.name,
        installed=installed,
        folder=folder,
        with_baseline=with_baseline,
    )


def _draft_root(
    root: str,
    live: LiveNotebook,
    codecs: Sequence[Codec],
    local: LocalModules,
    recorder: Recorder | None,
) -> _Draft:
    if root not in live.namespace:
        near = difflib.get_close_matches(root, live.namespace, n=1)
        raise ExportError(
            f"the notebook has no {root!r}",
            hint=f"Did you mean {near[0]!r}?"
            if near
            else f"Run the cell that makes {root}.",
            hazard="missing-name",
            name=root,
        )
    value = unrecorded(live.namespace[root])
    walk = ClosureWalk(live.namespace, live.cells, local.is_local)
    answers = answers_of(value, own=own_name(root))
    if answers is not None:
        return _draft_estimator(root, value, answers, walk, codecs)
    text = answer_text(root, value)
    cases, objects, remarks = _recorded(recorder, walk, root if not text else "")
    if text:
        draft = _draft_object(root, value, walk, codecs, text)
    elif callable(value) and not isinstance(value, type):
        walk.require(root, reader=root)
        draft = _with_state(walk, codecs)
        draft.closure = walk.finish(root)
        draft.parameters = parameters_of(value)
    else:
        raise no_root(root, value)
    draft.cases = _with_ids(cases, live.cells)
    draft.remarks += remarks
    _add_objects(draft, objects)
    if not draft.cases:
        anew = recorder.bound_anew if recorder else ()
        raise no_case(root, draft.remarks, anew)
    return draft


def _recorded(
    recorder: Recorder | None, walk: ClosureWalk, function: str
) -> tuple[tuple[Case, ...], dict[str, KeptObject], list[str]]:
    """Return the recorded calls, what their arguments lie in, and remarks.

    A function whose calls are outdated is asked again.
    """
    if recorder is None:
        return (), {}, []
    again = ""
    if function and not recorder.cases() and recorder.outdated():
        walk.require(function, reader=function)
        again = ask_again(recorder, walk)
    cases, objects, remarks = take_objects(walk, recorder.cases(), recorder.objects())
    return cases, objects, [*recorder.remarks(), *remarks, *([again] if again else [])]


def _add_objects(draft: _Draft, objects: Mapping[str, KeptObject]) -> None:
    for name, kept in objects.items():
        draft.files[f"{GOLDEN_FOLDER}/{name}"] = kept.encoded.data
        draft.golden_files.append(golden_file(kept))
        draft.modules |= {*kept.encoded.modules, *reader_module(kept.codec)}


def _draft_object(
    root: str,
    value: Any,  # noqa: ANN401
    walk: ClosureWalk,
    codecs: Sequence[Codec],
    text: str,
) -> _Draft:
    own = own_name(root)
    if own != root:
        walk.bind(own, value)
    walk.require(own, reader="predict")
    draft = _with_state(walk, codecs)
    walk.add(written_item("predict", text, kind="constant", reads=(own,)))
    draft.closure = walk.finish(root)
    draft.kind = "estimator"
    draft.parameters = parameters_of(getattr(value, "predict", value))
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
    walk: ClosureWalk,
    codecs: Sequence[Codec],
) -> _Draft:
    check_fitted(root, value)
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
    draft.cases, remarks = estimator_cases(answers, walk.namespace)
    draft.remarks += remarks
    if not draft.cases:
        raise ExportError(
            f"{root}: no golden case: no frame or array of the notebook fits its "
            f"{answers.method}",
            hint="Keep test data in a name of the notebook, such as X_test, and fit first.",
            hazard="no-golden-case",
            name=root,
        )
    return draft


def _with_state(walk: ClosureWalk, codecs: Sequence[Codec]) -> _Draft:
    state = capture_state(walk, codecs)
    return _Draft(
        files=state.files,
        state=state.entries,
        values=state.values,
        modules=state.modules,
        remarks=state.remarks,
    )
