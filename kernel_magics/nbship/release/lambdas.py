"""Names for the lambdas that values hold, so that a file can say which one is meant."""

from __future__ import annotations

import contextlib
import functools
import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any

from nbship.records.digest import digest_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

    from nbship.release.closure import ClosureWalk

#: beginning of the names that are made
PREFIX = "lambda_"
_LAMBDA = "<lambda>"
#: parts of a value that are looked at
_MAX_PARTS = 50_000
_LEAVES = (str, bytes, int, float, complex, type(None), type)


@contextlib.contextmanager
def named_lambdas(value: Any) -> Iterator[None]:  # noqa: ANN401
    """Give every lambda of the notebook that a value is or holds a name while the block runs."""
    found = list(_lambdas_in(value))
    try:
        for function in found:
            function.__name__ = function.__qualname__ = name_of(function)
        yield
    finally:
        for function in found:
            function.__name__ = function.__qualname__ = _LAMBDA


def name_of(function: FunctionType) -> str:
    """Name a lambda by its code: the same in every kernel."""
    return f"{PREFIX}{digest_text(repr(_said(function.__code__)))[:8]}"


def bind_lambda(walk: ClosureWalk, name: str, value: Any) -> None:  # noqa: ANN401
    """Let a closure know a lambda by the name that was made for it."""
    if name.startswith(PREFIX) and not walk.has(name):
        walk.bind(name, value)


def _lambdas_in(value: Any) -> Iterator[FunctionType]:  # noqa: ANN401
    seen: set[int] = set()
    queue = [value]
    while queue and len(seen) < _MAX_PARTS:
        part = queue.pop()
        if isinstance(part, _LEAVES) or id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, FunctionType):
            if part.__qualname__ == _LAMBDA and part.__module__ == "__main__":
                yield part
            continue
        queue += _parts_of(part)


def _parts_of(value: Any) -> list[Any]:  # noqa: ANN401
    np = sys.modules.get("numpy")
    if np is not None and isinstance(value, np.ndarray):
        return list(value.flat) if value.dtype == object else []
    held: list[Any] = []
    if isinstance(value, dict):
        held = [*value.keys(), *value.values()]
    elif isinstance(value, (list, tuple, set, frozenset)):
        held = list(value)
    elif isinstance(value, functools.partial):
        held = [value.func, value.args, value.keywords]
    return [*held, *getattr(value, "__dict__", {}).values()]


def _said(code: CodeType) -> tuple[Any, ...]:
    """Return what a code says, codes inside it too."""
    constants = tuple(
        _said(item) if hasattr(item, "co_code") else item for item in code.co_consts
    )
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_argcount)
    return (code.co_code.hex(), constants, *names)
