"""How the answers of two packages to the same calls differ."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbship.records.digest import canonical_json
from nbship.records.release_diff import (
    AnswerChanges,
    AnswerExample,
    Flip,
    OutputComparison,
    Refusal,
)
from nbship.records.signature import RTOL
from nbship.release.rows import input_rows, number_of, output_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nbship.records.release_diff import Answered
    from nbship.records.signature import Signature
    from nbship.release.golden import Case

#: differences, refusals and pairs of labels that are shown; all are counted
SHOWN = 5
_WIDEST = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One call that both packages were asked, and what they said."""

    #: whose golden cases hold it, for people: ``1.2.0 case 3``
    name: str
    case: Case
    #: the golden cases that hold it: ``old``, ``new`` or ``both``
    held_by: str
    old: Answered
    new: Answered


def all_calls(
    old: Iterable[Case], new: Iterable[Case], *, titles: tuple[str, str]
) -> list[tuple[str, Case, str]]:
    """Join two sets of golden cases; equal calls are asked once.

    Parameters
    ----------
    old, new
        As ``golden.jsonl`` has them.
    titles
        What each is called: the versions.

    Returns
    -------
    list of tuple
        Name for people, case, and ``old``, ``new`` or ``both``.
    """
    calls: dict[str, tuple[str, Case, str]] = {}
    for side, title, cases in (("old", titles[0], old), ("new", titles[1], new)):
        for case in cases:
            key = canonical_json([case["args"], case["kwargs"]])
            known = calls.get(key)
            if known is None:
                calls[key] = (f"{title} case {case['case']}", case, side)
            elif known[2] != side:
                calls[key] = (known[0], known[1], "both")
    return list(calls.values())


def answer_changes(
    asked: Sequence[Asked], old: Signature, new: Signature
) -> AnswerChanges:
    """Compare what two packages said to the same calls, output by output.

    A check of input that refuses a call counts only where the other package's check takes it:
    what no JSON can hold is refused by both, and says nothing of the packages.
    """
    outputs: dict[str, _Output] = {}
    refusals: list[Refusal] = []
    incomparable: list[str] = []
    counts = Counter[str]()
    for call in asked:
        by, message = _refused(call)
        counts[by] += 1
        if by in {"old", "new"}:
            shown = _row(input_rows(call.case, old if by == "new" else new), 0)
            refusals.append(
                Refusal(by=by, case=call.name, message=message, inputs=shown)
            )
        if call.old.has_answer and call.new.has_answer:
            incomparable += _compare(call, old, new, outputs)
    tolerances = _tolerances(old, new)
    return AnswerChanges(
        cases=len(asked),
        old_cases=sum(call.held_by != "new" for call in asked),
        new_cases=sum(call.held_by != "old" for call in asked),
        outputs=tuple(
            output.told(name, tolerances.get(name, RTOL))
            for name, output in outputs.items()
        ),
        refused_by_new=counts["new"],
        refused_by_old=counts["old"],
        refused_by_both=counts["both"],
        refusals=tuple(refusals[:SHOWN]),
        incomparable=tuple(incomparable[:SHOWN]),
    )


def _refused(call: Asked) -> tuple[str, str]:
    """Tell who refuses a call, and why: ``old``, ``new``, ``both`` or ``""``."""
    old, new = call.old, call.new
    if old.raised and new.raised:
        return "both", new.raised
    if new.raised or (new.refused and not old.refused and not old.raised):
        return "new", new.refused or new.raised
    if old.raised or (old.refused and not new.refused):
        return "old", old.refused or old.raised
    return "", ""


