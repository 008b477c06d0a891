"""The verb that makes an unreleased wheel, with its parity proof, from a root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.errors import UsageError
from nbship.verbs.answer import ANSWER_IS_NO, OK, Answer, Verb
from nbship.verbs.words import place

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from nbship.records.release import Export
    from nbship.verbs.answer import Context

_FIRST = "0.1.0"
_MAX_DIFFERENCES = 5


def _export(context: Context, given: argparse.Namespace) -> Answer:
    from nbship.release.names import default_package
    from nbship.workflow.captured import captured_by_job
    from nbship.workflow.export import make_export

    bench = context.workbench
    export_id = bench.new_id("export")
    folder = bench.store.record_path(export_id)
    if given.job:
        found = captured_by_job(bench.store, given.job, given.root)
        capture, notebook, installed = found.folder, found.notebook, found.installed
        origin = {"notebook": notebook, "job": found.job_id}
    else:
        capture, notebook = _capture_live(context, given.root, folder / "capture")
        installed, origin = None, {"notebook": notebook}
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
    )
    passed = export.parity.passed
    return Answer(
        text=_text(export, folder, _skew(folder)),
        data=export,
        exit_code=OK if passed else ANSWER_IS_NO,
    )


def _capture_live(context: Context, root: str, folder: Path) -> tuple[Path, str]:
    """Capture a root of the notebook that the verb was called in.

    Raises
    ------
    UsageError
        If it was called in a shell.
    """
    from nbship.workflow.export_capture import capture_root

    if context.session is None:
        raise UsageError(
            f"mlops export {root}: there is no live notebook in a shell",
            hint="Name a job whose kernel captured it: --job last.",
        )
    bench = context.workbench
    live = context.session.live_notebook(root)
    capture_root(
        root,
        live=live,
        codecs=bench.codecs(),
        installed=bench.installed_here,
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


VERBS: tuple[Verb, ...] = (
    Verb(
        name="export",
        stage="Production",
        help="make a wheel from a function or model, and prove its answers",
        run=_export,
        add_arguments=_arguments,
    ),
)
