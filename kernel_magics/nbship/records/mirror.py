"""How far a run is mirrored at one tracker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Mirror:
    """The mirror of one run at one tracker."""

    run_id: str
    tracker: str
    #: what the tracker calls the mirror; "" before there is one
    reference: str = ""
    #: number of metrics that the tracker has
    metrics: int = 0
    #: the tracker has the whole run, its end included
    is_closed: bool = False
    #: why the last attempt failed; "" where it did not
    error: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A file that a tracker is to show with a run, made after the run's end."""

    run_id: str
    tracker: str
    #: path of the file in the store
    path: str
    #: folder among the run's artifacts at the tracker
    folder: str
