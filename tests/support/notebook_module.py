"""Classes as a notebook defines them, and the module that a package would make of them."""

from __future__ import annotations

import contextlib
import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING

from nbship.adapters.codecs.registry import all_codecs
from nbship.resources import shipped_module

if TYPE_CHECKING:
    from collections.abc import Iterator

_MODEL = "nbship_shipped.model"


def notebook(source: str) -> SimpleNamespace:
    """Execute a cell under ``__main__`` and return its names."""
    names: dict = {"__name__": "__main__"}
    exec(source, names)  # noqa: S102  # that is what a notebook does
    return SimpleNamespace(**{k: v for k, v in names.items() if not k.startswith("__")})


@contextlib.contextmanager
def packaged(names: SimpleNamespace) -> Iterator[None]:
    """Let readers find the notebook's classes where a package has them."""
    model = ModuleType(_MODEL)
    vars(model).update(vars(names))
    sys.modules[_MODEL] = model
    try:
        yield
    finally:
        del sys.modules[_MODEL]


def encoded(value):
    """Write a value by the first codec that takes it."""
    for codec in all_codecs():
        found = codec.encode(value)
        if found is not None:
            return codec.name, found
    return None, None


def there_and_back(value, names: SimpleNamespace | None = None):
    """Write a value, look for pickles in the bytes, and read them as a package does."""
    codec, found = encoded(value)
    assert codec is not None, f"no codec for a {type(value).__name__}"
    assert shipped_module("_pickles").pickles_in("state/x", found.data) == []
    with packaged(names or SimpleNamespace()):
        read = shipped_module("_state").read
        return codec, read(codec, found.data, trusted_types=found.trusted_types)
