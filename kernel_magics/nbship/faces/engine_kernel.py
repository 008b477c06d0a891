"""What the engine does in the kernel beside the cells: silently, and without harm.

A kernel whose environment lacks nbship runs its cells all the same; its record then holds no
data files, and its job's roots are refused with the reason.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from nbship.adapters.kernels.listening import Reply
from nbship.workflow.captured import root_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nbship.adapters.kernels.listening import Asking
    from nbship.adapters.kernels.order import EngineOrder
    from nbship.faces.engine_head import Head

_ATTEND_TIMEOUT_S = 60.0
_CAPTURE_TIMEOUT_S = 600.0
_DATA = "nbship.faces.attend_data"
_ROOTS = "nbship.faces.roots"


def attend(client: Asking, head: Head, order: EngineOrder | None) -> None:
    """Before the first cell: note files that are read, and calls of declared roots."""
    if head.language != "python":
        return
    run_folder = head.workbench.store.run_folder(head.run_id)
    base = head.workbench.settings.project
    arguments = f"{str(run_folder.absolute())!r}, {str(base)!r}"
    code = _call(_DATA, "attend", arguments)
    if order is not None and order.beginning:  # first: the rest may fail without nbship
        code = f"{order.beginning}\n{code}"
    client.ask(code, timeout_s=_ATTEND_TIMEOUT_S)
    if order is not None and order.roots:
        names = repr(list(order.roots))
        client.ask(_call(_ROOTS, "attend", names), timeout_s=_ATTEND_TIMEOUT_S)


def capture(client: Asking, head: Head, order: EngineOrder | None) -> None:
    """After the last cell: capture the roots, and finish the notes on files."""
    if order is not None and order.roots:
        arguments = f"{list(order.roots)!r}, {str(order.roots_folder)!r}"
        reply = Reply(is_ok=False, ename="KernelError", evalue=head.language)
        if head.language == "python":
            code = _call(_ROOTS, "capture_roots", arguments)
            reply = client.ask(code, timeout_s=_CAPTURE_TIMEOUT_S)
        _refuse_missing(head, order.roots, order.roots_folder, reply)
        _refuse_secret(head, order)
    if head.language == "python":
        client.ask(_call(_DATA, "finish", ""), timeout_s=_CAPTURE_TIMEOUT_S)


def _call(module: str, function: str, arguments: str) -> str:
    """Write a call that leaves no name behind in the notebook."""
    return f"__import__({module!r}, fromlist=['']).{function}({arguments})"


def _refuse_missing(
    head: Head, names: Sequence[str], folder: Path, reply: Reply
) -> None:
    """Write why a root has neither capture nor refusal."""
    for name in names:
        place = root_folder(folder, name)
        if (place / "capture.json").is_file() or (place / "refusal.json").is_file():
            continue
        head.workbench.store.save(_refusal(reply), place / "refusal.json")


def _refuse_secret(head: Head, order: EngineOrder) -> None:
    """Take back a root that has captured the value of a secret: it would be shipped."""
    if order.redactor is None:
        return
    for name in order.roots:
        place = root_folder(order.roots_folder, name)
        files = [path for path in place.rglob("*") if path.is_file()]
        found = {
            n for path in files for n in order.redactor.names_in(path.read_bytes())
        }
        if found:
            shutil.rmtree(place)
            variable = min(found)
            refusal = {
                "message": f"it holds the value of the secret {variable}",
                "hint": f'Read os.environ["{variable}"] where it is used, not before.',
            }
            head.workbench.store.save(refusal, place / "refusal.json")


def _refusal(reply: Reply) -> dict[str, str]:
    if reply.ename == "ModuleNotFoundError" and "nbship" in reply.evalue:
        return {
            "message": "the kernel's environment lacks nbship, which captures roots",
            "hint": "Install nbship in the kernel's environment, then rerun the job.",
        }
    if reply.is_ok:
        return {
            "message": "the kernel captured nothing under that name",
            "hint": "Declare the names of functions or fitted objects of the notebook.",
        }
    return {
        "message": f"the capture failed: {reply.ename}: {reply.evalue}",
        "hint": "Try `%mlops export` in the notebook; it says more.",
    }
