"""IPython's hooks: cells, outputs and the parameters cell of a live notebook."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbship.capture.buffering import OutputBuffer
    from nbship.faces.session import Session
    from nbship.faces.streams import StreamTee
    from nbship.workflow.recording import Recorder

_NS_PER_S = 1e9


@dataclass(kw_only=True)
class Frame:
    """One ``run_cell`` in progress; those inside another one are part of its cell."""

    #: IPython's ``ExecutionInfo``; None for the cell that loaded the extension
    info: Any
    source: str
    cell_id: str
    tags: tuple[str, ...] = ()
    execution_count: int | None = None
    started_ns: int = field(default_factory=time.monotonic_ns)
    recorder: Recorder | None = None
    execution_id: str = ""
    buffer: OutputBuffer | None = None
    tee: StreamTee | None = None

    @property
    def duration_s(self) -> float:
        """Seconds since the cell began, by the monotonic clock."""
        return (time.monotonic_ns() - self.started_ns) / _NS_PER_S


class CellHooks:
    """Records cell executions and their outputs while the session has a run.

    Parameters
    ----------
    session
        The notebook's session; it holds the recorder and the pid that may record.
    shell
        IPython's shell.
    """

    def __init__(self, session: Session, shell: Any) -> None:  # noqa: ANN401  # IPython has no types
        self._session = session
        self._shell = shell
        self._frames: list[Frame] = []
        self._lock = threading.RLock()

    def register(self) -> None:
        """Listen to the shell; the cell that is running now counts as begun."""
        self._shell.events.register("pre_run_cell", self._before_cell)
        self._shell.events.register("post_run_cell", self._after_cell)
        for source in (self._shell.display_pub, self._shell.displayhook):
            if hasattr(source, "register_hook"):
                source.register_hook(self._on_message)
        if (frame := self._running_cell()) is not None:
            self._frames = [frame]

    def unregister(self) -> None:
        """Stop listening."""
        self.leave()
        self._frames.clear()
        self._shell.events.unregister("pre_run_cell", self._before_cell)
        self._shell.events.unregister("post_run_cell", self._after_cell)
        for source in (self._shell.display_pub, self._shell.displayhook):
            if hasattr(source, "unregister_hook"):
                source.unregister_hook(self._on_message)

    def enter(self) -> None:
        """Begin to record the cell that is running, where one is."""
        recorder = self._session.cell_recorder
        if not self._frames or recorder is None or self._frames[0].recorder:
            return
        from nbship.capture.buffering import OutputBuffer
        from nbship.faces.streams import StreamTee

        frame = self._frames[0]
        frame.execution_id = recorder.start_cell(
            cell_id=frame.cell_id,
            source=frame.source,
            tags=frame.tags,
            execution_count=frame.execution_count,
        )
        frame.recorder = recorder
        frame.buffer = OutputBuffer(
            lambda data: recorder.output(frame.execution_id, data)
        )
        frame.tee = StreamTee(self._on_text)
        frame.tee.install()

    def leave(self, error: BaseException | None = None) -> None:
        """End the record of the cell that is running, where there is one."""
        frame = self._frames[0] if self._frames else None
        if frame is None or frame.recorder is None:
            return
        recorder, frame.recorder = frame.recorder, None
        if frame.tee is not None:
            frame.tee.uninstall()
        if frame.buffer is not None:
            with self._lock:
                frame.buffer.flush()
        recorder.end_cell(
            frame.execution_id,
            _status(error),
            duration_s=frame.duration_s,
            execution_count=frame.execution_count,
            error=None if error is None else self._describe(error, frame),
        )

    def _before_cell(self, info: Any) -> None:  # noqa: ANN401  # IPython's ExecutionInfo
        if not self._session.is_here:
            return
        self._frames.append(self._frame_of(info))
        if len(self._frames) == 1:
            self._session.quietly(self.enter)

    def _after_cell(self, result: Any) -> None:  # noqa: ANN401  # IPython's ExecutionResult
        if not self._session.is_here or not self._frames:
            return
        if len(self._frames) == 1:
            self._session.quietly(lambda: self._finish(self._frames[0], result))
        self._frames.pop()

    def _finish(self, frame: Frame, result: Any) -> None:  # noqa: ANN401
        if result is None:  # ipykernel gives none where an async cell was cancelled
            self.leave(KeyboardInterrupt())
            return
        if frame.execution_count is None and result.info.store_history:
            frame.execution_count = result.execution_count
        if _is_parameters(frame):
            transformed = getattr(frame.info, "transformed_cell", None)
            self._session.take_parameters(
                transformed or self._shell.transform_cell(frame.source)
            )
        self.leave(result.error_before_exec or result.error_in_exec)
        self._session.refresh(is_cell_end=True)

    def _on_text(self, name: str, text: str) -> None:
        if not self._session.is_here:
            return
        with self._lock:
            if self._frames and (buffer := self._frames[0].buffer) is not None:
                buffer.stream(name, text, now_s=time.monotonic())

    def _on_message(self, message: dict[str, Any]) -> dict[str, Any]:
        if self._session.is_here and self._frames and self._frames[0].recorder:
            self._session.quietly(lambda: self._take_message(message))
        return message

    def _take_message(self, message: dict[str, Any]) -> None:
        buffer, content = self._frames[0].buffer, message["content"]
        kind = message["header"]["msg_type"]
        if buffer is None:
            return
        with self._lock:
            if kind == "clear_output":
                buffer.clear()
                return
            is_update = kind == "update_display_data"
            output = {"output_type": "display_data" if is_update else kind}
            output |= {k: content[k] for k in ("data", "metadata") if k in content}
            if kind == "execute_result":
                output["execution_count"] = content.get("execution_count")
            buffer.display(
                output,
                now_s=time.monotonic(),
                display_id=content.get("transient", {}).get("display_id"),
                is_update=is_update,
            )

    def _frame_of(self, info: Any) -> Frame:  # noqa: ANN401  # IPython's ExecutionInfo
        sent = self._parent_metadata()
        own = getattr(info, "cell_meta", None) or sent
        source = info.raw_cell or ""
        return Frame(
            info=info,
            source=source,
            cell_id=getattr(info, "cell_id", None)
            or sent.get("cellId")
            or _made_id(source),
            tags=tuple(own.get("tags") or ()),
            execution_count=self._count() if info.store_history else None,
        )

    def _running_cell(self) -> Frame | None:
        """Return the cell that loads the extension; its start came before our hooks."""
        parent: dict[str, Any] = getattr(self._shell, "get_parent", dict)() or {}
        source = parent.get("content", {}).get("code")
        if source is None:
            return None
        sent = self._parent_metadata()
        return Frame(
            info=None,
            source=source,
            cell_id=sent.get("cellId") or _made_id(source),
            tags=tuple(sent.get("tags") or ()),
        )

    def _parent_metadata(self) -> dict[str, Any]:
        parent: dict[str, Any] = getattr(self._shell, "get_parent", dict)() or {}
        return dict(parent.get("metadata") or {})

    def _count(self) -> int:
        """Return the number of the cell that begins; IPython 9 has counted on already."""
        count = int(self._shell.execution_count)
        stored = len(self._shell.history_manager.input_hist_parsed)
        return count if stored == count else count - 1

    def _describe(self, error: BaseException, frame: Frame) -> dict[str, Any]:
        stored = getattr(self._shell.history_manager, "exceptions", {})
        known = stored.get(frame.execution_count)
        if known is not None:
            return dict(known)
        import traceback

        lines = traceback.format_exception(error)
        return {
            "ename": type(error).__name__,
            "evalue": str(error),
            "traceback": [line.rstrip("\n") for line in lines],
        }


def _status(error: BaseException | None) -> Any:  # noqa: ANN401  # a CellStatus, imported late
    import asyncio

    from nbship.records.run import CellStatus

    if error is None:
        return CellStatus.OK
    if isinstance(error, (KeyboardInterrupt, asyncio.CancelledError)):
        return CellStatus.INTERRUPTED
    return CellStatus.FAILED


def _is_parameters(frame: Frame) -> bool:
    from nbship.records.notebook import INJECTED_TAG, PARAMETERS_TAG

    first_line = frame.source.lstrip().partition("\n")[0].strip().lower()
    return (
        bool({PARAMETERS_TAG, INJECTED_TAG} & set(frame.tags))
        or first_line == "# parameters"
    )


def _made_id(source: str) -> str:
    from nbship.records.digest import digest_text

    return f"src-{digest_text(source)[:8]}"
