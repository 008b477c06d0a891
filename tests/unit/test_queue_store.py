"""The queue in SQLite: its order, its states, and that it is made again from the files."""

from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime, timedelta

import pytest

from nbship.adapters.store.files import FileStore
from nbship.adapters.store.queue import FILE_NAME, SqliteQueue
from nbship.records.ids import make_id
from nbship.records.queue import TicketState
from nbship.workflow.queueing import enqueue

NOW = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path / ".mlops")


def job(store, number):
    job_id = make_id("job", at=NOW, entropy=number)
    store.job_folder(job_id).mkdir(parents=True)
    return job_id


def order(queue):
    return [ticket.job_id for ticket in queue.tickets()]


def test_a_higher_priority_comes_first_then_the_older_one(store):
    first, second, urgent = (job(store, n) for n in range(3))
    queue = SqliteQueue(store)
    enqueue(queue, [first])
    enqueue(queue, [second])
    enqueue(queue, [urgent], priority=5)

    assert order(queue) == [urgent, first, second]


def test_a_job_that_is_wanted_already_keeps_its_ticket(store):
    one = job(store, 1)
    queue = SqliteQueue(store)
    enqueue(queue, [one], priority=3)
    enqueue(queue, [one], priority=9)

    assert [t.priority for t in queue.tickets()] == [3]


def test_a_ticket_is_taken_once_and_put_back_only_where_it_is_still_wanted(store):
    one = job(store, 1)
    queue = SqliteQueue(store)
    enqueue(queue, [one])
    later = NOW + timedelta(seconds=5)

    assert queue.take(one, attempt=1)
    assert not queue.take(one, attempt=1)
    assert queue.put_back(one, not_before_at=later)
    ticket = queue.ticket(one)
    assert (ticket.state, ticket.not_before_at) == (TicketState.QUEUED, later)
    assert queue.take(one, attempt=2)
    assert queue.cancel(one)
    assert queue.ticket(one).attempt == 2
    assert not queue.put_back(one, not_before_at=later)
    assert queue.ticket(one).state is TicketState.CANCELLED
    queue.drop(one)
    assert queue.ticket(one) is None
    assert not queue.cancel(one)


def test_a_lost_database_is_made_again_from_the_job_folders(store):
    queued, running, settled = (job(store, n) for n in range(3))
    queue = SqliteQueue(store)
    enqueue(queue, [queued, running, settled], attempts=4)
    store.attempt_folder(running, 1).mkdir(parents=True)
    queue.drop(settled)
    (store.folder / FILE_NAME).unlink()

    again = SqliteQueue(store)

    assert {t.job_id: (t.state, t.attempt, t.attempts) for t in again.tickets()} == {
        queued: (TicketState.QUEUED, 0, 4),
        running: (TicketState.RUNNING, 1, 4),
    }


def test_asking_an_unused_store_makes_nothing(store):
    assert SqliteQueue(store).tickets() == ()
    assert not store.folder.exists()


def test_a_waiting_reader_sees_what_another_connection_writes(store):
    one = job(store, 1)
    reader, writer = SqliteQueue(store), SqliteQueue(store)
    reader.tickets()
    reader.wait(0)
    assert not reader.wait(0)

    enqueue(writer, [one])

    assert reader.wait(5)
    assert order(reader) == [one]


def _take_all(folder, job_ids, found):
    queue = SqliteQueue(FileStore(folder))
    found.put([job_id for job_id in job_ids if queue.take(job_id, attempt=1)])


def test_four_processes_take_every_ticket_once(store):
    job_ids = [job(store, n) for n in range(60)]
    enqueue(SqliteQueue(store), job_ids)
    context = multiprocessing.get_context("spawn")
    found = context.Queue()
    takers = [
        context.Process(target=_take_all, args=(store.folder, job_ids, found))
        for _ in range(4)
    ]
    for taker in takers:
        taker.start()
    taken = [job_id for _ in takers for job_id in found.get(timeout=60)]
    for taker in takers:
        taker.join()

    assert sorted(taken) == sorted(job_ids)
