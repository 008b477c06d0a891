"""What a notebook's text tells of its imports before it runs."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: lines of IPython, which Python cannot read
_IPYTHON = re.compile(r"^\s*[%!?].*$|^.*\?$", re.MULTILINE)
#: what changes variables that libraries look at while they are imported
_VARIABLES = re.compile(
    r"\benviron\b|\bputenv\b|\bunsetenv\b|\bdotenv\b|%(set_)?env\b|\bmonkeypatch\b"
)


def imported_names(sources: Iterable[str]) -> tuple[str, ...]:
    """Return the modules that cells import at their top level, in order.

    Names that relative imports and functions import are left out, and cells that do not parse.
    """
    found: dict[str, None] = {}
    for source in sources:
        try:
            body = ast.parse(_IPYTHON.sub("", source)).body
        except (SyntaxError, ValueError, RecursionError):
            continue
        found.update(dict.fromkeys(_imported(body)))
    return tuple(found)


def changes_variables(sources: Iterable[str]) -> bool:
    """Tell whether cells change the environment; what is imported after that must see it."""
    return any(_VARIABLES.search(source) for source in sources)


def _imported(body: list[ast.stmt]) -> Iterator[str]:
    for statement in body:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and not statement.level:
            yield str(statement.module)
