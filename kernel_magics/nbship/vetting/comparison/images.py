"""Pictures: pixel by pixel where reruns draw the same pixels, by likeness where they do not.

The likeness is that of dHash (a 9 by 8 picture, each pixel beside its right neighbour: 64 bits;
Neal Krawetz, "Kind of Like That", 2013) and the mean absolute difference of 64 by 64 grey pixels.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbship.records.comparison import CellVerdict

if TYPE_CHECKING:
    from collections.abc import Sequence

#: bits of 64 up to which two pictures show the same
SAME_BITS = 6
#: mean absolute difference, 0 to 1, up to which they do
SAME_SHARE = 0.02
#: pixels around a noisy one that are noise too: a label with one more digit is that much wider
_MARGIN = 16
#: part of a picture up to which noise is local, and a change beside it counts
_LOCAL = 0.25
#: part of a picture up to which a change may be the label of a duration
_LABEL = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageJudgement:
    """How two pictures stand to each other."""

    verdict: CellVerdict
    rule: str
    detail: str


def compare_images(
    published: str, rerun: str, others: Sequence[str], *, reads_clock: bool = False
) -> ImageJudgement:
    """Compare two pictures, given in base64.

    Parameters
    ----------
    published, rerun
        The two.
    others
        The same picture of further reruns, of which the noise is learned.
    reads_clock
        The cell reads a clock, so that a picture that moves shows durations.
    """
    theirs, mine = _decoded(published), _decoded(rerun)
    if theirs is None or mine is None:
        return ImageJudgement(
            verdict=CellVerdict.CHANGED, rule="image", detail="it cannot be decoded"
        )
    further = [picture for text in others if (picture := _decoded(text)) is not None]
    if theirs.shape == mine.shape and (theirs == mine).all():
        return ImageJudgement(
            verdict=CellVerdict.IDENTICAL, rule="pixels", detail="equal pixel by pixel"
        )
    if all(_is_equal(mine, other) for other in further):
        is_label = reads_clock and _spot(mine, theirs) <= _LABEL
        return ImageJudgement(
            verdict=CellVerdict.NOT_VERIFIABLE if is_label else CellVerdict.CHANGED,
            rule="clock" if is_label else "pixels",
            detail=f"{_apart(mine, theirs)}; reruns draw the same pixels",
        )
    return _beside_noise(mine, theirs, further, reads_clock=reads_clock)


def is_steady(rerun: str, others: Sequence[str]) -> bool:
    """Tell whether every rerun drew the same pixels."""
    unlike = [other for other in others if other != rerun]
    mine = _decoded(rerun) if unlike else None
    return all(_is_equal(mine, _decoded(other)) for other in unlike)


def _beside_noise(
    mine: Any,  # noqa: ANN401  # arrays; numpy is imported in functions
    theirs: Any,  # noqa: ANN401
    further: Sequence[Any],
    *,
    reads_clock: bool,
) -> ImageJudgement:
    rest, noisy = _outside_noise(mine, theirs, further)
    if rest == 0:
        is_local = noisy <= _LOCAL or reads_clock
        return ImageJudgement(
            verdict=CellVerdict.NOISE if is_local else CellVerdict.NOT_VERIFIABLE,
            rule="pixels",
            detail="differs only where the reruns differ among themselves",
        )
    detail = f"{_apart(mine, theirs)}; reruns differ too"
    if reads_clock:
        return ImageJudgement(
            verdict=CellVerdict.NOISE,
            rule="clock",
            detail=f"{detail}, and read a clock",
        )
    bits, share = _likeness(mine, theirs)
    own = [_likeness(mine, other) for other in further]
    is_small = all(b <= SAME_BITS and s <= SAME_SHARE for b, s in own)
    if not is_small:
        verdict = CellVerdict.NOT_VERIFIABLE
    elif noisy <= _LOCAL:
        verdict = CellVerdict.CHANGED
    elif bits <= SAME_BITS and share <= SAME_SHARE:
        verdict = CellVerdict.WITHIN_TOLERANCE
    else:
        verdict = CellVerdict.CHANGED
    return ImageJudgement(verdict=verdict, rule="picture", detail=detail)


def _decoded(text: str) -> Any:  # noqa: ANN401
    import numpy as np
    from PIL import Image

    try:
        with Image.open(io.BytesIO(base64.b64decode(text))) as picture:
            return np.asarray(picture.convert("RGBA"), dtype=np.int16)
    except (OSError, ValueError, SyntaxError):  # SyntaxError: a broken PNG, says Pillow
        return None


def _is_equal(a: Any, b: Any) -> bool:  # noqa: ANN401
    if a is None or b is None:
        return a is b
    return bool(a.shape == b.shape and (a == b).all())


def _outside_noise(
    mine: Any,  # noqa: ANN401
    theirs: Any,  # noqa: ANN401
    further: Sequence[Any],
) -> tuple[int, float]:
    """Count the pixels that differ where the reruns do not; and the part where these do."""
    import numpy as np

    if any(other.shape != mine.shape for other in (theirs, *further)):
        return int(theirs.shape[0] * theirs.shape[1]), 1.0
    noisy = np.zeros(mine.shape[:2], dtype=bool)
    for other in further:
        noisy |= (other != mine).any(axis=2)
    noisy = _widened(noisy)
    differ = (theirs != mine).any(axis=2) & ~noisy
    return int(differ.sum()), float(noisy.mean())


def _spot(mine: Any, theirs: Any) -> float:  # noqa: ANN401
    """Return the part of the picture that a box around all differences takes."""
    import numpy as np

    if mine.shape != theirs.shape:
        return 1.0
    rows, columns = np.nonzero((mine != theirs).any(axis=2))
    box = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    return float(box / (mine.shape[0] * mine.shape[1]))


def _widened(mask: Any) -> Any:  # noqa: ANN401
    import numpy as np

    for axis in (0, 1):
        sums = np.cumsum(mask, axis=axis, dtype=np.int32)
        size = mask.shape[axis]
        last = np.minimum(np.arange(size) + _MARGIN, size - 1)
        first = np.arange(size) - _MARGIN - 1
        before = np.take(sums, np.maximum(first, 0), axis=axis)
        edge = (first < 0)[:, None] if axis == 0 else (first < 0)[None, :]
        mask = np.take(sums, last, axis=axis) - np.where(edge, 0, before) > 0
    return mask


def _likeness(a: Any, b: Any) -> tuple[int, float]:  # noqa: ANN401
    """Return the bits of dHash that differ, and the mean absolute difference, 0 to 1."""
    import numpy as np

    hashes = [_grey(x, (9, 8))[:, 1:] > _grey(x, (9, 8))[:, :-1] for x in (a, b)]
    small = [_grey(x, (64, 64)) for x in (a, b)]
    share = float(np.abs(small[0] - small[1]).mean() / 255)
    return int((hashes[0] != hashes[1]).sum()), share


def _grey(picture: Any, size: tuple[int, int]) -> Any:  # noqa: ANN401
    import numpy as np
    from PIL import Image

    image = Image.fromarray(picture.astype(np.uint8)).convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    flat = Image.alpha_composite(white, image).convert("L")
    small = flat.resize(size, Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float64)


def _apart(mine: Any, theirs: Any) -> str:  # noqa: ANN401
    if mine.shape != theirs.shape:
        size = [f"{x.shape[1]} by {x.shape[0]}" for x in (theirs, mine)]
        return f"published {size[0]}, rerun {size[1]} pixels"
    differ = (mine != theirs).any(axis=2)
    bits, share = _likeness(mine, theirs)
    return (
        f"{int(differ.sum())} of {differ.size} pixels differ, dHash {bits} of 64 bits,"
        f" mean difference {share:.4f}"
    )
