"""The store: whole files or none, and journals with several writers."""

import json
import multiprocessing
from datetime import UTC, datetime

import pytest

from nbship.adapters.store.files import FileStore
from nbship.adapters.store.journal import FileJournal
from nbship.errors import RecordFormatError, RecordNotFoundError, StoreError
from nbship.records.environment import GitState
from nbship.records.run import EventKind
from support.store_writers import publish, published, write_many

STATE = GitState(commit="a" * 40, branch="main", is_dirty=False)
OTHER = GitState(commit="b" * 40, branch="main", is_dirty=True)


def test_a_saved_record_is_loaded_as_it_was_and_leaves_no_other_file(tmp_path):
    store = FileStore(tmp_path / ".mlops")
    path = store.folder / "x" / "state.json"

    store.save(STATE, path)
    store.save(OTHER, path)

    assert store.load(GitState, path) == OTHER
    assert [p.name for p in path.parent.iterdir()] == ["state.json"]


def test_what_is_published_first_stays(tmp_path):
    store = FileStore(tmp_path)
    path = tmp_path / "outcome.json"

    assert published(store, STATE, path) is True
    assert published(store, OTHER, path) is False
    assert store.load(GitState, path) == STATE
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["outcome.json"]


def test_a_missing_and_a_damaged_record_are_named(tmp_path):
    store = FileStore(tmp_path)
    (tmp_path / "bad.json").write_text("{")

    with pytest.raises(RecordNotFoundError, match=r"no record none\.json"):
        store.load(GitState, tmp_path / "none.json")
    with pytest.raises(RecordFormatError, match=r"bad\.json: not JSON"):
        store.load(GitState, tmp_path / "bad.json")
    with pytest.raises(RecordNotFoundError, match="no id of nbship"):
        store.record_path("thing-1")


def test_a_path_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    store = FileStore(tmp_path)

    with pytest.raises(StoreError, match="cannot be written: "):
        store.save(STATE, tmp_path / "file" / "below.json")


def test_ids_are_listed_oldest_first_and_foreign_names_are_left_out(tmp_path):
    store = FileStore(tmp_path)
    for name in (
        "job-20261123-091501-aaaa",
        "job-20261122-091500-zzzz",
        "notes",
        ".hidden",
    ):
        (tmp_path / "jobs" / name).mkdir(parents=True)

    assert store.ids("job") == ("job-20261122-091500-zzzz", "job-20261123-091501-aaaa")
    assert store.ids("verdict") == ()


def test_two_processes_that_write_one_journal_lose_and_tear_nothing(tmp_path):
    path = tmp_path / "journal.jsonl"
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=write_many, args=(path, name, 400)) for name in "ab"
    ]

    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)

    events = list(FileJournal(path).events())
    assert [w.exitcode for w in writers] == [0, 0]
    for name in "ab":
        lengths = [len(e.data["value"]) for e in events if e.data["name"] == name]
        assert lengths == [number % 3000 for number in range(400)]


def test_of_two_processes_that_publish_at_once_one_wins(tmp_path):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    path = tmp_path / "outcome.json"
    writers = [
        context.Process(target=publish, args=(path, tmp_path, results, n)) for n in "ab"
    ]

    for writer in writers:
        writer.start()
    answers = dict(results.get(timeout=60) for _ in writers)
    for writer in writers:
        writer.join(60)

    assert sorted(answers.values()) == [False, True]
    winner = next(name for name, won in answers.items() if won)
    assert FileStore(tmp_path).load(GitState, path).branch == winner


def test_a_line_cut_short_is_left_out_and_the_next_writer_goes_on(tmp_path):
    path = tmp_path / "journal.jsonl"
    journal = FileJournal(path)
    journal.append(EventKind.NOTE, {"text": "one"})
    with path.open("ab") as file:
        file.write(b'{"schema": "event/1", "kind": "no')

    assert [e.data for e in journal.events()] == [{"text": "one"}]

    with path.open("ab") as file:
        file.write(b"\n")
    journal.append(EventKind.NOTE, {"text": "two"})

    assert [e.data for e in journal.events()] == [{"text": "one"}, {"text": "two"}]


def test_events_are_read_on_from_an_offset(tmp_path):
    journal = FileJournal(tmp_path / "journal.jsonl")
    journal.append(EventKind.NOTE, {"text": "one"})
    ((_, offset),) = journal.events_from(0)
    journal.append(EventKind.NOTE, {"text": "two"})

    assert [e.data["text"] for e, _ in journal.events_from(offset)] == ["two"]
    assert (
        json.loads((tmp_path / "journal.jsonl").read_text().splitlines()[0])["kind"]
        == "note"
    )
    assert next(journal.events()).at <= datetime.now(UTC)
