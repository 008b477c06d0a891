"""The ledger of mirrors: shared by processes, readable where nothing can be written."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from nbship.adapters.store.ledger import SqliteLedger
from nbship.adapters.store.locks import file_lock
from nbship.errors import StoreError
from nbship.records.mirror import Mirror, ReleaseMirror

MIRROR = Mirror(run_id="r", tracker="t", reference="x", metrics=3, error="down")


@pytest.fixture
def ledger(tmp_path):
    return SqliteLedger(tmp_path / "store" / "shipping.sqlite")


def test_before_the_first_shipment_nothing_is_there_and_nothing_is_made(ledger):
    assert ledger.mirrors("r") == ()
    assert ledger.mirror("r", "t") == Mirror(run_id="r", tracker="t")
    assert not ledger._path.parent.exists()


def test_a_mirror_comes_back_as_it_was_saved_last(ledger):
    ledger.save(MIRROR)
    ledger.save(replace(MIRROR, is_closed=True, error=""))
    assert ledger.mirrors("r") == (replace(MIRROR, is_closed=True, error=""),)


def test_the_mirror_of_a_release_comes_back_as_it_was_saved_last(ledger):
    blank = ReleaseMirror(release="fares/1.0.0", tracker="t")
    kept = replace(blank, digest="d", reference="models:/fares/1")

    assert ledger.release_mirror("fares/1.0.0", "t") == blank
    ledger.save_release(replace(blank, error="down"))
    ledger.save_release(kept)
    assert ledger.release_mirror("fares/1.0.0", "t") == kept
    assert ledger.release_mirror("fares/1.0.0", "u") == replace(blank, tracker="u")


def test_many_writers_at_once_lose_nothing(ledger):
    mirrors = [replace(MIRROR, run_id=f"r{n}") for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ledger.save, mirrors))
    assert [ledger.mirrors(m.run_id) for m in mirrors] == [(m,) for m in mirrors]


def test_a_file_that_is_no_database_is_named(ledger):
    ledger._path.parent.mkdir()
    ledger._path.write_text("no database, and long enough to be one" * 100)
    with pytest.raises(StoreError, match=r"shipping\.sqlite: cannot be used"):
        ledger.save(MIRROR)


def test_a_folder_that_cannot_be_made_is_named():
    with pytest.raises(StoreError, match="/proc/nbship"):
        SqliteLedger(_proc() / "shipping.sqlite").save(MIRROR)
    with (
        pytest.raises(StoreError, match="/proc/nbship"),
        file_lock(_proc() / "lock", wait_s=0),
    ):
        pass


def _proc():
    from pathlib import Path

    return Path("/proc/nbship")


def test_a_lock_keeps_others_out_until_it_is_left(tmp_path):
    path = tmp_path / "lock"
    with file_lock(path, wait_s=0) as first:
        assert first
        with file_lock(path, wait_s=0.2) as second:
            assert not second
    with file_lock(path, wait_s=0) as third:
        assert third
