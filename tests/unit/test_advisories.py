"""Snapshots of OSV records: which versions they name, and what is said of them."""

import json
import zipfile

import pytest

from nbship.adapters.bundles.advisories import read_snapshot
from nbship.errors import ReleaseError
from nbship.release.advisories import (
    affects,
    vulnerability_report,
    vulnerability_text,
)


def _record(*events, name="Some_Package", versions=(), **fields):
    span = {"type": "ECOSYSTEM", "events": list(events)}
    return {
        "id": "PYSEC-1",
        "modified": "2026-11-01T00:00:00Z",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": name},
                "ranges": [span] if events else [],
                "versions": list(versions),
            }
        ],
        **fields,
    }


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.9", False),
        ("2.0", True),
        ("2.0.1", True),
        ("2.0.1+cpu", True),
        ("2.1rc1", True),
        ("2.1", False),
        ("10.0", False),
        ("11.0", True),
        ("11.5", True),
        ("11.5.1", False),
    ],
)
def test_a_version_lies_between_the_events_of_a_range(version, expected):
    record = _record(
        {"introduced": "2.0"},
        {"fixed": "2.1"},
        {"introduced": "11.0"},
        {"last_affected": "11.5"},
    )

    assert affects(record, "some-package", version) is expected


def test_listed_versions_are_compared_as_versions_not_as_texts():
    record = _record(versions=["1.0.0"])

    assert affects(record, "some.package", "1.0")
    assert not affects(record, "some-package", "1.0.1")


def test_what_is_withdrawn_or_of_another_ecosystem_or_name_counts_not():
    everything = {"introduced": "0"}
    other = _record(everything)
    other["affected"][0]["package"]["ecosystem"] = "npm"

    assert affects(_record(everything), "some-package", "0.1")
    assert not affects(_record(everything, withdrawn="2026-01-01"), "some-package", "1")
    assert not affects(other, "some-package", "1")
    assert not affects(_record(everything), "another", "1")


@pytest.fixture
def records():
    return [
        _record({"introduced": "0"}),
        _record({"introduced": "0"}, id="PYSEC-2", modified="2026-11-03T00:00:00Z"),
        {"id": "GO-1", "modified": "2027-01-01T00:00:00Z", "affected": []},
    ]


def test_a_snapshot_is_dated_by_its_newest_record_about_pypi(tmp_path, records):
    folder, lines = tmp_path / "records", tmp_path / "records.jsonl"
    folder.mkdir()
    for record in records:
        (folder / f"{record['id']}.json").write_text(json.dumps(record))
    lines.write_text("\n".join(map(json.dumps, records)))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)

    found = [read_snapshot(p) for p in (folder, lines, tmp_path / "all.zip")]

    assert {snapshot.day for snapshot in found} == {"2026-11-03"}
    assert len({snapshot.records[0]["id"] for snapshot in found}) == 1
    assert [len(snapshot.records) for snapshot in found] == [2, 2, 2]
    assert len({snapshot.digest for snapshot in found}) == 3


@pytest.mark.parametrize("text", ["", "{}", "not JSON", "[1]", '{"affected": 1}'])
def test_what_is_no_snapshot_is_refused(tmp_path, text):
    path = tmp_path / "records.jsonl"
    path.write_text(text)

    with pytest.raises(ReleaseError, match=r"records\.jsonl"):
        read_snapshot(path)
    with pytest.raises(ReleaseError, match=r"nothing: cannot be read"):
        read_snapshot(tmp_path / "nothing")


def test_a_report_never_says_that_there_is_nothing(tmp_path, records):
    path = tmp_path / "records.jsonl"
    path.write_text("\n".join(map(json.dumps, records)))
    snapshot = read_snapshot(path)

    texts = [
        vulnerability_text(vulnerability_report({"numpy": "2.4"}, given))
        for given in (None, snapshot)
    ]
    found = vulnerability_text(vulnerability_report({"some-package": "1"}, snapshot))

    assert texts == [
        "MISSING: owner: a dated snapshot of advisories (release.advisories)",
        "none of the 2 advisories of the snapshot of 2026-11-03 names what the lock pins",
    ]
    assert found.endswith("name what the lock pins: PYSEC-1, PYSEC-2")
