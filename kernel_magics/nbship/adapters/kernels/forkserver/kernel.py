"""The forked process becomes an IPython kernel."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

from . import child

if TYPE_CHECKING:
    from collections.abc import Callable


def run(request: dict[str, Any], *, parent: int, ready: Callable[[], None]) -> int:
    """Run the kernel until it is shut down.

    Parameters
    ----------
    request
        ``argv`` holds the arguments behind ``-m ipykernel_launcher``.
    parent
        Process id that the kernel's watch on its parent expects.
    ready
        Called when the sockets are bound and the shell is there.

    Returns
    -------
    int
        The exit code.
    """
    from ipykernel.kernelapp import IPKernelApp

    sys.argv = [child.launcher_path(), *request["argv"]]
    sys.orig_argv[:] = request["orig_argv"]
    app = IPKernelApp.instance()
    code = 0
    try:
        app.initialize([*request["argv"], f"--IPKernelApp.parent_handle={parent}"])
        ready()
        app.start()
    except SystemExit as error:
        code = _exit_code(error.code)
    _stop_control(app)
    child.end(app.shell)
    return code


def _stop_control(app: Any) -> None:  # noqa: ANN401
    """Let the control thread finish before the thread that publishes is stopped.

    ``IPKernelApp.close`` stops them the other way round, and now and then waits for ever: the
    first may be flushing to the second.
    """
    thread = getattr(app, "control_thread", None)
    with contextlib.suppress(RuntimeError):  # it was never started
        if thread is not None:
            thread.join(2.0)


def _exit_code(code: object) -> int:
    if isinstance(code, int):
        return code
    return 0 if code is None else 1
