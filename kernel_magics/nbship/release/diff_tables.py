"""A release diff as tables: the same for terminals, notebooks and Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbship.release.rows import value_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nbship.records.release_diff import OutputComparison, ReleaseDiff

    Rows = Iterable[tuple[str, ...]]

_MIB = 1 << 20
_KIB = 1 << 10
_SHOWN_PINS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """One question and what was found."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def headline(diff: ReleaseDiff) -> str:
    """Write the answer in one line."""
    answers = diff.answers
    if answers.are_same:
        told = f"same answers to {answers.cases} calls"
    else:
        told = (
            "other answers"
            if _has_changed(diff)
            else "the same answers where both answer"
        )
        if answers.refused_by_new:
            told += f", {answers.refused_by_new} of {answers.cases} calls refused"
    suggested = f"{diff.suggested_version} ({diff.level.value})"
    return (
        f"{diff.old.title} -> {diff.new.title}: {told}; suggested version {suggested}"
    )


def asked_text(diff: ReleaseDiff) -> str:
    """Write what was asked."""
    answers, old, new = diff.answers, diff.old.version, diff.new.version
    text = (
        f"each was asked {answers.cases} calls in a fresh environment without network:"
        f" {answers.old_cases} golden cases of {old}, {answers.new_cases} of {new}"
    )
    shared = answers.old_cases + answers.new_cases - answers.cases
    text += f", {shared} of them in both" if shared else ""
    if answers.refused_by_both:
        text += f"; {answers.refused_by_both} that neither answers"
    return text


def tables_of(diff: ReleaseDiff) -> tuple[Table, ...]:
    """List the tables that have rows, the most important first."""
    tables = (
        Table(
            caption=caption,
            heads=heads,
            rows=tuple(tuple(row) for row in rows(diff)),
        )
        for caption, heads, rows in _TABLES
    )
    return tuple(table for table in tables if table.rows)


def code_text(diff: ReleaseDiff) -> str:
    """Write the code that changed as a unified diff that names notebook cells."""
    lines: list[str] = []
    file = ""
    for hunk in diff.code:
        if hunk.file != file:
            file = hunk.file
            lines += [
                f"--- {diff.old.version}/{file}",
                f"+++ {diff.new.version}/{file}",
            ]
        old = sum(not line.startswith("+") for line in hunk.lines)
        new = sum(not line.startswith("-") for line in hunk.lines)
        cells = " -> ".join(dict.fromkeys(filter(None, (hunk.old_cell, hunk.new_cell))))
        lines.append(
            f"@@ -{hunk.old_line},{old} +{hunk.new_line},{new} @@ {cells}".rstrip()
        )
        lines += hunk.lines
    return "\n".join(lines)


def size_text(size_bytes: int) -> str:
    """Write a size for people; ``-`` where it is not known."""
    if not size_bytes:
        return "-"
    if size_bytes < _KIB * 10:
        return f"{size_bytes} B"
    if size_bytes < _MIB * 10:
        return f"{size_bytes / _KIB:.0f} KiB"
    return f"{size_bytes / _MIB:.0f} MiB"


def _has_changed(diff: ReleaseDiff) -> bool:
    return bool(diff.answers.changed_outputs or diff.answers.incomparable)


def _reason_rows(diff: ReleaseDiff) -> Rows:
    return ((reason.level.value, reason.text) for reason in diff.reasons)


def _output_rows(diff: ReleaseDiff) -> Rows:
    return (_output_row(output) for output in diff.answers.outputs)


def _signature_rows(diff: ReleaseDiff) -> Rows:
    return ((change.level.value, change.text) for change in diff.signature)


def _metric_rows(diff: ReleaseDiff) -> Rows:
    for name, pair in diff.metrics.items():
        yield name, *("-" if value is None else f"{value:g}" for value in pair)


def _output_row(output: OutputComparison) -> tuple[str, ...]:
    difference = "-"
    if output.largest_absolute is not None and output.largest_relative is not None:
        difference = (
            f"{output.largest_absolute:.3g} ({100 * output.largest_relative:.2g} %)"
        )
    flips = "; ".join(
        f"{value_text(flip.old)} -> {value_text(flip.new)}: {flip.rows}"
        for flip in output.flips
    )
    equal = str(output.equal)
    if output.identical == output.equal == output.rows:
        equal += " (to the last bit)"
    return output.name, str(output.rows), equal, difference, flips or "-"


def _example_rows(diff: ReleaseDiff) -> Rows:
    for output in diff.answers.outputs:
        for example in output.examples:
            yield (
                example.case,
                str(example.row),
                output.name,
                value_text(example.old),
                value_text(example.new),
                _inputs_text(example.inputs),
            )


def _refusal_rows(diff: ReleaseDiff) -> Rows:
    for refusal in diff.answers.refusals:
        by = diff.old.version if refusal.by == "old" else diff.new.version
        why = "; ".join(refusal.message.splitlines()[:3])
        yield by, refusal.case, why, _inputs_text(refusal.inputs)
    for text in diff.answers.incomparable:
        yield "-", text, "answers of another form", ""


def _inputs_text(inputs: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value_text(value)}" for name, value in inputs.items())


def _pin_rows(diff: ReleaseDiff) -> Rows:
    pins = diff.requirements
    yield from ((p.name, p.old or "-", p.new or "-") for p in pins[:_SHOWN_PINS])
    if len(pins) > _SHOWN_PINS:
        yield f"and {len(pins) - _SHOWN_PINS} more", "", ""


def _state_rows(diff: ReleaseDiff) -> Rows:
    for item in diff.state:
        was, now = (
            f"{digest[:12]}, {size_text(size)}" if digest else "-"
            for digest, size in (
                (item.old_digest, item.old_bytes),
                (item.new_digest, item.new_bytes),
            )
        )
        yield item.name, item.codec, was, now


def _size_rows(diff: ReleaseDiff) -> Rows:
    latency = diff.latency
    if latency is not None:
        yield (
            "one call, here",
            f"{latency.old_p50_ms:.3g} ms",
            f"{latency.new_p50_ms:.3g} ms",
            f"{latency.ratio:.2f} times, over {latency.calls} calls of each by turns",
        )
    for name, old, new in (
        ("wheel", diff.old.wheel_bytes, diff.new.wheel_bytes),
        ("bundle", diff.old.bundle_bytes, diff.new.bundle_bytes),
        ("installed", diff.old.installed_bytes, diff.new.installed_bytes),
    ):
        ratio = f"{new / old:.2f} times" if old and new and old != new else ""
        yield name, size_text(old), size_text(new), ratio


_TABLES: tuple[tuple[str, tuple[str, ...], Callable[[ReleaseDiff], Rows]], ...] = (
    ("why", ("level", "reason"), _reason_rows),
    (
        "answers",
        ("output", "rows", "equal", "largest difference", "other labels"),
        _output_rows,
    ),
    (
        "first rows that differ",
        ("case", "row", "output", "was", "is", "inputs"),
        _example_rows,
    ),
    ("refused", ("by", "case", "why", "inputs"), _refusal_rows),
    ("signature", ("level", "change"), _signature_rows),
    ("requirements", ("distribution", "was", "is"), _pin_rows),
    ("captured values", ("value", "kept as", "was", "is"), _state_rows),
    ("metrics", ("metric", "was", "is"), _metric_rows),
    ("speed and size", ("", "was", "is", ""), _size_rows),
)
