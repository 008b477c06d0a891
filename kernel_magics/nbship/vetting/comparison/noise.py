"""Noise learned from reruns: whatever differs between two runs of one notebook is noise there."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbship.vetting.comparison.numbers import distance, last_digit, relative
from nbship.vetting.comparison.pairing import WHOLE, mismatches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbship.vetting.comparison.pairing import Mismatch
    from nbship.vetting.comparison.texts import Line

#: how many times the spread of the reruns a published number may lie away: with two reruns the
#: two-sided 99 % prediction interval of a normal value is t(0.995, 1 degree) * sqrt(1 + 1/2) /
#: sqrt(2) = 55 times their distance
SPREADS = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class TextNoise:
    """What reruns say about one text, in the places of the first of them."""

    #: place -> the differences seen there
    seen: Mapping[tuple[int, int], tuple[Mismatch, ...]] = field(default_factory=dict)
    #: (form of the line, slot) -> largest distance and largest relative distance
    spreads: Mapping[tuple[tuple[str, ...], int], tuple[float, float]] = field(
        default_factory=dict
    )
    #: the reruns have the same tokens in another order
    is_order: bool = False
    #: the reruns have different lines
    is_structural: bool = False

    def is_noisy(self, mismatch: Mismatch) -> bool:
        """Tell whether the reruns differ among themselves at that place, or at one like it."""
        at, slot = mismatch.place
        return (
            (at, slot) in self.seen
            or (at, WHOLE) in self.seen
            or self.spread(mismatch) is not None
            or (slot == WHOLE and (self.is_structural or self._has_line(at)))
        )

    def spread(self, mismatch: Mismatch) -> tuple[float, float] | None:
        """Return how far the reruns lie apart there, absolutely and relatively."""
        line = mismatch.reference_line
        if line is None or not mismatch.is_number:
            return None
        return self.spreads.get((line.skeleton, mismatch.slot))

    def _has_line(self, at: int) -> bool:
        return any(line == at for line, _ in self.seen)


def learn(reference: Sequence[Line], others: Sequence[Sequence[Line]]) -> TextNoise:
    """Learn the noise of one text from further runs of the same notebook."""
    seen: dict[tuple[int, int], list[Mismatch]] = defaultdict(list)
    spreads: dict[tuple[tuple[str, ...], int], tuple[float, float]] = {}
    for other in others:
        for mismatch in mismatches(reference, other):
            seen[mismatch.place].append(mismatch)
            _widen(spreads, mismatch)
    return TextNoise(
        seen={place: tuple(found) for place, found in seen.items()},
        spreads=spreads,
        is_order=bool(seen) and all(same_tokens(reference, o) for o in others),
        is_structural=any(len(other) != len(reference) for other in others),
    )


def same_tokens(a: Sequence[Line], b: Sequence[Line]) -> bool:
    """Tell whether two texts have the same tokens, in whatever order."""
    return _tokens(a) == _tokens(b)


def _tokens(lines: Sequence[Line]) -> Counter[str]:
    return Counter(token.text for line in lines for token in line.tokens)


def _widen(
    spreads: dict[tuple[tuple[str, ...], int], tuple[float, float]], mismatch: Mismatch
) -> None:
    mine, theirs, line = (
        mismatch.reference,
        mismatch.other,
        mismatch.reference_line,
    )
    if not mismatch.is_number or mine is None or theirs is None or line is None:
        return
    key = (line.skeleton, mismatch.slot)
    gap = max(distance(mine.text, theirs.text), last_digit(mine.text))
    wide, part = spreads.get(key, (0.0, 0.0))
    spreads[key] = max(wide, gap), max(part, relative(mine.text, theirs.text))
