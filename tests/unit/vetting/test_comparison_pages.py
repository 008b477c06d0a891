"""A comparison in words and as a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from nbship.records.codec import from_json, to_json
from nbship.records.comparison import (
    CellComparison,
    CellVerdict,
    ComparedRun,
    Comparison,
    ComparisonVerdict,
    Difference,
    MetricComparison,
)
from nbship.vetting.formats.comparison import comparison_html, comparison_text

COMPARISON = Comparison(
    id="comparison-20261123-091500-7k2m",
    job_id="job-20261123-090740-bm1g",
    attempt=1,
    compared_at=datetime(2026, 11, 23, 9, 15, tzinfo=UTC),
    verdict=ComparisonVerdict.DIVERGED,
    environment="current",
    runs=(
        ComparedRun(attempt=1, status="succeeded", duration_s=4.1),
        ComparedRun(attempt=2, status="succeeded", duration_s=4.0, hash_seed="1"),
    ),
    cells=(
        CellComparison(cell_id="a", number=2, verdict=CellVerdict.IDENTICAL),
        CellComparison(
            cell_id="b",
            number=3,
            verdict=CellVerdict.CHANGED,
            title="print(accuracy)",
            differences=(
                Difference(
                    place="printed, line 1",
                    rule="number",
                    verdict=CellVerdict.CHANGED,
                    published="accuracy <b>0.97</b>",
                    rerun="accuracy 0.98",
                    detail="apart by 0.01, limit 9.8e-07",
                ),
            ),
        ),
    ),
    metrics=(
        MetricComparison(
            name="accuracy", verdict=CellVerdict.CHANGED, published=0.97, rerun=0.98
        ),
    ),
    notes=("cell 3 warns anew: FutureWarning",),
)


def test_the_text_names_the_first_cell_with_both_snippets_and_the_rule():
    assert comparison_text(COMPARISON).splitlines() == [
        "job-20261123-090740-bm1g rerun: diverged at cell 3 (1 identical, 1 changed)",
        "  cell 3  changed  print(accuracy)",
        "    printed, line 1, number: apart by 0.01, limit 9.8e-07",
        "      published  accuracy <b>0.97</b>",
        "      rerun      accuracy 0.98",
        "  metric accuracy: changed, 0.97 -> 0.98",
        "  note: cell 3 warns anew: FutureWarning",
        "  runs in the current environment: 4.1 s, 4.0 s (hash seed 1)",
    ]


def test_html_escapes_what_came_from_the_notebook():
    page = comparison_html(COMPARISON)
    assert "accuracy &lt;b&gt;0.97" in page
    assert "<b>" not in page


def test_changed_inputs_are_named():
    changed = replace(
        COMPARISON,
        verdict=ComparisonVerdict.INPUT_CHANGED,
        changed_inputs=("d.csv",),
        cells=(),
        metrics=(),
        runs=(),
        notes=(),
    )
    assert comparison_text(changed) == (
        "job-20261123-090740-bm1g rerun: input changed: d.csv"
    )


def test_the_record_is_read_back():
    assert from_json(Comparison, to_json(COMPARISON)) == COMPARISON
