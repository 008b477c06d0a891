"""A whole notebook: published beside its reruns, cell by cell and metric by metric."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nbship.records.comparison import (
    DIVERGED,
    CellComparison,
    CellVerdict,
    ComparisonVerdict,
    MetricComparison,
)
from nbship.vetting.comparison.cells import CellCase, JudgedCell, judge_cell, worst
from nbship.vetting.comparison.judging import compare_part
from nbship.vetting.comparison.natures import Setting
from nbship.vetting.comparison.numbers import DEFAULT_RTOL
from nbship.vetting.comparison.parts import Part, warning_classes
from nbship.vetting.comparison.sources import clock_cells, dependents, reads_process
from nbship.vetting.comparison.tags import CellTags

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nbship.vetting.comparison.executions import Execution

_TIME_UNITS = frozenset(
    {"s", "ms", "us", "\u00b5s", "ns", "min", "h", "seconds", "minutes"}
)
_TIME_NAME = re.compile(
    r"(?:^|_)(?:time|seconds|secs?|s|ms|duration|elapsed|latency)(?:_|$)|per_s"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What came of comparing a notebook."""

    verdict: ComparisonVerdict
    cells: tuple[CellComparison, ...]
    metrics: tuple[MetricComparison, ...]
    notes: tuple[str, ...]
    #: reruns differ among themselves somewhere, for no known reason
    is_random: bool
    #: a cell that reads a clock diverged
    is_doubtful: bool

    @property
    def is_excused(self) -> bool:
        """Whether noise, and not equality, decided somewhere, or stands beside a change."""
        verdicts = {c.verdict for c in self.cells} | {m.verdict for m in self.metrics}
        is_noisy = any(cell.noise for cell in self.cells) or self.is_doubtful
        return CellVerdict.NOT_VERIFIABLE in verdicts or (
            is_noisy and not verdicts.isdisjoint(DIVERGED)
        )


def compare_notebooks(
    published: Execution,
    reruns: Sequence[Execution],
    *,
    tags: Mapping[str, CellTags] | None = None,
) -> Judgement:
    """Compare what was published with a rerun, in the light of further reruns.

    Parameters
    ----------
    published
        What the job left behind.
    reruns
        Executions of the same snapshot, one at least; the first is compared, the others say
        what is noise.
    tags
        What the tags of cells ask, by cell id.
    """
    rerun, others = reruns[0], reruns[1:]
    cases = _cases(published, rerun, others, tags or {})
    judged = [
        judge_cell(case, published=published, rerun=rerun, others=others)
        for case in cases
    ]
    sources = [case.rerun.source for case in cases]
    random = [at for at, cell in enumerate(judged) if cell.is_random]
    shaken = dependents(sources, random)
    cells = [_softened(at, cell, shaken, judged) for at, cell in enumerate(judged)]
    loose = {cases[at].rerun.id for at in (*random, *shaken)}
    metrics = tuple(_metrics(published, rerun, others, loose))
    notes = (*_warnings(cases), *_counts(published, rerun), *_roots(published, rerun))
    return Judgement(
        verdict=_verdict([*(c.verdict for c in cells), *(m.verdict for m in metrics)]),
        cells=tuple(cells),
        metrics=metrics,
        notes=notes,
        is_random=bool(random),
        is_doubtful=any(cell.is_doubtful for cell in judged),
    )


def _cases(
    published: Execution,
    rerun: Execution,
    others: Sequence[Execution],
    tags: Mapping[str, CellTags],
) -> list[CellCase]:
    clocks = clock_cells([cell.source for cell in rerun.cells])
    columns = [published.cells, rerun.cells, *(other.cells for other in others)]
    return [
        CellCase(
            published=theirs,
            rerun=mine,
            others=tuple(further),
            setting=Setting(
                reads_clock=reads,
                reads_process=reads_process(mine.source),
                published=published.circumstances,
                rerun=rerun.circumstances,
            ),
            tags=tags.get(mine.id, CellTags()),
        )
        for reads, (theirs, mine, *further) in zip(
            clocks, zip(*columns, strict=False), strict=False
        )
    ]


def _softened(
    at: int, cell: JudgedCell, shaken: Mapping[int, int], judged: Sequence[JudgedCell]
) -> CellComparison:
    """Call a change that rests on a random cell not verifiable."""
    found = cell.comparison
    if at not in shaken or found.verdict not in DIVERGED - {CellVerdict.ERROR}:
        return found
    number = judged[shaken[at]].comparison.number
    differences = tuple(
        replace(
            d,
            verdict=CellVerdict.NOT_VERIFIABLE,
            detail=f"{d.detail}; it rests on cell {number}, which differs between runs".lstrip(
                "; "
            ),
        )
        if d.verdict in DIVERGED
        else d
        for d in found.differences
    )
    return replace(found, verdict=CellVerdict.NOT_VERIFIABLE, differences=differences)


def _metrics(
    published: Execution,
    rerun: Execution,
    others: Sequence[Execution],
    loose: set[str],
) -> Iterator[MetricComparison]:
    for name in dict.fromkeys((*published.metrics, *rerun.metrics)):
        theirs, mine = published.metrics.get(name), rerun.metrics.get(name)
        if theirs is None or mine is None:
            yield MetricComparison(
                name=name,
                verdict=CellVerdict.MISSING,
                published=theirs.values[-1] if theirs else None,
                rerun=mine.values[-1] if mine else None,
                detail="only one of the two logged it",
            )
            continue
        is_time = mine.unit in _TIME_UNITS or _TIME_NAME.search(name) is not None
        found = compare_part(
            _series(name, theirs.values),
            _series(name, mine.values),
            [
                _series(name, o.metrics[name].values)
                for o in others
                if name in o.metrics
            ],
            setting=Setting(reads_clock=is_time),
            rtol=DEFAULT_RTOL,
        )
        verdict = worst(d.verdict for d in found)
        if verdict in DIVERGED and mine.cell_id in loose:
            verdict = CellVerdict.NOT_VERIFIABLE
        yield MetricComparison(
            name=name,
            verdict=verdict,
            published=theirs.values[-1],
            rerun=mine.values[-1],
            detail=found[0].detail if found else "",
        )


def _series(name: str, values: Sequence[float]) -> Part:
    return Part(f"metric {name}", "text", "\n".join(map(repr, values)))


def _warnings(cases: Sequence[CellCase]) -> Iterator[str]:
    for case in cases:
        new = warning_classes(case.rerun.outputs) - warning_classes(
            case.published.outputs
        )
        if new:
            names = ", ".join(sorted(new))
            yield f"cell {case.rerun.index + 1} warns anew: {names}"


def _counts(published: Execution, rerun: Execution) -> Iterator[str]:
    theirs, mine = len(published.cells), len(rerun.cells)
    if theirs != mine:
        yield f"the published notebook has {theirs} code cells, the rerun {mine}"


def _roots(published: Execution, rerun: Execution) -> Iterator[str]:
    for name, digest in published.roots.items():
        if rerun.roots.get(name) == digest:
            yield f"root {name}: captured again, byte for byte the same"
        else:
            yield f"root {name}: what was captured is not the same, byte for byte"


def _verdict(verdicts: Sequence[CellVerdict]) -> ComparisonVerdict:
    found = set(verdicts)
    if found & DIVERGED:
        return ComparisonVerdict.DIVERGED
    if CellVerdict.NOT_VERIFIABLE in found:
        return ComparisonVerdict.NOT_VERIFIABLE
    if found <= {CellVerdict.IDENTICAL}:
        return ComparisonVerdict.IDENTICAL
    return ComparisonVerdict.WITHIN_TOLERANCE
