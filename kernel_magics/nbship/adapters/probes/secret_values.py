"""Where secrets are: variables, files, and the programs that keep passwords."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.capture.redaction import LEAST_LENGTH
from nbship.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMEOUT_S = 60
_HINT = "Set it where the job is submitted and where its worker starts, then repeat."


def missing_secrets(references: Mapping[str, str], *, folder: Path) -> list[str]:
    """Name the secrets that are not there; programs are looked for and not asked.

    Parameters
    ----------
    references
        References by variable.
    folder
        Where paths of files begin.
    """
    return [
        name
        for name, reference in references.items()
        if not _is_there(reference, folder=folder)
    ]


def known_secrets(references: Mapping[str, str], *, folder: Path) -> dict[str, str]:
    """Read the values that can be had without asking a program; for looking for them."""
    found: dict[str, str] = {}
    for name, reference in references.items():
        if not reference.startswith("cmd:"):
            value = _value(reference, folder=folder)
            found |= {name: value} if value and len(value) >= LEAST_LENGTH else {}
    return found


def resolve_secrets(references: Mapping[str, str], *, folder: Path) -> dict[str, str]:
    """Read the values of secrets.

    Parameters
    ----------
    references
        References by variable.
    folder
        Where paths of files begin, and where programs stand.

    Raises
    ------
    JobError
        If some are not there or too short to be hidden; they are named, and nothing is shown.
    """
    values = {n: _value(r, folder=folder) for n, r in references.items()}
    missing = [name for name, value in values.items() if not value]
    if missing:
        raise JobError(f"no value for the secret {', '.join(missing)}", hint=_HINT)
    found = {name: value for name, value in values.items() if value}
    short = [name for name, value in found.items() if len(value) < LEAST_LENGTH]
    if short:
        raise JobError(
            f"the secret {', '.join(short)} has fewer than {LEAST_LENGTH} characters:"
            " it could not be hidden in outputs",
            hint="Use a longer one, or pass it as an ordinary variable.",
        )
    return found


def _is_there(reference: str, *, folder: Path) -> bool:
    scheme, _, place = reference.partition(":")
    if scheme != "cmd":
        return bool(_value(reference, folder=folder))
    try:
        words = shlex.split(place)
    except ValueError:
        return False
    return bool(words) and shutil.which(words[0]) is not None


def _value(reference: str, *, folder: Path) -> str | None:
    scheme, _, place = reference.partition(":")
    if scheme == "env":
        return os.environ.get(place)
    if scheme == "file":
        try:
            text = (folder / Path(place).expanduser()).read_text("utf-8")
        except (OSError, UnicodeDecodeError, RuntimeError):
            return None
        return text.rstrip("\r\n")
    return _asked(place, folder)


def _asked(command: str, folder: Path) -> str | None:
    """Ask a program; what it complains about is not shown, since it may hold the secret."""
    try:
        done = subprocess.run(
            shlex.split(command),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=True,
        )
        return done.stdout.decode("utf-8").rstrip("\r\n")
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return None