def _compare(
    call: Asked, old: Signature, new: Signature, outputs: dict[str, _Output]
) -> list[str]:
    """Add a call to the comparison; return what cannot be laid side by side."""
    left, right = (
        output_rows(call.old.answer, old),
        output_rows(call.new.answer, new),
    )
    shared = [name for name in left if name in right]
    if not shared:
        return [f"{call.name}: no output in common"]
    tolerances, problems = _tolerances(old, new), []
    inputs = input_rows(call.case, old if call.held_by != "new" else new)
    for name in shared:
        before, after = left[name], right[name]
        if len(before) != len(after):
            text = f"{len(after)} rows where {len(before)} were"
            problems.append(f"{call.name}: `{name}`: {text}")
            continue
        output = outputs.setdefault(name, _Output())
        rtol = tolerances.get(name, RTOL)
        for row, values in enumerate(zip(before, after, strict=True)):
            if not output.add(*values, rtol) and len(output.examples) < SHOWN:
                output.examples.append(
                    AnswerExample(
                        case=call.name,
                        row=row,
                        inputs=_row(inputs, row),
                        old=values[0],
                        new=values[1],
                    )
                )
    return problems


def _tolerances(old: Signature, new: Signature) -> dict[str, float]:
    """Return each output's tolerance, the smaller one where two were declared."""
    found: dict[str, float] = {}
    for signature in (old, new):
        for column in signature.outputs:
            rtol = RTOL if column.rtol is None else column.rtol
            found[column.name] = min(rtol, found.get(column.name, rtol))
    return found


def _row(inputs: Mapping[str, Sequence[Any]], row: int) -> dict[str, Any]:
    """Return the inputs of one row; those of the whole call where it has no rows."""
    found = {
        name: values[row] if row < len(values) else values[0]
        for name, values in inputs.items()
        if values
    }
    return dict(list(found.items())[:_WIDEST])


@dataclass(slots=True)
class _Output:
    """One output while rows are counted."""

    rows: int = 0
    equal: int = 0
    identical: int = 0
    largest_absolute: float | None = None
    largest_relative: float | None = None
    flips: Counter[str] = field(default_factory=Counter)
    labels: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    examples: list[AnswerExample] = field(default_factory=list)

    def add(self, old: Any, new: Any, rtol: float) -> bool:  # noqa: ANN401
        """Count one row; False where it is beyond the tolerance."""
        is_equal = self._walk(old, new, rtol)
        self.rows += 1
        self.equal += is_equal
        self.identical += canonical_json(old) == canonical_json(new)
        if not is_equal and _is_label(old) and _is_label(new):
            key = canonical_json([old, new])
            self.flips[key] += 1
            self.labels[key] = (old, new)
        return is_equal

    def told(self, name: str, rtol: float) -> OutputComparison:
        """Say what was counted."""
        return OutputComparison(
            name=name,
            rows=self.rows,
            equal=self.equal,
            identical=self.identical,
            rtol=rtol,
            largest_absolute=self.largest_absolute,
            largest_relative=self.largest_relative,
            flips=tuple(
                Flip(old=self.labels[key][0], new=self.labels[key][1], rows=rows)
                for key, rows in self.flips.most_common(SHOWN)
            ),
            flipped=self.flips.total(),
            examples=tuple(self.examples),
        )

    def _walk(self, old: Any, new: Any, rtol: float) -> bool:  # noqa: ANN401
        """Compare two values part by part, and remember the largest difference of numbers."""
        left, right = number_of(old), number_of(new)
        if left is not None and right is not None:
            return self._numbers(left, right, rtol)
        # every part is looked at, also behind one that differs: min, not all
        if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            pairs = zip(old, new, strict=True)
            return min((self._walk(a, b, rtol) for a, b in pairs), default=True)
        if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
            parts = (self._walk(old[key], new[key], rtol) for key in old)
            return min(parts, default=True)
        return bool(old == new)

    def _numbers(self, left: float, right: float, rtol: float) -> bool:
        if left == right or (math.isnan(left) and math.isnan(right)):
            return True
        if math.isfinite(left) and math.isfinite(right):
            absolute = abs(left - right)
            relative = absolute / max(abs(left), abs(right))
            self.largest_absolute = max(absolute, self.largest_absolute or 0.0)
            self.largest_relative = max(relative, self.largest_relative or 0.0)
        return math.isclose(left, right, rel_tol=rtol, abs_tol=0.0)


def _is_label(value: Any) -> bool:  # noqa: ANN401
    if isinstance(value, dict):
        value = value.get("$scalar", {}).get("value")
    return isinstance(value, (str, bool, int))
