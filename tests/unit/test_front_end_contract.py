"""The front end's record types are those of the Python records."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbship_lab.contract import contract, type_script

FRONT_END = Path(__file__).parents[2] / "extension"


def test_contract_ts_is_what_the_records_give():
    written = (FRONT_END / "src" / "contract.ts").read_text("utf-8")
    assert written == contract(), (
        "run: python -m nbship_lab.contract > extension/src/contract.ts"
    )


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (str, "string"),
        (int | None, "number | null"),
        (tuple[float, ...], "readonly number[]"),
    ],
)
def test_annotations_have_their_type_script(annotation, expected):
    assert type_script(annotation) == expected


def test_an_annotation_without_a_rule_is_refused():
    with pytest.raises(TypeError, match="no TypeScript type"):
        type_script(bytes)
