"""What several verbs share: the words they take, and tables of their answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def add_job(parser: argparse.ArgumentParser) -> None:
    """Take a job, as :func:`nbship.workflow.jobs.find_job` finds it."""
    parser.add_argument(
        "job", metavar="JOB", help="its id, the beginning of it, or last"
    )


def table(rows: Sequence[Sequence[str]]) -> str:
    """Write rows with their columns in line; no row, no text."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def place(path: Path) -> str:
    """Write a path for people: from the current folder, where it lies below it."""
    path = Path(path).absolute()
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
