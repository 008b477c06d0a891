"""What is wrong with an input: every mistake at once, each with its path.

A server answers ``InputError`` with a status of the 400s and ``as_json`` as its body.

>>> error = InputError.of([Problem("[0].km", TYPE, found="'far'", expected="a number")])
>>> str(error)
"[0].km: 'far' where a number was expected"
>>> error.as_json()["problems"][0]["code"]
'wrong_type'
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

#: a value of another type than the signature's
TYPE = "wrong_type"
#: a column, key or argument that is not there
MISSING = "missing"
#: a name that the signature does not have
EXTRA = "extra"
#: null where a value was expected
NULL = "null"
#: none of the known values
CATEGORY = "unknown_category"
#: a number below or above the range
RANGE = "out_of_range"
#: another number of items than expected
SHAPE = "wrong_shape"
#: text that is no JSON or CSV, or no row at all
UNREADABLE = "unreadable"
#: an exception of ``predict`` itself
REFUSED = "refused"

#: problems spelled out by one error; the rest is counted
MAX_PROBLEMS = 50
_MAX_TEXT = 80


@dataclass(frozen=True)
class Problem:
    """One mistake."""

    #: where: ``[3].km`` is the field ``km`` of the fourth row, ``address.zip`` a field in a field
    path: str
    #: one of the words above
    code: str
    #: what stands there, as text; "" where nothing does
    found: str = ""
    #: what should
    expected: str = ""
    #: where a reader of the file finds it: ``line 4, column 'km'``
    place: str = ""

    @property
    def message(self) -> str:
        """Write it for people."""
        return ": ".join(
            part for part in (self.place or self.path, self._text()) if part
        )

    def _text(self) -> str:  # noqa: PLR0911  # one line a word
        if self.code == MISSING:
            return f"missing where {self.expected} was expected"
        if self.code == NULL:
            return f"null where {self.expected} was expected"
        if self.code == EXTRA:
            return f"not expected; known are {self.expected}"
        if self.code == CATEGORY:
            return f"{self.found} is none of {self.expected}"
        if self.code == RANGE:
            return f"{self.found} is outside of {self.expected}"
        if self.code in {UNREADABLE, REFUSED}:
            return self.found
        return f"{self.found} where {self.expected} was expected"

    def as_json(self) -> dict[str, str]:
        """Return it as a JSON object."""
        return {**asdict(self), "message": self.message}


class InputError(ValueError):
    """Input that ``predict`` does not take; ``problems`` lists every mistake.

    Parameters
    ----------
    message
        All of it, for people.
    problems
        The same in parts.
    """

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = list(problems) or [Problem("", UNREADABLE, found=message)]

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> InputError:
        """Make one error of all problems."""
        lines = [problem.message for problem in problems[:MAX_PROBLEMS]]
        more = len(problems) - MAX_PROBLEMS
        if more > 0:
            lines.append(f"and {more} more")
        return cls("\n".join(lines), problems)

    def as_json(self) -> dict[str, Any]:
        """Return the body of an answer: ``error``, ``problems``, ``more``."""
        shown = self.problems[:MAX_PROBLEMS]
        return {
            "error": "the input does not fit the signature",
            "problems": [problem.as_json() for problem in shown],
            "more": len(self.problems) - len(shown),
        }

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep the problems on their way from one process to another."""
        return type(self), (str(self), self.problems)


def shown(value: Any) -> str:
    """Write a value as messages show it: short, and on one line."""
    text = repr(value)
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"
