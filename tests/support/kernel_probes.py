"""Ask a fresh and a forked kernel the same, and note what they answer."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbship.adapters.kernels.conversation import KernelIsDeadError
from nbship.adapters.kernels.foreseeing import changes_variables, imported_names
from nbship.adapters.kernels.starting import Demand, start_kernel
from support.direct_runs import kernel_environ

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from nbship.adapters.kernels.conversation import Conversation
    from nbship.adapters.kernels.processes import Launcher

_LIMIT_S = 120.0


@dataclass
class Answers:
    """What the cells of one kernel gave."""

    #: one text per cell: streams, results, errors in their order
    texts: list[str] = field(default_factory=list)
    exit_code: int | None = None
    #: how it was started
    remark: str = ""


@contextmanager
def kernel(
    launcher: Launcher,
    *,
    cwd: Path,
    environ: Mapping[str, str] | None = None,
    sources: tuple[str, ...] = (),
) -> Iterator[Conversation]:
    """Have a kernel that answers."""
    demand = Demand(
        kernel_name="python3",
        environ={**kernel_environ(), **(environ or {})},
        cwd=cwd,
        imports=imported_names(sources),
        is_bare=changes_variables(sources),
    )
    talk = start_kernel(demand, launcher)
    try:
        talk.wait_ready(60.0)
        yield talk
    finally:
        talk.shutdown()


def ask(
    launcher: Launcher,
    *sources: str,
    cwd: Path,
    environ: Mapping[str, str] | None = None,
    interrupt_after_s: float = 0.0,
) -> Answers:
    """Run cells in a kernel of their own."""
    answers = Answers()
    with kernel(launcher, cwd=cwd, environ=environ, sources=sources) as talk:
        answers.remark = talk.process.remark
        for source in sources:
            if interrupt_after_s:
                number, process = signal.SIGINT, talk.process
                args = (interrupt_after_s, process.send_signal, (number,))
                threading.Timer(*args).start()
                interrupt_after_s = 0.0
            try:
                answers.texts.append(run_cell(talk, source))
            except KernelIsDeadError:
                answers.texts.append("dead")
                break
        process = talk.process
    answers.exit_code = process.poll()
    return answers


def run_cell(talk: Conversation, source: str) -> str:
    """Run one cell and return what it showed."""
    content = {
        "code": source,
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": False,
    }
    asked = talk.ask("execute_request", content)
    shown, is_idle, is_answered = [], False, False
    while not (is_idle and is_answered):
        received = talk.receive(_LIMIT_S)
        assert received is not None, f"no answer to {source!r}"
        channel, message = received
        if message["parent_header"].get("msg_id") != asked:
            continue
        kind, said = message["msg_type"], message["content"]
        is_answered = is_answered or channel == "shell"
        if channel == "iopub":
            is_idle = is_idle or said.get("execution_state") == "idle"
            shown.append(_shown(kind, said))
    return "".join(shown).strip()


def _shown(kind: str, said: Mapping) -> str:
    if kind == "stream":
        return said["text"]
    if kind in {"execute_result", "display_data"}:
        image = "<png>" if "image/png" in said["data"] else ""
        return f"[{said['data'].get('text/plain', '')}]{image}"
    if kind == "error":
        return f"<{said['ename']}: {said['evalue'][:80]}>"
    return ""
