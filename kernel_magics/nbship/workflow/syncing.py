"""Bring every run to every tracker, and close the runs whose process died unseen."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbship.capture.folding import Folding
from nbship.errors import NbshipError
from nbship.records.run import EventKind, RunStatus
from nbship.workflow.recording import close_killed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager

    from nbship.ports import Store
    from nbship.workflow.shipping import Shipment

_LOCK_WAIT_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Synced:
    """What ``sync`` did with one run at one tracker."""

    run_id: str
    tracker: str
    #: ``complete``, ``running``, ``busy`` or ``failed``
    state: str
    #: why it failed
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Yard:
    """What ``sync`` works with."""

    store: Store
    #: puts a run on its way to every tracker
    shipments: Callable[[str], Sequence[Shipment]]
    #: holds a run's shipping apart from other processes
    lock: Callable[[str, float], AbstractContextManager[bool]]
    #: token of a living process of this machine, None where it is dead
    birth_of: Callable[[int], str | None]


def sync(yard: Yard, run_ids: Iterable[str]) -> tuple[Synced, ...]:
    """Ship runs to their end, one after the other; a failure stops no other run."""
    done: list[Synced] = []
    for run_id in run_ids:
        done += _sync_run(yard, run_id)
    return tuple(done)


def _sync_run(yard: Yard, run_id: str) -> list[Synced]:
    shipments = yard.shipments(run_id)
    state = _state(yard, run_id)
    if state == "blank":
        return []
    if state == "running":
        return [_said(run_id, shipment, "running") for shipment in shipments]
    with yard.lock(run_id, _LOCK_WAIT_S) as is_held:
        if not is_held:
            return [_said(run_id, shipment, "busy") for shipment in shipments]
        if state == "dead":
            close_killed(yard.store, run_id)
        return [_ship(run_id, shipment) for shipment in shipments]


def _ship(run_id: str, shipment: Shipment) -> Synced:
    try:
        shipment.advance()
    except Exception as error:  # noqa: BLE001  # a tracker may fail in any way
        shipment.fail(error)
        return _said(run_id, shipment, "failed", f"{type(error).__name__}: {error}")
    return _said(run_id, shipment, "complete")


def _said(run_id: str, shipment: Shipment, state: str, error: str = "") -> Synced:
    return Synced(
        run_id=run_id, tracker=shipment.tracker.name, state=state, error=error
    )


def _state(yard: Yard, run_id: str) -> str:
    """Tell whether a run is ``ended``, ``running``, ``dead`` (its process is) or ``blank``."""
    folding = Folding()
    try:
        for event in yard.store.journal(run_id).events():
            if event.kind in {EventKind.RUN_STARTED, EventKind.RUN_ENDED}:
                folding.take(event)
    except NbshipError:
        return "blank"
    if folding.started_at is None:
        return "blank"
    if folding.status is not RunStatus.RUNNING:
        return "ended"
    pid, birth = folding.head.get("pid"), folding.head.get("birth")
    if folding.head.get("host") != platform.node() or not isinstance(pid, int):
        return "running"  # another machine's process cannot be seen from here
    found = yard.birth_of(pid)
    is_same = found is not None and birth in {None, found}
    return "running" if is_same else "dead"
