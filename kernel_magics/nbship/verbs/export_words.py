"""What `export --explain` and `--check` say in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.verbs.words import table

if TYPE_CHECKING:
    from nbship.records.explanation import (
        CellReason,
        CheckFinding,
        Explanation,
        ExportCheck,
        LineReason,
        ValueReason,
    )

_MAX_BYTES = 10_000


def explanation_text(told: Explanation) -> str:
    """Write an explanation as three tables: lines, cells, values."""
    lines = [
        (
            f"{told.root} of {told.notebook}: {told.lines_kept} of {told.lines_of_notebook} lines "
            f"of code kept, {told.module_lines} lines in the module"
        ),
        "",
        table(
            [("lines", "what", "from", "why they are in")]
            + [line_row(line) for line in told.lines if line.kind != "frame"]
        ),
        "",
        table(
            [("cell", "lines", "why it is in or out")]
            + [cell_row(cell) for cell in told.cells]
        ),
    ]
    if told.values:
        heads = ("value", "type", "codec", "size", "read by", "origin")
        lines += ["", table([heads, *(value_row(value) for value in told.values)])]
    lines += [f"{name}: {', '.join(items)}" for name, items in extras(told) if items]
    lines += [f"note: {remark}" for remark in told.remarks]
    return "\n".join(lines)


def extras(told: Explanation) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """List what the package needs beside its own lines."""
    return (
        ("reads from the environment", told.variables),
        ("opens", told.resources),
        ("takes along", told.local_modules),
    )


def line_row(line: LineReason) -> tuple[str, ...]:
    """Write the row of some lines: numbers, name, cell, reason."""
    is_one = line.first_line == line.last_line
    numbers = f"{line.first_line}" if is_one else f"{line.first_line}-{line.last_line}"
    return numbers, line.name, cell_name(line), line.why


def cell_row(cell: CellReason) -> tuple[str, ...]:
    """Write the row of a cell: name, lines in of all, reason."""
    return cell_name(cell), f"{cell.lines_in}/{cell.lines}", cell.why


def value_row(value: ValueReason) -> tuple[str, ...]:
    """Write the row of a value: name, type, codec, size, reader, origin."""
    return (
        value.name,
        value.type,
        value.codec,
        size_text(value.size_bytes),
        value.reader,
        value.origin.removeprefix("cell ") or "made for the package",
    )


def cell_name(reason: LineReason | CellReason) -> str:
    """Name a cell by its number and id; "" for what no cell holds."""
    count = f"In[{reason.execution_count}]" if reason.execution_count else ""
    return " ".join(part for part in (count, reason.cell_id or "") if part)


def size_text(size_bytes: int) -> str:
    """Write a size for people."""
    if size_bytes < _MAX_BYTES:
        return f"{size_bytes} B"
    return f"{size_bytes / 1000:.0f} kB"


def check_text(check: ExportCheck) -> str:
    """Write a check: the answer, then every finding with its fix."""
    if check.passed:
        head = (
            f"{check.root} can be exported: {check.cases_replayed} of {check.cases} golden cases "
            f"({check.rows} rows) replayed equal in this process, {check.lines_kept} of "
            f"{check.lines_of_notebook} lines kept, {size_text(check.state_bytes)} of values"
        )
    else:
        head = f"{check.root} cannot be exported"
    lines = [f"{head} ({check.duration_s:.2f} s)"]
    for finding in check.findings:
        lines += _finding_lines(finding)
    return "\n".join(lines)


def _finding_lines(finding: CheckFinding) -> list[str]:
    lines = [f"  {finding.severity} {finding.hazard}: {finding.message}"]
    return [*lines, f"    hint: {finding.hint}"] if finding.hint else lines
