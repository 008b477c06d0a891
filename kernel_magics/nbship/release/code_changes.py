"""The lines of an exported module that changed, with the notebook cells that they come from."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from nbship.records.parity import Place
from nbship.records.release_diff import CodeHunk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbship.release.contents import Contents

#: unchanged lines around what changed
_CONTEXT = 3
_MODULE = "model.py"


def code_changes(old: Contents, new: Contents) -> tuple[CodeHunk, ...]:
    """Compare the texts of two packages, file by file."""
    hunks: list[CodeHunk] = []
    for name in sorted(old.sources.keys() | new.sources.keys()):
        before = old.sources.get(name, "").splitlines()
        after = new.sources.get(name, "").splitlines()
        maps = (
            old.capture.source_map if name == _MODULE else {},
            new.capture.source_map if name == _MODULE else {},
        )
        matcher = SequenceMatcher(None, before, after, autojunk=False)
        hunks += [
            _hunk(name, before, after, group, maps)
            for group in matcher.get_grouped_opcodes(_CONTEXT)
            if any(word != "equal" for word, *_ in group)
        ]
    return tuple(hunks)


def _hunk(
    file: str,
    before: Sequence[str],
    after: Sequence[str],
    group: Sequence[tuple[str, int, int, int, int]],
    maps: tuple[Mapping[str, object], Mapping[str, object]],
) -> CodeHunk:
    lines: list[str] = []
    old_changed: list[int] = []
    new_changed: list[int] = []
    for word, i, i_end, j, j_end in group:
        if word == "equal":
            lines += [f" {text}" for text in before[i:i_end]]
            continue
        lines += [f"-{text}" for text in before[i:i_end]]
        lines += [f"+{text}" for text in after[j:j_end]]
        old_changed += range(i + 1, i_end + 1)
        new_changed += range(j + 1, j_end + 1)
    return CodeHunk(
        file=file,
        old_line=group[0][1] + 1,
        new_line=group[0][3] + 1,
        old_cell=_cell(maps[0], old_changed),
        new_cell=_cell(maps[1], new_changed),
        lines=tuple(lines),
    )


def _cell(source_map: Mapping[str, object], lines: Sequence[int]) -> str:
    """Name the cell of the first changed line that comes from one."""
    for line in lines:
        found = source_map.get(str(line))
        if isinstance(found, dict) and found.get("line"):
            place = Place(
                line=line,
                cell_id=str(found.get("cell_id") or ""),
                execution_count=int(found.get("execution_count") or 0),
                cell_line=int(found["line"]),
            )
            return place.text.partition(", ")[2]
    return ""
