"""References to secrets: ``env:NAME``, ``file:PATH`` or ``cmd:PROGRAM WORDS``, never values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nbship.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Iterable

SCHEMES = ("env", "file", "cmd")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: variables by which a kernel, its interpreter or a job is ruled; no place for a secret
_RULING = re.compile(r"(PYTHON|MLOPS_|JUPYTER|LD_|CUDA_|OMP_)|(PATH|HOME|TZ)$")


def read_references(entries: Iterable[str]) -> dict[str, str]:
    """Read ``VARIABLE=scheme:place`` entries of the settings.

    Parameters
    ----------
    entries
        As ``job.secrets`` holds them.

    Raises
    ------
    JobError
        If some are no such references; all are named together, and none is repeated.
    """
    found: dict[str, str] = {}
    mistakes = []
    for number, entry in enumerate(entries, 1):
        name, _, reference = (part.strip() for part in entry.partition("="))
        scheme, colon, place = reference.partition(":")
        if not _VARIABLE.fullmatch(name):
            mistakes.append(f"entry {number} does not begin with VARIABLE=")
        elif _RULING.match(name):
            mistakes.append(f"{name} rules the kernel and cannot be a secret")
        elif scheme not in SCHEMES or not colon or not place.strip():
            mistakes.append(f"{name} is no reference")
        else:
            found[name] = f"{scheme}:{place.strip()}"
    if mistakes:
        raise JobError(
            "job.secrets: " + "; ".join(mistakes),
            hint='Write NAME = "env:OTHER", "file:PATH" or "cmd:PROGRAM WORDS".',
        )
    return dict(sorted(found.items()))
