"""The version that changes ask for, and the changelog that tells them."""

import dataclasses
from datetime import date

import pytest

from nbship.records.release import Column, RootCapture, StateEntry
from nbship.records.release_diff import (
    AnswerChanges,
    Flip,
    Level,
    OutputComparison,
    PinChange,
    Reason,
    StateDifference,
)
from nbship.release.changelog import changelog_entry, changelog_text, version_remark
from nbship.release.changes import changes_between
from nbship.release.contents import Contents
from nbship.release.names import is_lower, raised_version
from support.captures import FARE_MODULE, FARE_SIGNATURE
from support.release_pairs import DEARER_MODULE, DEARER_SIGNATURE

DAY = date(2026, 11, 23)
RATES = StateEntry(
    name="RATES", codec="json", file="RATES.json", digest="aa", size_bytes=80
)
CAPTURE = RootCapture(
    name="fare",
    kind="function",
    module="module.py",
    module_digest="",
    state=(RATES,),
    requirements={},
    python_version="3.11.7",
    signature=FARE_SIGNATURE,
    golden_cases=24,
    golden_rows=24,
    golden="golden.jsonl",
    golden_digest="g1",
    source_map={"9": {"cell_id": "fare-4", "execution_count": 4, "line": 2}},
)
OLD = Contents(
    name="fares",
    version="1.2.3",
    package="fares",
    capture=CAPTURE,
    capture_digest="c1",
    snapshot_digest="s1",
    pins={"numpy": "2.4.0", "six": "1.17.0"},
    metrics={"error": 0.5},
    sources={"model.py": FARE_MODULE},
)
SAME = AnswerChanges(
    cases=24,
    old_cases=24,
    new_cases=24,
    outputs=(
        OutputComparison(name="price", rows=24, equal=24, identical=24, rtol=1e-9),
    ),
)


def with_capture(**changes):
    return dataclasses.replace(
        OLD, capture=dataclasses.replace(CAPTURE, **changes), capture_digest="c2"
    )


def answered(**changes):
    output = dataclasses.replace(SAME.outputs[0], equal=20, identical=20, **changes)
    return dataclasses.replace(SAME, outputs=(output,))


@pytest.mark.parametrize(
    ("new", "answers", "level", "reason", "version"),
    [
        (OLD, None, "patch", "the same code, state and requirements", "1.2.4"),
        (dataclasses.replace(OLD, pins={"numpy": "2.5.0"}), SAME, "patch", "requirements changed", "1.2.4"),
        (dataclasses.replace(OLD, snapshot_digest="s2"), SAME, "patch", "the notebook's text changed", "1.2.4"),
        (with_capture(golden_digest="g2"), SAME, "patch", "golden cases changed", "1.2.4"),
        (OLD, answered(largest_absolute=0.31, largest_relative=0.021), "minor", "answers changed: `price` in 4 of 24 rows, by up to 0.31 (2.1 %)", "1.3.0"),
        (OLD, answered(flipped=4, flips=(Flip(old="a", new="b", rows=4),)), "minor", "answers changed: `price` in 4 of 24 rows, 4 with another label ('a' to 'b')", "1.3.0"),
        (OLD, dataclasses.replace(SAME, refused_by_old=2), "minor", "2 of 24 calls that 1.2.3 answers are refused by 1.2.3", "1.3.0"),
        (OLD, dataclasses.replace(SAME, refused_by_new=1), "major", "1 of 24 calls that 1.2.3 answers are refused by 1.2.3", "2.0.0"),
        (OLD, dataclasses.replace(SAME, incomparable=("x",)), "major", "answers of another form: x", "2.0.0"),
        (with_capture(python_version="3.12.1"), SAME, "minor", "Python 3.12 where it was 3.11", "1.3.0"),
        (with_capture(variables=("KEY",)), SAME, "minor", "reads the variable KEY", "1.3.0"),
        (dataclasses.replace(OLD, package="rides"), SAME, "major", "import name rides where it was fares", "2.0.0"),
        (with_capture(signature=DEARER_SIGNATURE), SAME, "minor", "input `tip` added: float64, optional", "1.3.0"),
        (with_capture(), None, "minor", "answers were not compared (why), and code or state changed", "1.3.0"),
    ],
)  # fmt: skip
def test_a_change_asks_for_a_version(new, answers, level, reason, version):
    changes = changes_between(
        OLD, new, answers, not_asked="" if answers or new is OLD else "why"
    )

    assert (changes.level.value, changes.reasons[0].text) == (level, reason)
    assert changes.suggested_version == version


def test_the_gravest_reason_comes_first():
    new = with_capture(signature=DEARER_SIGNATURE)
    changes = changes_between(OLD, new, dataclasses.replace(SAME, refused_by_new=1))

    assert [reason.level for reason in changes.reasons] == [
        Level.MAJOR,
        Level.MINOR,
        Level.MINOR,
    ]


def test_ranges_that_were_only_seen_are_no_reason():
    wider = dataclasses.replace(FARE_SIGNATURE.inputs[1], maximum=40.0)
    signature = dataclasses.replace(
        FARE_SIGNATURE, inputs=(FARE_SIGNATURE.inputs[0], wider)
    )
    changes = changes_between(OLD, with_capture(signature=signature), SAME)

    assert len(changes.signature) == 1
    assert changes.reasons == (
        Reason(level=Level.PATCH, text="the same code, state and requirements"),
    )


