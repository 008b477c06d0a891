"""One part of a cell's outputs: published beside rerun, in the light of the noise learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.records.comparison import CellVerdict, Difference
from nbship.vetting.comparison.images import compare_images, is_steady
from nbship.vetting.comparison.natures import nature
from nbship.vetting.comparison.noise import SPREADS, learn, same_tokens
from nbship.vetting.comparison.numbers import distance, limit, relative
from nbship.vetting.comparison.pairing import WHOLE, mismatches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nbship.vetting.comparison.natures import Setting
    from nbship.vetting.comparison.noise import TextNoise
    from nbship.vetting.comparison.pairing import Mismatch
    from nbship.vetting.comparison.parts import Part

#: relative distance of two reruns up to which a number still says something
_SAYS_SOMETHING = 1e-3
_SNIPPET = 200
_ORDER = list(CellVerdict)


def compare_part(
    published: Part,
    rerun: Part,
    others: Sequence[Part],
    *,
    setting: Setting,
    rtol: float,
) -> tuple[Difference, ...]:
    """Compare one part with what was published; the worst difference comes first.

    Parameters
    ----------
    published, rerun
        The part in both executions.
    others
        The same part in further reruns.
    setting
        What is known of the cell.
    rtol
        Relative tolerance of numbers.
    """
    if published.content == rerun.content:
        return ()
    if rerun.kind == "picture":
        found = list(_picture(published, rerun, others, setting))
    else:
        found = list(_text(published, rerun, others, setting=setting, rtol=rtol))
    return tuple(sorted(found, key=lambda d: -_ORDER.index(d.verdict)))


def noisy_places(
    rerun: Part, others: Sequence[Part], setting: Setting
) -> Iterator[tuple[str, bool]]:
    """Name where reruns differ among themselves, and whether nobody knows why."""
    if rerun.kind == "picture":
        if not is_steady(rerun.content, [other.content for other in others]):
            yield rerun.place, not setting.reads_clock
        return
    noise = learn(rerun.lines, [other.lines for other in others])
    for (line, _), seen in sorted(noise.seen.items()):
        is_known = noise.is_order or all(
            nature(m, setting, is_noisy=True) or _is_small(noise, m) for m in seen
        )
        yield f"{rerun.place}, line {line + 1}", not is_known


def _is_small(noise: TextNoise, mismatch: Mismatch) -> bool:
    spread = noise.spread(mismatch)
    return spread is not None and spread[1] <= _SAYS_SOMETHING


def _picture(
    published: Part, rerun: Part, others: Sequence[Part], setting: Setting
) -> Iterator[Difference]:
    judged = compare_images(
        published.content,
        rerun.content,
        [other.content for other in others],
        reads_clock=setting.reads_clock,
    )
    if judged.verdict is not CellVerdict.IDENTICAL:
        yield Difference(
            place=rerun.place,
            rule=judged.rule,
            verdict=judged.verdict,
            detail=judged.detail,
        )


def _text(
    published: Part,
    rerun: Part,
    others: Sequence[Part],
    *,
    setting: Setting,
    rtol: float,
) -> Iterator[Difference]:
    noise = learn(rerun.lines, [other.lines for other in others])
    if noise.is_order and same_tokens(published.lines, rerun.lines):
        yield Difference(
            place=rerun.place,
            rule="order",
            verdict=CellVerdict.NOISE,
            detail="the same in another order, as in the reruns",
        )
        return
    for mismatch in mismatches(rerun.lines, published.lines):
        verdict, rule, detail = _judged(mismatch, noise, setting, rtol=rtol)
        yield Difference(
            place=f"{rerun.place}, line {mismatch.line + 1}",
            rule=rule,
            verdict=verdict,
            published=_snippet(mismatch, is_published=True),
            rerun=_snippet(mismatch, is_published=False),
            detail=detail,
        )


def _judged(
    mismatch: Mismatch, noise: TextNoise, setting: Setting, *, rtol: float
) -> tuple[CellVerdict, str, str]:
    is_noisy = noise.is_noisy(mismatch) and not noise.is_order
    if name := nature(mismatch, setting, is_noisy=is_noisy):
        return CellVerdict.NOISE, name, "" if is_noisy else "recognised by its form"
    if mismatch.is_number:
        return _number(mismatch, noise, rtol=rtol, is_noisy=is_noisy)
    if is_noisy:
        rule = "lines" if mismatch.slot == WHOLE else "text"
        return (
            CellVerdict.NOT_VERIFIABLE,
            rule,
            "the reruns differ among themselves here",
        )
    if mismatch.slot != WHOLE:
        return CellVerdict.CHANGED, "text", ""
    if mismatch.reference_line is None:
        return CellVerdict.CHANGED, "missing line", ""
    return CellVerdict.CHANGED, "extra line" if not mismatch.other_line else "text", ""


def _number(  # noqa: PLR0911  # one line a case
    mismatch: Mismatch, noise: TextNoise, *, rtol: float, is_noisy: bool
) -> tuple[CellVerdict, str, str]:
    mine, theirs = mismatch.reference, mismatch.other
    if mine is None or theirs is None:  # never: is_number says so
        return CellVerdict.CHANGED, "text", ""
    gap = distance(mine.text, theirs.text)
    allowed = limit(mine.text, theirs.text, rtol=rtol)
    part = relative(mine.text, theirs.text)
    said = f"apart by {gap:.3g} ({part:.2g} of it)"
    if gap <= allowed:
        detail = f"{said}, limit {allowed:.3g}"
        return CellVerdict.WITHIN_TOLERANCE, "number", detail
    spread = noise.spread(mismatch)
    if spread is None:
        if is_noisy:
            detail = f"{said}; the reruns differ among themselves here"
            return CellVerdict.NOT_VERIFIABLE, "number", detail
        return CellVerdict.CHANGED, "number", f"{said}, limit {allowed:.3g}"
    wide = SPREADS * spread[0]
    detail = f"{said}; the reruns lie {spread[0]:.3g} apart"
    if spread[1] > _SAYS_SOMETHING:
        return CellVerdict.NOT_VERIFIABLE, "number", detail
    if gap <= wide:
        return CellVerdict.WITHIN_TOLERANCE, "spread", f"{detail}, limit {wide:.3g}"
    return CellVerdict.CHANGED, "spread", f"{detail}, limit {wide:.3g}"


def _snippet(mismatch: Mismatch, *, is_published: bool) -> str:
    line = mismatch.other_line if is_published else mismatch.reference_line
    if line is None:
        return ""
    text = " ".join(line.text.split())
    return text if len(text) <= _SNIPPET else _around(text, mismatch, is_published)


def _around(text: str, mismatch: Mismatch, is_published: bool) -> str:  # noqa: FBT001
    token = mismatch.other if is_published else mismatch.reference
    at = max(0, text.find(token.text) - _SNIPPET // 2) if token else 0
    return text[at : at + _SNIPPET]
