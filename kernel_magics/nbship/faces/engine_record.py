"""What the engine records: the run of a notebook that papermill executes.

papermill's word goes before ours: where the store cannot be written, a notebook that nobody
submitted as a job is executed all the same, and stderr says once that it is not recorded.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from nbship import variables
from nbship.capture.buffering import OutputBuffer
from nbship.errors import NbshipError
from nbship.faces.engine_head import Head, head_of
from nbship.faces.engine_kernel import attend, capture
from nbship.records.digest import digest_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nbship.adapters.kernels.listening import Asking
    from nbship.adapters.kernels.order import EngineOrder
    from nbship.records.cause import Cause, CellUsage
    from nbship.records.run import CellStatus, RunStatus
    from nbship.workbench import Workbench
    from nbship.workflow.recording import Recorder

#: how long the end of a run waits for what is asked beside it
_PROBE_TIMEOUT_S = 130.0


def open_record(
    nb: Any,  # noqa: ANN401  # a NotebookNode
    kernel_name: str,
    *,
    output_path: str | None,
    order: EngineOrder | None,
) -> EngineRecord:
    """Begin the record of a run.

    Raises
    ------
    NbshipError
        If the run is a job's and cannot be recorded.
    """
    try:
        head = head_of(nb, kernel_name, output_path=output_path, order=order)
        return EngineRecord(nb, head, order)
    except NbshipError as error:
        if order is not None:
            raise
        _say(f"this notebook is executed and not recorded: {error}")
        return EngineRecord(nb, None, None)


def _say(text: str) -> None:
    print(f"nbship: {text}", file=sys.stderr)  # noqa: T201  # no logger reaches a shell's user


class EngineRecord:
    """The run of one execution, told by the client while it happens.

    Parameters
    ----------
    nb
        The notebook node.
    head
        What is known before the first cell; None records nothing.
    order
        The job, where there is one.
    """

    def __init__(
        self,
        nb: Any,  # noqa: ANN401  # a NotebookNode
        head: Head | None,
        order: EngineOrder | None,
    ) -> None:
        self._head = head
        self._order = order
        self._recorder: Recorder | None = None
        self._execution_id = ""
        self._is_torn = False
        self._buffer = OutputBuffer(self._write_output)
        self._probe: threading.Thread | None = None
        if head is not None:
            self._begin(nb, head)

    @property
    def kernel_variables(self) -> dict[str, str]:
        """What the kernel is told through its environment."""
        if self._head is None or self._recorder is None:
            return {}
        folder = self._head.workbench.store.run_folder(self._head.run_id)
        told = {variables.RUN_FOLDER: str(folder.absolute())}
        if self._head.notebook is not None:
            told[variables.NOTEBOOK] = str(self._head.notebook)
        return told

    def kernel_ready(self, client: Asking) -> None:
        """Attend to the files and the calls of roots in the kernel, from the first cell on."""
        if self._head is not None and self._recorder is not None:
            if self._order is not None:
                self._write(lambda r: r.tag("kernel", client.kernel_remark))
                if client.limit_remark:
                    self._write(lambda r: r.tag("memory_limit", client.limit_remark))
            attend(client, self._head, self._order)

    def cells_done(self, client: Asking) -> None:
        """Capture the job's roots in the kernel that ran its cells."""
        if self._head is not None and self._recorder is not None:
            capture(client, self._head, self._order)

    def cell_started(self, cell: Any) -> None:  # noqa: ANN401
        """Write that a cell begins."""
        self._buffer = OutputBuffer(self._write_output)
        self._write(lambda recorder: self._start(recorder, cell))

    def output(self, data: Mapping[str, Any]) -> None:
        """Take one output of the running cell."""
        output, now_s = data.get("output"), time.monotonic()
        if output is None:
            self._write(lambda _: self._buffer.clear())
        elif output["output_type"] == "stream":
            self._write(
                lambda _: self._buffer.stream(
                    output["name"], output["text"], now_s=now_s
                )
            )
        else:
            self._write(
                lambda _: self._buffer.display(
                    output,
                    now_s=now_s,
                    display_id=data.get("display_id"),
                    is_update=bool(data.get("is_update")),
                )
            )

    def cell_ended(
        self,
        cell: Any,  # noqa: ANN401
        *,
        status: CellStatus,
        duration_s: float,
        error: Mapping[str, Any] | None,
        usage: CellUsage | None = None,
    ) -> None:
        """Write what is left of a cell's outputs, and how it ended."""
        self._write(lambda _: self._buffer.flush())
        self._write(
            lambda recorder: recorder.end_cell(
                self._execution_id,
                status,
                duration_s=duration_s,
                execution_count=cell.execution_count,
                error=error,
                usage=usage,
            )
        )

    def shared(self, cells: Sequence[str]) -> None:
        """Write which cells were executed once, together with other jobs."""
        self._write(lambda recorder: recorder.shared(cells))

    def end(
        self,
        text: str,
        status: RunStatus,
        cause: str = "",
        why: Cause | None = None,
    ) -> None:
        """Keep the executed notebook and end the run; that is its last event."""
        if self._probe is not None:
            self._probe.join(_PROBE_TIMEOUT_S)
        try:
            self._write(lambda recorder: self._keep(recorder, text))
        finally:
            self._write(lambda recorder: recorder.end(status, cause, why))

    def _begin(self, nb: Any, head: Head) -> None:  # noqa: ANN401
        workbench = head.workbench
        self._recorder = recorder = workbench.recorder(head.run_id)
        recorder.start(**head.started())
        for name, value in head.values.items():
            recorder.value(name, value)
        for remark in head.remarks:
            recorder.note(remark)
        ours = {"run_id": head.run_id, "job_id": head.job_id}
        known = dict(nb.metadata.get("mlops") or {})
        nb.metadata["mlops"] = known | {k: v for k, v in ours.items() if v}
        self._probe = threading.Thread(target=self._look_around, args=(head, recorder))
        self._probe.daemon = True
        self._probe.start()
        # the supervisor mirrors a job's run, and closes it where its worker dies
        is_mirrored = self._order is not None and self._order.is_mirrored
        if not is_mirrored and (self._order is None or workbench.settings.trackers):
            _ship(workbench, head.run_id)

    def _look_around(self, head: Head, recorder: Recorder) -> None:
        """Record repository and environment beside the first cells."""
        workbench = head.workbench
        try:
            if git := workbench.git_state(head.folder):
                recorder.git(git)
            if head.python is not None:
                recorder.environment(workbench.environment(head.python))
        except NbshipError as error:
            with contextlib.suppress(NbshipError):
                recorder.note(f"environment: {error.message}")

    def _start(self, recorder: Recorder, cell: Any) -> None:  # noqa: ANN401
        self._execution_id = recorder.start_cell(
            cell_id=cell.get("id", ""),
            source=cell.source,
            tags=cell.metadata.get("tags", ()),
        )

    def _write_output(self, data: Mapping[str, Any]) -> None:
        if self._recorder is not None:
            self._recorder.output(self._execution_id, data)

    def _keep(self, recorder: Recorder, text: str) -> None:
        head = self._head
        if head is None:
            return
        store, data = head.workbench.store, f"{text}\n".encode("utf-8", "surrogatepass")
        store.write_bytes(data, store.run_folder(head.run_id) / "notebook.ipynb")
        recorder.artifact(
            "notebook.ipynb",
            "notebook.ipynb",
            digest=digest_bytes(data),
            size_bytes=len(data),
        )

    def _write(self, action: Callable[[Recorder], Any]) -> None:
        if self._recorder is None:
            return
        try:
            action(self._recorder)
        except NbshipError as error:
            if self._order is not None:
                if self._is_torn:  # it was told, and ends the notebook
                    return
                self._is_torn = True
                raise
            self._recorder = None
            _say(f"the record of this notebook ends here: {error}")


def _ship(workbench: Workbench, run_id: str) -> None:
    """Start the process that mirrors the run to trackers, and closes it if we die.

    A store that was made on the spot, beside an output, is not mirrored by itself: its folder
    may be a temporary one that goes while MLflow still writes there. `mlops sync` does it.
    """
    try:
        workbench.start_shipper(
            run_id,
            watch_pid=os.getpid(),
            is_mirroring=not workbench.is_improvised,
        )
    except (NbshipError, OSError) as error:
        _say(f"run {run_id} is recorded and not mirrored yet: {error}")