@pytest.mark.parametrize(
    ("version", "patch", "minor", "major"),
    [
        ("1.2.3", "1.2.4", "1.3.0", "2.0.0"),
        ("1.2", "1.2.1", "1.3.0", "2.0.0"),
        ("2", "2.0.1", "2.1.0", "3.0.0"),
        ("0.4.1", "0.4.2", "0.5.0", "0.5.0"),
        ("1.0.0rc1", "1.0.1", "1.1.0", "2.0.0"),
    ],
)
def test_versions_are_raised_by_level(version, patch, minor, major):
    raised = [raised_version(version, level) for level in Level]

    assert raised == [patch, minor, major]


def test_versions_are_compared_by_their_numbers():
    assert is_lower("1.9.0", "1.10.0")
    assert is_lower("1", "1.0.1")
    assert not is_lower("2", "2.0.0")
    assert not is_lower("2.0.0rc1", "2.0.0")


def test_state_code_and_requirements_are_told_with_cells_and_digests():
    new = dataclasses.replace(
        with_capture(state=(dataclasses.replace(RATES, digest="bb", size_bytes=90),)),
        sources={"model.py": DEARER_MODULE},
        pins={"numpy": "2.4.0", "pandas": "3.0.0"},
    )
    changes = changes_between(OLD, new, SAME)

    assert changes.state == (
        StateDifference(
            name="RATES",
            codec="json",
            old_digest="aa",
            new_digest="bb",
            old_bytes=80,
            new_bytes=90,
        ),
    )
    assert changes.requirements == (
        PinChange(name="pandas", old="", new="3.0.0"),
        PinChange(name="six", old="1.17.0", new=""),
    )
    (hunk,) = changes.code
    assert (hunk.file, hunk.old_line, hunk.new_line) == ("model.py", 6, 6)
    assert hunk.old_cell == "cell In[4] (fare-4) line 2"
    assert "-def fare(zone: str, km: float) -> dict:" in hunk.lines
    assert "+def fare(zone: str, km: float, tip: float = 0.0) -> dict:" in hunk.lines


def test_the_changelog_tells_each_change_in_its_section():
    new = dataclasses.replace(
        with_capture(signature=DEARER_SIGNATURE),
        version="2.0.0",
        sources={"model.py": DEARER_MODULE},
        pins={"numpy": "2.5.0", "pandas": "3.0.0"},
        metrics={"error": 0.4, "bias": 0.1},
        snapshot_digest="5" * 64,
    )
    answers = dataclasses.replace(
        answered(largest_absolute=0.31, largest_relative=0.021), refused_by_new=2
    )

    entry = changelog_entry(
        "2.0.0", DAY, changes_between(OLD, new, answers), digest="d1"
    )

    assert entry == (
        "## [2.0.0] - 2026-11-23\n"
        "\nFollows 1.2.3, bundle digest `d1`.\n"
        "\n### Added\n\n"
        "- Input `tip` added: float64, optional.\n"
        "- Output `is_long` added: bool.\n"
        "- Metric bias: 0.1.\n"
        "- Requirement pandas 3.0.0.\n"
        "\n### Changed\n\n"
        "- Answers: `price` in 4 of 24 rows, by up to 0.31 (2.1 %).\n"
        "- Captured code: changed.\n"
        "- Notebook: other text, now sha256 `5555555555555555…`.\n"
        "- Metric error: 0.4 where it was 0.5.\n"
        "- Requirement numpy: 2.5.0 where it was 2.4.0.\n"
        "\n### Removed\n\n"
        "- **Breaking:** 2 of 24 calls that 1.2.3 answers are refused.\n"
        "- Requirement six 1.17.0.\n"
    )


def test_a_release_whose_forerunner_cannot_be_read_says_so():
    from nbship.release.changelog import Before

    before = Before(version="1.0.0", changelog="# Changelog\n\n## [1.0.0]\n", digest="")

    text = changelog_text(
        "1.1.0", DAY, None, before=before, not_compared="manifest.json: missing"
    )

    assert text == (
        "# Changelog\n\n## [1.1.0] - 2026-11-23\n\n### Changed\n\n"
        "- Not known: not compared with 1.0.0: manifest.json: missing.\n"
        "\n## [1.0.0]\n"
    )


def test_a_version_that_promises_less_than_there_is_gets_a_remark():
    changes = changes_between(
        OLD, OLD, answered(largest_absolute=0.31, largest_relative=0.021)
    )

    assert version_remark(changes, "1.3.0") == ""
    assert version_remark(None, "1.0.0") == ""
    assert version_remark(changes, "1.2.4") == (
        "version 1.2.4 is lower than 1.3.0, which the changes since 1.2.3 ask for (minor:"
        " answers changed: `price` in 4 of 24 rows, by up to 0.31 (2.1 %))"
    )


def test_a_column_is_told_with_all_that_it_is():
    from nbship.release.signature_changes import kind_text

    column = Column(
        name="x", dtype="float64", form="array", shape=(3,), unit="m", is_nullable=True
    )

    assert kind_text(column) == "float64 (array) of shape (3,) in m, may be missing"
