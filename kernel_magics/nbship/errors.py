"""Every error that nbship raises on purpose.

::

    NbshipError
    ├── SettingsError              a key, a value or a file of the settings
    ├── UsageError                 a verb was called with words it does not take
    ├── StoreError                 .mlops/ cannot be written or read
    │   ├── RecordNotFoundError    no record of that id
    │   └── RecordFormatError      a record this version cannot read
    ├── NotebookError              a notebook cannot be read
    ├── ParameterError             values do not fit the parameter contract
    │   ├── UnknownParameterError
    │   └── ParametersCellMissingError
    ├── KernelError                a kernel is unknown or cannot start
    ├── RunError                   a run is in the wrong state for the call
    ├── JobError                   a job is in the wrong state for the call
    ├── VettingError               a policy, gate or waiver cannot be used
    ├── ApprovalError              an approval cannot be given or does not hold
    ├── ExportError                a root cannot be exported
    │   └── HazardError            a live object that has no place in a package
    └── ReleaseError               a release cannot be sealed
        ├── NoWheelsError          no set of wheels satisfies what a package needs
        └── VerificationError      a bundle is not what was sealed
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class NbshipError(Exception):
    """Say where, what was found and what was expected, with one thing to do.

    Parameters
    ----------
    message
        Where, what was found, what was expected.
    hint
        One thing to do, imperative; empty where nothing helps.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, self.hint, dict(vars(self))))

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows instead of a traceback: two lines.

        The name and the signature are IPython's protocol.
        """
        lines = [f"{type(self).__name__}: {self.message}"]
        return [*lines, f"hint: {self.hint}"] if self.hint else lines


def _rebuild(
    kind: type[NbshipError], message: str, hint: str, state: dict[str, Any]
) -> NbshipError:
    error = kind.__new__(kind)
    NbshipError.__init__(error, message, hint=hint)
    vars(error).update(state)
    return error


class SettingsError(NbshipError):
    """A key, a value or a file of the settings."""


class UsageError(NbshipError):
    """A verb was called with words it does not take."""


class StoreError(NbshipError):
    """The store cannot be written or read."""


class RecordNotFoundError(StoreError):
    """No record of that id."""


class RecordFormatError(StoreError):
    """A record that this version of nbship cannot read."""


class NotebookError(NbshipError):
    """A notebook cannot be read."""


class ParameterError(NbshipError):
    """Values do not fit the parameter contract."""


class UnknownParameterError(ParameterError):
    """A value was given for a name that the notebook does not declare."""


class ParametersCellMissingError(ParameterError):
    """Values were given and no cell is tagged ``parameters``."""


class KernelError(NbshipError):
    """A kernel is unknown or cannot start."""


class RunError(NbshipError):
    """A run is in the wrong state for the call."""


class JobError(NbshipError):
    """A job is in the wrong state for the call."""


class VettingError(NbshipError):
    """A policy, a gate or a waiver cannot be used."""


class ApprovalError(NbshipError):
    """An approval cannot be given or does not hold."""


class ExportError(NbshipError):
    """A root cannot be exported.

    Parameters
    ----------
    message, hint
        As for :class:`NbshipError`.
    hazard
        One word for what is in the way, such as ``handle``; "" where it is none of the table.
    name
        The name in the notebook that it is about.
    """

    def __init__(
        self, message: str, *, hint: str = "", hazard: str = "", name: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.hazard = hazard
        self.name = name
        #: where several were found together: each of them
        self.parts: tuple[ExportError, ...] = ()


class HazardError(ExportError):
    """A live object that has no place in a package."""


class ReleaseError(NbshipError):
    """A release cannot be sealed."""


class NoWheelsError(ReleaseError):
    """No set of wheels satisfies what a package needs, there where it was asked."""


class VerificationError(ReleaseError):
    """A bundle is not what was sealed."""


@contextlib.contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Put what a file system refuses within the block into words.

    Raises
    ------
    StoreError
        Of :func:`store_error`.
    """  # noqa: DOC501  # a function makes the error
    try:
        yield
    except OSError as error:
        raise store_error(error, path) from error


def store_error(error: OSError, path: Path) -> StoreError:
    """Put a file system's refusal into words: which file, why, and what to do."""
    hints = {
        errno.ENOSPC: "Free some space on that file system, then repeat the command.",
        errno.EDQUOT: "Free some of your quota, then repeat the command.",
        errno.EROFS: "Point MLOPS_STORE at a folder that can be written.",
        errno.EACCES: "Point MLOPS_STORE at a folder that you may write.",
    }
    reason = os.strerror(error.errno) if error.errno else str(error)
    return StoreError(
        f"{path}: cannot be written: {reason}",
        hint=hints.get(error.errno or 0, "Look at that path."),
    )
