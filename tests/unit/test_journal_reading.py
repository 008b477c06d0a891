"""The journal's quick reader reads what the codec reads, and refuses what it refuses."""

from __future__ import annotations

import json

import pytest

from nbship.adapters.store.journal import FileJournal
from nbship.errors import RecordFormatError
from nbship.records.codec import from_json
from nbship.records.run import Event, EventKind


@pytest.fixture
def journal(tmp_path):
    return FileJournal(tmp_path / "journal.jsonl")


def test_events_are_read_as_the_codec_reads_them(journal):
    for kind in EventKind:
        journal.append(
            kind, {"name": "é\U0001f427", "value": float("inf"), "step": None}
        )
    journal.close()
    lines = journal.path.read_text("utf-8").splitlines()
    assert list(journal.events()) == [
        from_json(Event, json.loads(line)) for line in lines
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "dance"},
        {"at": "yesterday"},
        {"pid": "1"},
        {"pid": True},
        {"data": []},
        {"schema": "event/2"},
        {"more": 1},
    ],
    ids=str,
)
def test_an_event_of_another_form_is_refused(journal, change):
    journal.append(EventKind.NOTE, {"text": "x"})
    journal.close()
    data = json.loads(journal.path.read_text("utf-8")) | change
    journal.path.write_text(json.dumps(data) + "\n", "utf-8")
    with pytest.raises(RecordFormatError):
        list(journal.events())
