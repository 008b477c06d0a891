"""What differs between any two executions, recognised by its form.

Learned noise decides first; a form alone decides only where it is beyond doubt, because the
same digits may be somebody's data: ``2.0 s`` is a duration in one notebook and the answer of
another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbship.vetting.comparison.pairing import Mismatch
    from nbship.vetting.comparison.texts import Line, Token

_UNITS = frozenset(
    {"ns", "us", "\u00b5s", "\u03bcs", "ms", "s", "sec", "secs", "second", "seconds"}
    | {"min", "mins", "minute", "minutes", "h", "hour", "hours", "it"}
)
#: words beside which a number with a unit of time is how long something took
_TIMING = re.compile(
    r"\b(?:elapsed|took|wall[ _-]?(?:clock )?time|CPU times?|ETA|run(?:ning)?[ _]?time|"
    r"per loop|loops? each|finished in|done in)\b|it/s|s/it|/step",
    re.IGNORECASE,
)
#: lines that hold nothing but times and counts of repetitions
_MEASURED = re.compile(r"\b(?:per loop|loops? each|CPU times?)\b|it/s|s/it")
#: words behind which a number without a unit is one too
_ELAPSED = re.compile(r"\b(?:elapsed|wall[ _-]?time)\W{0,3}$", re.IGNORECASE)
_TOOK = re.compile(
    r"\b(?:elapsed|took|time|seconds|runtime|duration)\W{0,3}(?:in|of|is)?\W{0,3}$",
    re.IGNORECASE,
)
#: names of what was timed: ``fit_time``, ``refit_time_``
_TIMED_NAME = re.compile(r"^\W*\w+_(?:time|seconds|duration)_?\W*$")
#: ... before a list of such: ``'mean_fit_time': array([0.1, ``, which scikit-learn may shorten
_TIMED_LIST = re.compile(r"'(?:\w+_time|(?:me|st)\.\.\.me)':(?:array\()?\[[^\]]*$")
_DURATIONS = re.compile(
    r"(?:\b\d+(?:\.\d+)?\s*(?:[num\u00b5\u03bc]?s|secs?|seconds?|mins?|minutes?|h|hours?)\b[ ,]*)+"
)
_TEMPORARY = re.compile(r"^(?:tmp\w{6,}|ipykernel_\w*|kernel_\d+)$")
#: integers from here on are addresses where two runs differ in them: ``id(x)``
_ADDRESS = 2**32


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstances:
    """When and as what an execution ran."""

    #: aware
    began_at: datetime
    ended_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What is known of a cell whose outputs are judged."""

    #: its code reads a clock, or shows what an earlier cell read from one
    reads_clock: bool = False
    #: its code asks for the process or the machine
    reads_process: bool = False
    #: the published execution and the rerun; None where it is not known
    published: Circumstances | None = None
    rerun: Circumstances | None = None


def nature(mismatch: Mismatch, setting: Setting, *, is_noisy: bool) -> str:
    """Name what a difference is by its form; "" where its form says nothing.

    Parameters
    ----------
    mismatch
        The difference between rerun (the reference) and published.
    setting
        The cell.
    is_noisy
        Whether the reruns differ among themselves there, so that a likely form is enough.
    """
    mine, theirs = mismatch.reference, mismatch.other
    line = mismatch.reference_line
    if mine is None or theirs is None:
        return _of_lines(
            mismatch.reference_line, mismatch.other_line, is_noisy=is_noisy
        )
    if line is None or mine.kind != theirs.kind:
        return ""
    if mine.kind == "number":
        return _of_number(mismatch, line, setting, is_noisy=is_noisy)
    if mine.kind in {"date", "clock"}:
        return _of_time(mine, theirs, setting, is_noisy=is_noisy)
    return _of_word(mismatch, line, setting, is_noisy=is_noisy)


