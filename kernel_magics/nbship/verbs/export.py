"""The verb that makes an unreleased wheel, with its parity proof, from a root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.errors import UsageError
from nbship.verbs.answer import ANSWER_IS_NO, OK, Answer, Verb
from nbship.verbs.export_words import (
    cell_row,
    check_text,
    explanation_text,
    extras,
    line_row,
    value_row,
)
from nbship.verbs.words import place

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from nbship.records.explanation import Explanation
    from nbship.records.release import Export
    from nbship.verbs.answer import Context
    from nbship.workflow.export_capture import LiveNotebook

_FIRST = "0.1.0"
_MAX_DIFFERENCES = 5
_LINE_HEADS = ("lines", "what", "from", "why they are in")


def _export(context: Context, given: argparse.Namespace) -> Answer:
    from nbship.release.names import default_package
    from nbship.workflow.captured import captured_by_job
    from nbship.workflow.export import make_export

    if given.check:
        return _check(context, given.root)
    if given.explain:
        return _explain(context, given)
    bench = context.workbench
    export_id = bench.new_id("export")
    folder = bench.store.record_path(export_id)
    if given.job:
        found = captured_by_job(bench.store, given.job, given.root)
        capture, notebook, installed = found.folder, found.notebook, found.installed
        carried, origin = found.carried, {"notebook": notebook, "job": found.job_id}
    else:
        capture, notebook = _capture_live(context, given.root, folder / "capture")
        installed, carried, origin = None, None, {"notebook": notebook}
    export = make_export(
        capture,
        export_folder=folder,
        package=given.package or bench.settings.package or default_package(notebook),
        version=given.version,
        export_id=export_id,
        at=bench.clock.now(),
        builder=bench.builder,
        replayer=bench.replayer,
        origin=origin,
        installed=installed,
        carried=carried,
        budget=bench.budget,
    )
    passed = export.parity.passed
    return Answer(
        text=_text(export, folder, _skew(folder)),
        data=export,
        exit_code=OK if passed else ANSWER_IS_NO,
    )


def _check(context: Context, root: str) -> Answer:
    from nbship.workflow.export_check import check_root

    bench = context.workbench
    check = check_root(
        root,
        live=_live(context, root, "--check"),
        codecs=bench.codecs(),
        installed=bench.installed_here,
        memory=context.session.check_memory,
    )
    code = OK if check.passed else ANSWER_IS_NO
    return Answer(text=check_text(check), data=check, exit_code=code)


def _explain(context: Context, given: argparse.Namespace) -> Answer:
    import tempfile
    from pathlib import Path

    from nbship.workflow.captured import captured_by_job
    from nbship.workflow.export_check import read_explanation

    with tempfile.TemporaryDirectory(prefix="nbship-explain-") as name:
        if given.job:
            bench = context.workbench
            folder = captured_by_job(bench.store, given.job, given.root).folder
        else:
            folder, _ = _capture_live(context, given.root, Path(name) / "capture")
        told = read_explanation(folder)
    return Answer(text=explanation_text(told), data=told, html=_explanation_html(told))


def _explanation_html(told: Explanation) -> str:
    from nbship.widgets.explanation import tables_html

    lines = [line_row(line) for line in told.lines if line.kind != "frame"]
    heads = ("value", "type", "codec", "size", "read by", "origin")
    values = [value_row(value) for value in told.values]
    cells = [cell_row(cell) for cell in told.cells]
    return tables_html(
        f"{told.root} of {told.notebook}: {told.lines_kept} of {told.lines_of_notebook} "
        "lines of code kept",
        [
            (f"{told.module_lines} lines of the module", _LINE_HEADS, lines),
            (f"{len(cells)} cells", ("cell", "lines", "why it is in or out"), cells),
            (f"{len(values)} values", heads, values),
        ],
        [f"{name}: {', '.join(items)}" for name, items in extras(told) if items]
        + [f"note: {remark}" for remark in told.remarks],
    )


def _live(context: Context, root: str, option: str = "") -> LiveNotebook:
    """Return the notebook that the verb was called in.

    Raises
    ------
    UsageError
        If it was called in a shell.
    """
    if context.session is None:
        words = " ".join(word for word in (root, option) if word)
        raise UsageError(
            f"mlops export {words}: there is no live notebook in a shell",
            hint="Name a job whose kernel captured it: --job last."
            if option != "--check"
            else f"Call it in the notebook: %mlops export {words}.",
        )
    return context.session.live_notebook(root)  # type: ignore[no-any-return]


def _capture_live(context: Context, root: str, folder: Path) -> tuple[Path, str]:
    """Capture a root of the notebook that the verb was called in."""
    from nbship.workflow.export_capture import capture_root

    bench = context.workbench
    live = _live(context, root)
    capture_root(
        root,
        live=live,
        codecs=bench.codecs(),
        installed=bench.installed_here,
        to_graph=bench.to_graph,
        folder=folder,
    )
    return folder, live.name


def _skew(folder: Path) -> list[str]:
    from nbship.workflow.bundle_files import read_capture

    return [finding.message for finding in read_capture(folder / "capture").skew]


def _text(export: Export, folder: Path, skew: Sequence[str]) -> str:
    from nbship.release.parity import notes_of

    parity, count = export.parity, export.parity.cases_text
    lines = [f"{export.root} exported: {place(folder / export.wheel)}"]
    if parity.passed:
        proof = "" if parity.is_proven else "; NOT PROVEN"
        lines.append(
            f"parity: {count}, {parity.rows} rows: the same answers in a fresh "
            f"environment without network{proof}"
        )
    else:
        lines.append(f"parity FAILED: {count}, {len(parity.differences)} differences")
        lines += [f"  {text}" for text in parity.differences[:_MAX_DIFFERENCES]]
        lines.append(
            "  Something that the calls read was changed since; call it again in a new "
            "cell and repeat, or look for randomness and hidden state."
        )
    lines += [f"  OVER BUDGET: {text}" for text in export.over_budget]
    lines += [f"  note: {note}" for note in (*notes_of(parity), *skew)]
    lines.append(f"module: {place(folder / 'capture' / 'module.py')}")
    lines.append(f"try: pip install the wheel, then python -m {export.package} info")
    return "\n".join(lines)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "root", metavar="ROOT", help="name of a function or fitted estimator"
    )
    parser.add_argument("--package", help="import name; from the settings or notebook")
    parser.add_argument(
        "--version", default=_FIRST, help="version of the wheel, default %(default)s"
    )
    parser.add_argument(
        "--job", help="take what that job's kernel captured: id, its beginning, or last"
    )
    asking = parser.add_mutually_exclusive_group()
    asking.add_argument(
        "--explain",
        action="store_true",
        help="build nothing: say why each line is in and each cell is out",
    )
    asking.add_argument(
        "--check",
        action="store_true",
        help="build nothing: say what is in the way, and replay in this process",
    )


VERBS: tuple[Verb, ...] = (
    Verb(
        name="export",
        stage="Production",
        help="make a wheel from a function or model, and prove its answers",
        run=_export,
        add_arguments=_arguments,
    ),
)
