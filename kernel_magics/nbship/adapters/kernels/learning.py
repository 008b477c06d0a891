"""What kernels were found to import, kept from one process to the next.

A file beside the store's records, and no record: it may be deleted at any time.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nbship.adapters.kernels.warm import Learnt

#: a module that no kernel imported for so long is not imported ahead any more
_DAYS = 14
_SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What is known of the kernels of one interpreter."""

    #: what they import by themselves, in order
    base: tuple[str, ...] = ()
    #: day since 1970 on which each further module was imported last, in order of import
    used: dict[str, int] = field(default_factory=dict)
    #: what must not be imported ahead
    banned: tuple[str, ...] = ()

    def used_since(self, imports: Sequence[str]) -> tuple[str, ...]:
        """Return what to import ahead: what a notebook names, then what others used."""
        return tuple(dict.fromkeys([*imports, *self.used]))


class Memory:
    """Keeps what is known, by interpreter.

    Parameters
    ----------
    path
        The file; None keeps it in memory only.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[str, Known] = {}

    def recall(self, command: Sequence[str]) -> Known:
        """Return what is known of an interpreter's kernels."""
        name = " ".join(command)
        if name not in self._known:
            self._known = {**self._read(), **self._known}
        return self._known.get(name, Known())

    def keep(self, command: Sequence[str], learnt: Learnt) -> None:
        """Add what a server has told; the file is written where that is news."""
        before = self.recall(command)
        today = int(time.time()) // _SECONDS_PER_DAY
        used = {**before.used, **dict.fromkeys(learnt.used, today)}
        after = Known(
            base=learnt.base or before.base,
            used={name: day for name, day in used.items() if day > today - _DAYS},
            banned=tuple(sorted({*before.banned, *learnt.banned})),
        )
        if after != before:
            self._known[" ".join(command)] = after
            self._write()

    def _read(self) -> dict[str, Known]:
        if self._path is None:
            return {}
        try:
            found = json.loads(self._path.read_bytes())
            return {name: _known(value) for name, value in found.items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}  # there is none yet, or another version wrote it

    def _write(self) -> None:
        if self._path is None:
            return
        whole = {
            name: {"base": known.base, "used": known.used, "banned": known.banned}
            for name, known in {**self._read(), **self._known}.items()
        }
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(json.dumps(whole), "utf-8")
            beside.replace(self._path)
        except OSError:  # it is worth some seconds, not a job
            return


def _known(value: dict[str, Any]) -> Known:
    return Known(
        base=tuple(value["base"]),
        used={str(name): int(day) for name, day in value["used"].items()},
        banned=tuple(value["banned"]),
    )