def _of_lines(mine: Line | None, theirs: Line | None, *, is_noisy: bool) -> str:
    if mine is None or theirs is None:
        line = mine or theirs
        is_timing = line is not None and _TIMING.search(line.text) is not None
        return "duration" if is_noisy and is_timing else ""
    texts = mine.text, theirs.text
    if not all(_TIMING.search(text) for text in texts):
        return ""
    rest = [" ".join(_DURATIONS.sub("<time> ", text).split()) for text in texts]
    is_same = rest[0] == rest[1] or all(_MEASURED.search(text) for text in texts)
    return "duration" if is_noisy or is_same else ""


def _of_number(  # noqa: PLR0911  # one line a form
    mismatch: Mismatch, line: Line, setting: Setting, *, is_noisy: bool
) -> str:
    mine, theirs = mismatch.reference, mismatch.other
    if mine is None or theirs is None:
        return ""
    if _is_duration(line, mismatch.slot, setting, is_noisy=is_noisy):
        return "duration"
    if is_noisy and _is_timed(line, mismatch.slot, mismatch.heading):
        return "duration"
    before = line.tokens[mismatch.slot - 1].text if mismatch.slot else ""
    if _TEMPORARY.match(before):
        return "temporary path"
    if is_noisy and setting.reads_clock:
        return "clock"
    if is_noisy and (setting.reads_process or before.lower() in {"pid", "process"}):
        return "process"
    if is_noisy and min(_whole(mine.text), _whole(theirs.text)) >= _ADDRESS:
        return "address"
    return ""


def _is_timed(line: Line, slot: int, heading: str) -> bool:
    """Tell whether row, column or key is named after a time, as what libraries measure is."""
    label = line.tokens[0].text if line.tokens else ""
    said = "".join(token.text for token in line.tokens[:slot])
    is_named = _TIMED_NAME.match(heading) or _TIMED_NAME.match(label)
    return bool(is_named or _TIMED_LIST.search(said))


def _is_duration(line: Line, slot: int, setting: Setting, *, is_noisy: bool) -> bool:
    """Tell whether a number says how long something took."""
    tokens = line.tokens
    after = tokens[slot + 1].text if slot + 1 < len(tokens) else ""
    is_likely = is_noisy or setting.reads_clock
    if after in _UNITS and (is_likely or _TIMING.search(line.text)):
        return True
    if _MEASURED.search(line.text):
        return True
    said = " ".join(token.text for token in tokens[max(0, slot - 5) : slot])
    word = _TOOK if is_likely else _ELAPSED
    return word.search(said) is not None


def _whole(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _of_time(mine: Token, theirs: Token, setting: Setting, *, is_noisy: bool) -> str:
    if is_noisy:
        return "time"
    if setting.rerun is None or setting.published is None:
        return ""
    if mine.kind == "date":
        is_now = _is_day_of(mine.text, setting.rerun) and _is_day_of(
            theirs.text, setting.published
        )
        return "date" if is_now else ""
    if setting.reads_clock:
        return "time"
    return ""


def _is_day_of(text: str, circumstances: Circumstances) -> bool:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return False
    zone = timedelta(hours=14)  # the most that a place's clock differs from UTC
    first = (circumstances.began_at.astimezone(UTC) - zone).date()
    return first <= day <= (circumstances.ended_at.astimezone(UTC) + zone).date()


def _of_word(  # noqa: PLR0911  # one line a form
    mismatch: Mismatch, line: Line, setting: Setting, *, is_noisy: bool
) -> str:
    mine, theirs = mismatch.reference, mismatch.other
    if mine is None or theirs is None:
        return ""
    before = line.tokens[mismatch.slot - 1].text if mismatch.slot else ""
    if mine.kind == "id":
        if mine.text.startswith("0x") and (is_noisy or before == "at"):
            return "address"
        return "id" if is_noisy else ""
    if _TEMPORARY.match(mine.text) and _TEMPORARY.match(theirs.text):
        return "temporary path"
    if {mine.text, theirs.text} <= _UNITS and _TIMING.search(line.text):
        return "duration"
    if is_noisy and (setting.reads_process or setting.reads_clock):
        return "process" if setting.reads_process else "clock"
    return ""
