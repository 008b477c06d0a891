"""Tickets: which jobs are wanted, in what order, and how often they may be tried."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar


class TicketState(StrEnum):
    """How a ticket stands; a job that has settled has none."""

    QUEUED = "queued"
    RUNNING = "running"
    #: somebody gave the job up; its attempt, where there is one, is being ended
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """The wish that a job be attempted until it has settled: ``jobs/<job>/ticket.json``."""

    SCHEMA: ClassVar[str] = "ticket/1"

    job_id: str
    #: higher ones are taken first
    priority: int = 0
    #: attempts that the notebook itself may end; one that fails beyond is not repeated
    attempts: int = 1
    #: attempts that may be lost to a killed worker or machine, beside those
    losses: int = 2
    #: number of the first attempt that is made for this ticket
    first_attempt: int = 1
    enqueued_at: datetime
    #: not taken before
    not_before_at: datetime
    state: TicketState = TicketState.QUEUED
    #: number of the attempt that is running; 0 where none is
    attempt: int = 0
    #: names the environment that the job was submitted from; see docs/queue.md
    surroundings: str = ""
