"""What a notebook sees of nbship: the extension, ``nbship.log``, ``golden`` and ``resource``."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

from nbship.errors import UsageError
from nbship.faces.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "Session",
    "current_session",
    "golden",
    "load_ipython_extension",
    "log",
    "resource",
    "unload_ipython_extension",
]

#: whose calls are recorded where the settings declare no root
_USUAL_ROOT = "predict"
_sessions: list[Session] = []


def load_ipython_extension(shell: Any) -> None:  # noqa: ANN401  # IPython has no types
    """Give the notebook ``%mlops`` and the hooks that record a run."""
    from nbship.faces.hooks import CellHooks
    from nbship.faces.magics import register_magics

    session = current_session(shell)
    if session.hooks is None:
        session.hooks = CellHooks(session, shell)
        session.hooks.register()
        _attend_declared(shell, session)
    register_magics(shell, session)


def _attend_declared(shell: Any, session: Session) -> None:  # noqa: ANN401  # as above
    """Record calls of the declared roots, from the cell after this one on."""

    def begin(_info: object) -> None:
        shell.events.unregister("pre_run_cell", begin)
        with contextlib.suppress(
            Exception
        ):  # `%mlops` says what is wrong with settings
            from nbship.faces.roots import attend

            attend(session.workbench.settings.roots or (_USUAL_ROOT,))

    shell.events.register("pre_run_cell", begin)


def unload_ipython_extension(shell: Any) -> None:  # noqa: ANN401  # IPython has no types
    """Take the magics and hooks away; an active run stays open, without new cells."""
    from nbship.faces.magics import remove_magics

    session = current_session(shell)
    if session.hooks is not None:
        session.hooks.unregister()
        session.hooks = None
    remove_magics(shell)
    if "nbship.faces.roots" in sys.modules:
        sys.modules["nbship.faces.roots"].dismiss()


def current_session(shell: Any = None) -> Session:  # noqa: ANN401  # IPython has no types
    """Return the session of this process; made when it is first asked for."""
    if not _sessions:
        _sessions.append(Session(shell))
    session = _sessions[0]
    if shell is not None:
        session.shell = shell
    return session


def log(
    metrics: Mapping[str, Any] | None = None,
    /,
    *,
    step: int | None = None,
    unit: str = "",
    direction: str = "",
    **named: Any,  # noqa: ANN401  # any number: Python's, numpy's, torch's
) -> None:
    """Record metrics of the active run: ``nbship.log(loss=0.3, step=1)``.

    Parameters
    ----------
    metrics
        Metrics whose names are no Python names: ``log({"val/loss": 0.3})``.
    step
        Position in the series, such as the epoch.
    unit
        Unit of these metrics, such as ``"ms"``.
    direction
        ``"maximize"`` or ``"minimize"``: which way is better.
    **named
        Metrics by name.

    Raises
    ------
    UsageError
        If a value is no number, or the direction is another word.
    RunError
        If no run is active.
    StoreError
        If the journal cannot be written.
    """
    from nbship.capture.numbers import numbers_of

    if metrics is not None and not hasattr(metrics, "keys"):
        raise UsageError(
            f"log: {metrics!r} has no name", hint="Name it: `nbship.log(loss=0.3)`."
        )
    given = {} if metrics is None else metrics
    values = numbers_of({**given, **named}, direction=direction)
    current_session().log(values, step=step, unit=unit, direction=direction)


def golden(*positional: Any, **named: Any) -> Any:  # noqa: ANN401  # a decorator
    """Record calls of a function as golden cases; see :func:`nbship.faces.roots.golden`."""
    from nbship.faces.roots import golden as decorator

    return decorator(*positional, **named)


def resource(function: Callable[[], Any]) -> Callable[[], Any]:
    """Declare a function that opens a handle; see :mod:`nbship.release.opening`."""
    from nbship.release.opening import resource as decorator

    return decorator(function)
