"""One cell: every part of its outputs, and the verdict over all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nbship.records.comparison import DIVERGED, CellComparison, CellVerdict, Difference
from nbship.vetting.comparison.judging import compare_part, noisy_places
from nbship.vetting.comparison.parts import parts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nbship.records.notebook import Cell
    from nbship.vetting.comparison.executions import Execution
    from nbship.vetting.comparison.natures import Setting
    from nbship.vetting.comparison.parts import Part
    from nbship.vetting.comparison.tags import CellTags

_MOST_SHOWN = 20
_SNIPPET = 200
_ORDER = list(CellVerdict)

Parts = dict[str, "Part"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CellCase:
    """One cell in every execution."""

    published: Cell
    rerun: Cell
    #: the cell in further reruns
    others: tuple[Cell, ...]
    setting: Setting
    tags: CellTags


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedCell:
    """The comparison of a cell, and whether its noise is without a known reason."""

    comparison: CellComparison
    is_random: bool = False
    #: it diverged, and reads a clock
    is_doubtful: bool = False


def judge_cell(
    case: CellCase,
    *,
    published: Execution,
    rerun: Execution,
    others: Sequence[Execution],
) -> JudgedCell:
    """Compare one cell in every execution."""
    theirs = parts_of(case.published.outputs, published.folders)
    mine = parts_of(case.rerun.outputs, rerun.folders)
    further = [
        parts_of(cell.outputs, execution.folders)
        for cell, execution in zip(case.others, others, strict=True)
    ]
    found = list(_differences(case, theirs, mine, further))
    noise = list(_noise(case, mine, further))
    if case.tags.is_noise:
        found = [replace(d, verdict=CellVerdict.NOISE, rule="tag") for d in found]
    comparison = CellComparison(
        cell_id=case.rerun.id,
        number=case.rerun.index + 1,
        verdict=worst(d.verdict for d in found),
        title=_title(case.rerun.source),
        differences=tuple(sorted(found, key=_badness))[:_MOST_SHOWN],
        noise=tuple(place for place, _ in noise[:_MOST_SHOWN]),
    )
    is_random = not case.tags.is_noise and any(unknown for _, unknown in noise)
    return JudgedCell(
        comparison=comparison,
        is_random=is_random,
        is_doubtful=case.setting.reads_clock and comparison.verdict in DIVERGED,
    )


def worst(verdicts: Iterator[CellVerdict]) -> CellVerdict:
    """Return the worst of some verdicts; none at all is identical."""
    return max(verdicts, key=_ORDER.index, default=CellVerdict.IDENTICAL)


def _badness(difference: Difference) -> int:
    return -_ORDER.index(difference.verdict)


def _title(source: str) -> str:
    lines = (line.strip() for line in source.splitlines())
    return next((line for line in lines if line), "")[:_SNIPPET]


def _differences(
    case: CellCase, theirs: Parts, mine: Parts, further: Sequence[Parts]
) -> Iterator[Difference]:
    failure = _failure(case, theirs, mine)
    if failure is not None:
        yield failure
        return
    for place in dict.fromkeys((*theirs, *mine)):
        if place in theirs and place in mine:
            yield from compare_part(
                theirs[place],
                mine[place],
                [parts[place] for parts in further if place in parts],
                setting=case.setting,
                rtol=case.tags.rtol,
            )
        else:
            yield _one_sided(place, theirs, mine, further)


def _failure(case: CellCase, theirs: Parts, mine: Parts) -> Difference | None:
    if "error" in mine and "error" not in theirs:
        return Difference(
            place="error",
            rule="execution",
            verdict=CellVerdict.ERROR,
            rerun=mine["error"].content[:_SNIPPET],
            detail="the cell raised",
        )
    ran = case.published.execution_count is not None
    if ran and case.rerun.execution_count is None and not mine:
        return Difference(
            place="cell",
            rule="execution",
            verdict=CellVerdict.ERROR,
            detail="the cell did not run",
        )
    return None


def _one_sided(
    place: str,
    theirs: Mapping[str, Part],
    mine: Mapping[str, Part],
    further: Sequence[Parts],
) -> Difference:
    is_missing = place in theirs
    part = theirs[place] if is_missing else mine[place]
    shown = part.content[:_SNIPPET] if part.kind == "text" else "(a picture)"
    is_noisy = any((place in parts) == is_missing for parts in further)
    return Difference(
        place=place,
        rule="missing output" if is_missing else "extra output",
        verdict=CellVerdict.NOT_VERIFIABLE if is_noisy else CellVerdict.MISSING,
        published=shown if is_missing else "",
        rerun="" if is_missing else shown,
        detail="the reruns differ in whether it is there" if is_noisy else "",
    )


def _noise(
    case: CellCase, mine: Parts, further: Sequence[Parts]
) -> Iterator[tuple[str, bool]]:
    for place, part in mine.items():
        others = [parts[place] for parts in further if place in parts]
        yield from noisy_places(part, others, case.setting)
        if len(others) < len(further):
            yield place, True
    for place in {place for parts in further for place in parts} - set(mine):
        yield place, True
