"""Files of inputs, read a few thousand rows at a time, and files of answers."""

from __future__ import annotations

import csv
import io
import itertools
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from . import _batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Rows = list[tuple[int, Any]]

_FORMATS = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}
_EVERY_S = 1.0


def format_of(name: str) -> str:
    """Tell a file's format by its name: ``csv``, ``parquet`` or ``jsonl``."""
    return _FORMATS.get(Path(name).suffix.lower(), "jsonl")


def chunks_of(name: str, kind: str | None, size: int) -> tuple[str, Iterator[Rows]]:
    """Tell the format of a file, and read it so many rows at a time.

    Parameters
    ----------
    name
        The file; ``-`` is standard input.
    kind
        ``csv``, ``parquet`` or ``jsonl``; None where the name, or the text, tells.
    size : int, >= 1
        Rows of one chunk.

    Returns
    -------
    tuple
        The format; and numbers with rows, as ``_batch`` takes them.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    if name != "-":
        kind = kind or format_of(name)
        reader = _parquet if kind == "parquet" else _file
        return kind, reader(Path(name), kind, size)
    if kind == "parquet":
        raise _batch.InputError("Parquet is not read from standard input; name a file")
    start = ""
    while kind is None and not start.strip():
        line = sys.stdin.readline()
        if not line:
            break
        start += line
    kind = kind or ("csv" if _batch.looks_as_csv(start) else "jsonl")
    source = itertools.chain(io.StringIO(start), sys.stdin)
    return kind, _text(source, kind, size)


def _file(path: Path, kind: str, size: int) -> Iterator[Rows]:
    with path.open(encoding="utf-8", newline="") as source:
        yield from _text(source, kind, size)


def _text(source: Iterable[str], kind: str, size: int) -> Iterator[Rows]:
    rows = _batch.csv_rows(source) if kind == "csv" else _batch.json_rows(source)
    while chunk := list(itertools.islice(rows, size)):
        yield chunk


def _parquet(path: Path, _kind: str, size: int) -> Iterator[Rows]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise _batch.InputError(
            "Parquet needs pyarrow; install it, or give CSV"
        ) from error
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=size):
                rows = list(enumerate(batch.to_pylist(), number + 1))
                number += len(rows)
                if rows:
                    yield rows
    except pa.ArrowException as error:
        raise _batch.InputError(f"cannot be read as Parquet: {error}") from error


class Writer:
    """Writes answers as they come; a file appears when it is whole.

    Parameters
    ----------
    name
        A ``.csv``, ``.parquet`` or JSON lines file; None for standard output.
    """

    def __init__(self, name: str | None) -> None:
        self._path = Path(name) if name else None
        self._part = (
            self._path.with_name(f".{self._path.name}.part") if self._path else None
        )
        self._kind = format_of(name) if name else "jsonl"
        self._target: Any = None
        self._table: Any = None
        self._names: list[str] = []

    def write(self, answers: list[Any]) -> None:
        """Add answers.

        Raises
        ------
        InputError
            If they have columns that the first answers lack, where the format has a header.
        """
        if self._kind == "parquet":
            self._write_parquet(answers)
            return
        if self._target is None:
            self._target = (
                sys.stdout
                if self._part is None
                else self._part.open("w", encoding="utf-8", newline="")
            )
        if self._kind == "csv":
            self._write_csv(answers, self._target)
        else:
            self._target.writelines(
                json.dumps(answer, ensure_ascii=False) + "\n" for answer in answers
            )

    def finish(self, *, is_whole: bool) -> None:
        """Close the file; one that is not whole is removed."""
        for one in (self._table, self._target):
            if one is not None and one is not sys.stdout:
                one.close()
        if self._part is not None and self._path is not None:
            if is_whole:
                self._part.replace(self._path)
            else:
                self._part.unlink(missing_ok=True)

    def _write_csv(self, answers: list[Any], target: TextIO) -> None:
        rows = [_as_object(answer) for answer in answers]
        is_first = not self._names
        if is_first:
            self._names = list(dict.fromkeys(name for row in rows for name in row))
        self._check(rows)
        writer = csv.DictWriter(target, self._names, lineterminator="\n")
        if is_first:
            writer.writeheader()
        writer.writerows(rows)

    def _write_parquet(self, answers: list[Any]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        rows = [_as_object(answer) for answer in answers]
        if self._table is None:
            table = pa.Table.from_pylist(rows)
            self._names = table.column_names
            self._table = pq.ParquetWriter(self._part, table.schema)
        else:
            self._check(rows)
            table = pa.Table.from_pylist(rows, schema=self._table.schema)
        self._table.write_table(table)

    def _check(self, rows: list[dict[str, Any]]) -> None:
        more = {name for row in rows for name in row} - set(self._names)
        if more:
            raise _batch.InputError(
                f"later answers have {', '.join(sorted(more))}, which the first lack; "
                "write JSON lines"
            )


class Progress:
    """Tells once a second, on standard error, how far it is."""

    def __init__(self, *, is_shown: bool) -> None:
        self._is_shown = is_shown
        self._started = self._told = time.monotonic()
        self._rows = 0

    def add(self, rows: int) -> None:
        """Count rows."""
        self._rows += rows
        now = time.monotonic()
        if self._is_shown and now - self._told >= _EVERY_S:
            self._told = now
            self._tell(now, "\r")

    def finish(self) -> None:
        """Tell the end, where anything was told."""
        if self._is_shown and self._told > self._started:
            self._tell(time.monotonic(), "\r")
            sys.stderr.write("\n")

    def _tell(self, now: float, end: str) -> None:
        speed = self._rows / max(now - self._started, 1e-9)
        sys.stderr.write(f"{self._rows:,} rows, {speed:,.0f} a second{end}")
        sys.stderr.flush()


def _as_object(answer: Any) -> dict[str, Any]:
    return answer if isinstance(answer, dict) else {"prediction": answer}
