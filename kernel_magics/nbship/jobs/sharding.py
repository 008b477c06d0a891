"""Split a tree of notebooks into parts of about equal duration, the same on every machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from nbship.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: seconds that a notebook counts where no notebook's duration is known
_UNKNOWN_S = 60.0
_SHARD = re.compile(r"([0-9]+)/([0-9]+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Shard:
    """One part of several."""

    #: from 1
    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def read_shard(text: str) -> Shard:
    """Read ``2/4``: the second of four parts.

    Raises
    ------
    UsageError
        If it is no part of a whole.
    """
    found = _SHARD.fullmatch(text.strip())
    shard = found and Shard(index=int(found[1]), count=int(found[2]))
    if not shard or not 1 <= shard.index <= shard.count:
        raise UsageError(
            f"--shard {text}: a part such as 2/4 was expected",
            hint="Number the parts from 1 to their count.",
        )
    return shard


def names_of_shard(
    names: Sequence[str], durations: Mapping[str, float], shard: Shard
) -> tuple[str, ...]:
    """Return the notebooks of one shard, in the order of ``names``.

    The longest notebook goes first into the shard that has least to do (longest processing
    time first, R. L. Graham, 1969: at most 4/3 of the best possible). A notebook without a
    recorded duration counts as the median of the others.

    Parameters
    ----------
    names
        Every notebook of the tree.
    durations
        Seconds by name, from an earlier run; equal on all machines of one run.
    shard
        Which part.
    """
    known = [durations[name] for name in names if name in durations]
    unknown_s = median(known) if known else _UNKNOWN_S
    loads = [0.0] * shard.count
    chosen = set()
    for name in sorted(names, key=lambda n: (-durations.get(n, unknown_s), n)):
        least = loads.index(min(loads))
        loads[least] += durations.get(name, unknown_s)
        if least == shard.index - 1:
            chosen.add(name)
    return tuple(name for name in names if name in chosen)
