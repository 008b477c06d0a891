"""Composite values: containers, objects and the parts that other codecs write, in one file.

Identity is kept: what two names or two parts share in the notebook is one object after loading.
"""

from __future__ import annotations

import json
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from nbship.adapters.codecs.archive import archive_of
from nbship.adapters.codecs.sharing import groups
from nbship.adapters.codecs.tree_forms import CannotWriteError
from nbship.adapters.codecs.tree_nodes import TreeWriter
from nbship.errors import HazardError
from nbship.records.state import EncodedState
from nbship.resources import shipped_module

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMED = (type, FunctionType, BuiltinFunctionType, ModuleType)


class TreeCodec:
    """What no single format holds: mixed containers, objects of the notebook's classes."""

    name = "tree"
    suffix = ".tree"

    def encode(self, value: object) -> EncodedState | None:
        """Write a value; None where it is no composite one.

        Raises
        ------
        HazardError
            If a part of it cannot be written; the message says where it lies.
        """
        if isinstance(value, _NAMED):
            return None
        try:
            return _encode(value)
        except CannotWriteError as error:
            if not error.path:
                return None
            raise HazardError(
                f"it holds {error.what} at {error.path}, which no codec writes without "
                "pickle",
                hint=error.hint,
            ) from error
        except RecursionError:
            return None

    def groups(self, values: Mapping[str, object]) -> list[tuple[str, ...]]:
        """Group the names of values that have a changeable object in common."""
        return groups(values)

    def encode_together(self, values: Mapping[str, object]) -> EncodedState:
        """Write values that share parts into one file, which gives them back by name.

        Raises
        ------
        HazardError
            If what they share cannot be written once for all.
        """
        names = ", ".join(values)
        try:
            return _encode(dict(values))
        except (CannotWriteError, HazardError, RecursionError) as error:
            where = getattr(error, "path", "") or "one of them"
            hint = f"Give each its own copy (copy.deepcopy) in a cell: {names}."
            raise HazardError(
                f"{names} share an object, and cannot be written together: {where} holds "
                f"what no codec writes: {error}",
                hint=hint,
            ) from error


def _encode(value: Any) -> EncodedState:  # noqa: ANN401
    writer = TreeWriter()
    structure = without_idle_ids(writer.node(value, ""))
    text = json.dumps(structure, separators=(",", ":"))
    files = writer.finished_files()
    files[shipped_module("_tree").STRUCTURE] = text.encode()
    return EncodedState(
        data=archive_of(files),
        trusted_types=tuple(sorted(writer.trusted)),
        modules=tuple(sorted(writer.modules)),
        notebook_objects=writer.objects,
    )


def without_idle_ids(structure: Any) -> Any:  # noqa: ANN401  # JSON
    """Take the ids away that nothing refers to, and number the rest anew."""
    used: dict[int, int] = {}
    _collect(structure, used)
    return _renumbered(structure, used)


def _collect(node: Any, used: dict[int, int]) -> None:  # noqa: ANN401
    if isinstance(node, list):
        for item in node:
            _collect(item, used)
    elif isinstance(node, dict):
        if node.get("kind") == "same":
            used.setdefault(node["of"], len(used))
        for key, item in node.items():
            if key != "value":  # encoded by _values, with keys of its own
                _collect(item, used)


def _renumbered(node: Any, used: dict[int, int]) -> Any:  # noqa: ANN401
    if isinstance(node, list):
        return [_renumbered(item, used) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("kind") == "same":
        return {"kind": "same", "of": used[node["of"]]}
    kept = {
        key: item if key == "value" else _renumbered(item, used)
        for key, item in node.items()
        if key != "id" or item in used
    }
    if "id" in kept:
        kept["id"] = used[kept["id"]]
    is_plain_list = kept.get("kind") == "list" and "id" not in kept
    return kept["items"] if is_plain_list else kept
