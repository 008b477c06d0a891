"""Records, ids, digests and the JSON codec."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbship.errors import RecordFormatError
from nbship.records.codec import from_json, to_json
from nbship.records.digest import canonical_json, digest_json, digest_tree
from nbship.records.ids import is_id, make_id
from nbship.records.job import CapturedRoot, JobStatus, Outcome
from nbship.records.run import Artifact, Event, EventKind
from nbship.records.vetting import Finding, Severity, Verdict, Waiver

AT = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def _outcome() -> Outcome:
    return Outcome(
        job_id="job-20261123-091500-aaaa",
        attempt=1,
        run_id="run-20261123-091500-aaaa",
        status=JobStatus.FAILED,
        started_at=AT,
        ended_at=AT,
        cause="ValueError: no",
        data=(Artifact(name="a.csv", digest="0" * 64, size_bytes=3, path="a.csv"),),
        metrics={"accuracy": 0.5},
        roots=(CapturedRoot(name="predict", digest="1" * 64),),
    )


def test_a_record_comes_back_from_json_as_it_was():
    assert from_json(Outcome, json.loads(json.dumps(to_json(_outcome())))) == _outcome()


def test_nested_records_and_absent_values_come_back():
    waiver = Waiver(code="NB205", reason="r", person="p", expires_on="2027-01-01")
    verdict = Verdict(
        id="verdict-20261123-091500-aaaa",
        job_id="job-20261123-091500-aaaa",
        vetted_at=AT,
        passed=True,
        findings=(
            Finding(
                code="NB205", severity=Severity.WARNING, message="m", waiver=waiver
            ),
        ),
    )

    assert from_json(Verdict, to_json(verdict)) == verdict


def test_a_newer_schema_is_refused_by_name():
    data = to_json(_outcome()) | {"schema": "outcome/2"}

    with pytest.raises(
        RecordFormatError,
        match=r"job\.json: schema 'outcome/2' where 'outcome/1' was expected",
    ):
        from_json(Outcome, data, where="job.json")


@pytest.mark.parametrize(
    "change",
    [
        {"attempt": "one"},
        {"status": "done"},
        {"extra": 1},
        {"started_at": 5},
        {"metrics": []},
    ],
)
def test_a_field_of_another_type_is_refused(change):
    with pytest.raises(RecordFormatError):
        from_json(Outcome, to_json(_outcome()) | change)


@given(st.dictionaries(st.text(), JSON_VALUES))
def test_an_event_keeps_any_json_data(data):
    event = Event(kind=EventKind.TAG, at=AT, monotonic_ns=1, pid=2, data=data)

    assert from_json(Event, json.loads(json.dumps(to_json(event)))) == event


@given(st.dictionaries(st.text(), JSON_VALUES))
def test_the_digest_does_not_depend_on_the_order_of_keys(data):
    turned = dict(reversed(list(data.items())))

    assert digest_json(data) == digest_json(turned)
    assert json.loads(canonical_json(data)) == data


@given(st.integers(min_value=0, max_value=2**40))
def test_an_id_is_one_of_its_kind_alone(entropy):
    made = make_id("job", at=AT, entropy=entropy)

    assert is_id(made, "job")
    assert not is_id(made, "run")
    assert made.startswith("job-20261123-091500-")


def test_a_tree_has_one_digest_that_follows_names_and_bytes(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text("1")
    before = digest_tree(tmp_path)

    (tmp_path / "a" / "x").rename(tmp_path / "a" / "y")
    renamed = digest_tree(tmp_path)
    (tmp_path / "a" / "y").write_text("2")

    assert len({before, renamed, digest_tree(tmp_path)}) == 3
