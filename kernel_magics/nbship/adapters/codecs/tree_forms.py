"""What an object is made of, and what to do where that cannot be told."""

from __future__ import annotations

import copyreg
import sys
from typing import TYPE_CHECKING, Any

from nbship.errors import HazardError
from nbship.release import hazards
from nbship.release.imports import offers

if TYPE_CHECKING:
    from types import ModuleType

#: modules that offer functions which do not know where they come from
_HOMES = ("builtins", "math", "operator", "numpy", "torch", "torch.nn.functional")
_SCRIPTED = "Export the module that it was made from: TorchScript files hold pickles."
_KEEP = (
    "Keep what is needed from it as numbers, strings, arrays or frames of their own."
)
_PARTS = 5


class CannotWriteError(Exception):
    """A part that no codec takes."""

    def __init__(self, path: str, what: str, hint: str = _KEEP) -> None:
        super().__init__(what)
        self.path, self.what, self.hint = path, what, hint


def reduced_parts(value: Any, path: str) -> tuple[Any, ...] | None:  # noqa: ANN401
    """Take an object apart as ``copy.copy`` does; None where it wants a call of its own.

    Raises
    ------
    CannotWriteError
        If it lives only in this process.
    """
    if type(value).__module__ == "builtins":
        return None
    if is_torch(value, {"Size"}):
        return (type(value), tuple(value)), None, None, None
    if _is_numpys_random(value):
        return None  # inside an object; skops writes where it stands
    if any(kind.__module__.startswith("torch.jit") for kind in type(value).__mro__):
        raise CannotWriteError(path, f"a {hazards.type_name(value)}", _SCRIPTED)
    try:
        hazards.check_handle(path, value, reader="", cells={})
    except HazardError as error:
        raise CannotWriteError(
            path, f"a {hazards.type_name(value)}", error.hint
        ) from error
    try:
        reduced = value.__reduce_ex__(2)
    except Exception:  # noqa: BLE001  # whatever the object's own methods raise
        return None
    if isinstance(reduced, str) or reduced[0] is not copyreg.__newobj__:  # type: ignore[attr-defined]
        return None
    _, arguments, state, items, pairs = (*reduced, None, None, None)[:_PARTS]
    return arguments, state, items, pairs


def _is_numpys_random(value: Any) -> bool:  # noqa: ANN401
    return type(value).__module__.startswith("numpy.random.")


def is_torch(value: Any, names: set[str]) -> bool:  # noqa: ANN401
    """Tell whether a value is of one of these types of PyTorch."""
    kind = type(value)
    return kind.__module__ == "torch" and kind.__name__ in names


def home_of(value: Any) -> tuple[str, str] | None:  # noqa: ANN401
    """Find where a function of C lies, such as ``torch.relu``, or a type such as ``torch.float32``."""
    name = getattr(value, "__name__", None) or str(value).rpartition(".")[2]
    if (
        name in vars(sys.modules["builtins"])
        and vars(sys.modules["builtins"])[name] is value
    ):
        return "builtins", name
    return next(((home, name) for home in _HOMES if offers(home, name, value)), None)


def owner_of(value: Any) -> type | None:  # noqa: ANN401
    """Find the importable class that a plain function is an attribute of, such as a method."""
    path = str(getattr(value, "__qualname__", "")).split(".")
    kind: Any = sys.modules.get(str(getattr(value, "__module__", "")))
    for name in path[:-1]:
        kind = getattr(kind, name, None)
    is_its = isinstance(kind, type) and getattr(kind, path[-1], None) is value
    return kind if is_its and len(path) == 2 else None  # noqa: PLR2004  # class and name


def module_fix(module: ModuleType) -> str:
    """Say what to do about a module that an object holds."""
    return f"Import {module.__name__} in the functions that use it, and do not keep it."


def fix_for(value: Any) -> str:  # noqa: ANN401
    """Say what to do about an object without a codec."""
    name = type(value).__qualname__
    if "Parametrized" in name:
        return "Call torch.nn.utils.parametrize.remove_parametrizations first."
    return _KEEP
