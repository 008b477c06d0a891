"""The files of a capture: module, captured values, golden cases, what explains them."""

from __future__ import annotations

import platform
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.records.codec import json_text
from nbship.records.digest import digest_text
from nbship.records.explanation import EXPLANATION
from nbship.records.release import (
    ENOUGH_ROWS,
    GoldenFile,
    LocalModule,
    RootCapture,
    StateEntry,
)
from nbship.release import hazards
from nbship.release.describing import described
from nbship.release.explaining import explain
from nbship.release.golden import count_rows, golden_text, is_answerless, modules_of
from nbship.release.items import Closure
from nbship.release.module_text import module_text
from nbship.release.pins import pins_of
from nbship.release.vendoring import Vendored
from nbship.workflow.bundle_files import writing
from nbship.workflow.state_capture import refuse_pickled_text
from nbship.workflow.training_baseline import training_baseline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nbship.records.signature import Signature
    from nbship.release.cells import Cells
    from nbship.release.golden import Case
    from nbship.release.module_text import ModuleText
    from nbship.release.pins import Installed

RECORD, MODULE, GOLDEN = "capture.json", "module.py", "golden.jsonl"
#: folder of the arguments of golden cases that JSON has no kind for
GOLDEN_FOLDER = "golden"


@dataclass(slots=True)
class Draft:
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
    #: the root as an ONNX graph, where its author asked for one
    graph: StateEntry | None = None
    golden_files: list[GoldenFile] = field(default_factory=list)
    #: captured values by name
    values: dict[str, object] = field(default_factory=dict)
    modules: set[str] = field(default_factory=set)
    vendored: Vendored = field(default_factory=Vendored)


def write_draft(  # noqa: PLR0913  # what a capture is made of
    root: str,
    draft: Draft,
    *,
    namespace: Mapping[str, Any],
    cells: Cells,
    notebook: str,
    installed: Callable[[Iterable[str]], Installed],
    folder: Path,
    with_baseline: bool = True,
) -> RootCapture:
    """Write a capture's folder, whole or not at all.

    Raises
    ------
    ExportError
        If the module's text is not what ran, or a module that it imports is not installed.
    HazardError
        If its text holds a secret.
    StoreError
        If the file system refuses.
    """
    public = "predict" if draft.kind == "estimator" else root
    module = module_text(draft.closure, notebook=notebook, public=public)
    _check_texts(draft.closure, module.text, root)
    golden = golden_text(draft.cases)
    modules = _modules(draft)
    signature, skew = described(
        root,
        cases=draft.cases,
        parameters=draft.parameters,
        namespace=namespace,
        cells=cells,
    )
    record = replace(
        _record(root, draft, module, golden=golden, signature=signature),
        requirements=pins_of(modules, installed(modules)),
        skew=skew,
    )
    told = explain(
        draft.closure,
        module,
        notebook=notebook,
        cells=cells,
        state=record.state,
        values=draft.values,
        cases=draft.cases,
        remarks=record.remarks,
    )
    files = {
        RECORD: json_text(record),
        MODULE: module.text,
        GOLDEN: golden,
        EXPLANATION: json_text(told),
        **{file.file: file.text for file in draft.vendored.files},
    }
    if with_baseline:
        files |= training_baseline(signature, namespace, cells)
    encoded = {name: content.encode() for name, content in files.items()}
    _place({**draft.files, **encoded}, folder)
    return record


def _check_texts(closure: Closure, module: str, root: str) -> None:
    """Refuse a module that holds a secret or spells a pickle out."""
    for item in closure.items.values():
        place = item.cell.place if item.cell else "the module"
        hazards.check_text(item.text, reader=item.name, place=place)
    refuse_pickled_text(module, root)


def _modules(draft: Draft) -> set[str]:
    """Name the modules that distributions must offer."""
    modules = {
        *draft.closure.modules,
        *draft.modules,
        *draft.vendored.modules,
        *modules_of(draft.cases),
    }
    local = {module.partition(".")[0] for module in draft.closure.local}
    return {name for name in modules if name.partition(".")[0] not in local}


def _record(
    root: str,
    draft: Draft,
    module: ModuleText,
    *,
    golden: str,
    signature: Signature,
) -> RootCapture:
    rows = count_rows(draft.cases)
    remarks = [*draft.closure.remarks, *draft.remarks]
    if all(is_answerless(case) for case in draft.cases):
        remarks.append(
            "not proven: every recorded answer is None; what is shown, printed or written is "
            "not compared"
        )
    elif rows < ENOUGH_ROWS:
        remarks.append(
            f"not proven: {rows} distinct golden rows, fewer than {ENOUGH_ROWS}"
        )
    return RootCapture(
        name=root,
        kind=draft.kind,
        module=MODULE,
        module_digest=digest_text(module.text),
        state=tuple(sorted(draft.state, key=lambda entry: entry.name)),
        graph=draft.graph,
        requirements={},
        python_version=platform.python_version(),
        signature=signature,
        golden_cases=len(draft.cases),
        golden_rows=rows,
        golden=GOLDEN,
        golden_digest=digest_text(golden),
        source_map=module.source_map,
        golden_files=tuple(sorted(draft.golden_files, key=lambda one: one.file)),
        remarks=tuple(dict.fromkeys(remarks)),
        local_modules=tuple(
            LocalModule(name=f.name, file=f.file, digest=digest_text(f.text))
            for f in draft.vendored.files
        ),
        variables=draft.closure.variables,
        required_variables=draft.closure.required_variables,
        resources=draft.closure.resources,
    )


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
