"""Fitted scikit-learn objects by skops, the types that its reader must trust listed.

The archive is rewritten so that equal objects give equal bytes: skops takes its numbers from
addresses in memory and its dates from the clock. Classes of the notebook are renamed from
``__main__`` to the name that the package lends them.
"""

from __future__ import annotations

import json
import sys
from pathlib import PurePosixPath
from types import FunctionType
from typing import Any

from nbship.adapters.codecs.archive import archive_of
from nbship.adapters.codecs.notebook_objects import notebook_objects
from nbship.adapters.codecs.sharing import libraries_of
from nbship.adapters.codecs.skops_writing import untrusted_types, written_parts
from nbship.errors import HazardError
from nbship.records.state import EncodedState
from nbship.resources import shipped_module

_CONTAINERS = {list, tuple, dict, set}
_ALLOWED_STANDARD = {
    "collections",
    "datetime",
    "decimal",
    "fractions",
    "uuid",
    "zoneinfo",
}
#: libraries whose objects have a format of their own
_OTHERS = {"lightgbm", "pandas", "torch", "xgboost"}


class SkopsCodec:
    """Estimators, and instances of the notebook's classes that they hold."""

    name = "skops"
    suffix = ".skops"

    def __init__(self, *, is_strict: bool = False) -> None:
        #: whether the value must come back here and now, and no other codec is preferred
        self._is_strict = is_strict

    def encode(self, value: object) -> EncodedState | None:
        """Write an object; None where skops cannot.

        Raises
        ------
        HazardError
            If it holds a function or class that nobody should trust.
        """
        kind = type(value)
        is_builtin = kind.__module__ == "builtins" and kind not in _CONTAINERS
        if isinstance(value, (type, FunctionType)) or is_builtin:
            return None
        if not self._is_strict and libraries_of(value) & _OTHERS:
            return None
        try:
            raw_schema, raw_files = written_parts(value)
        except Exception:  # noqa: BLE001  # whatever the object's own methods raise
            return None
        schema, files, roots = _rewrite(raw_schema, raw_files)
        is_ours = (
            _comes_back(raw_schema, raw_files)
            if self._is_strict
            else _is_for_skops(kind, roots)
        )
        if not is_ours:
            return None
        trusted = tuple(untrusted_types(schema, files))
        _check_trusted(trusted, value)
        alias = shipped_module("_state").NOTEBOOK_MODULE
        foreign = {t.partition(".")[0] for t in (*trusted, *roots)} - {alias}
        modules = {m for m in foreign if m not in sys.stdlib_module_names}
        text = json.dumps(schema).encode()
        return EncodedState(
            data=archive_of({**files, "schema.json": text}),
            trusted_types=trusted,
            modules=("skops", *sorted(modules | {"sklearn"})),
            notebook_objects=notebook_objects(value),
        )


def _root_of(kind: type) -> str:
    return kind.__module__.partition(".")[0]


def _comes_back(schema: dict[str, Any], files: dict[str, bytes]) -> bool:
    import skops.io

    raw = archive_of({**files, "schema.json": json.dumps(schema).encode()})
    try:
        skops.io.loads(raw, trusted=skops.io.get_untrusted_types(data=raw))
    except Exception:  # noqa: BLE001  # whatever constructors raise
        return False
    return True


def _is_for_skops(kind: type, roots: set[str]) -> bool:
    """Tell whether no other codec does better: one that needs less, or a format of its own."""
    is_own = kind in _CONTAINERS or kind.__module__ == "__main__"
    return not roots & _OTHERS and (
        not is_own or "sklearn" in roots or _is_fitted(kind)
    )


def _is_fitted(kind: type) -> bool:
    return any(_root_of(base) == "sklearn" for base in kind.__mro__)


def _check_trusted(trusted: tuple[str, ...], value: object) -> None:
    for path in trusted:
        root = path.partition(".")[0]
        is_allowed = root in _ALLOWED_STANDARD or path == "functools.partial"
        if root in sys.stdlib_module_names and not is_allowed:
            raise HazardError(
                f"a {type(value).__name__} holds {path}, which a package must not trust",
                hint="Write a function in a cell that does what is needed, and use that.",
            )


def _rewrite(
    schema: dict[str, Any], contents: dict[str, bytes]
) -> tuple[dict[str, Any], dict[str, bytes], set[str]]:
    """Renumber what skops wrote; return the import roots of its types as well."""
    numbering = _Numbering()
    schema = numbering.renumbered(schema)
    files = {new: contents[old] for old, new in numbering.files.items()}
    return schema, files, {m for m in numbering.modules if m}


class _Numbering:
    """Give ids and files the numbers of their first appearance."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.modules: set[str] = set()
        self._ids: dict[int, int] = {}
        self._fresh = 0
        self._alias = shipped_module("_state").NOTEBOOK_MODULE

    def renumbered(self, node: Any) -> Any:  # noqa: ANN401  # JSON
        if isinstance(node, list):
            return [self.renumbered(item) for item in node]
        if not isinstance(node, dict):
            return node
        node = dict(node)
        if node.get("__loader__") == "SetNode":
            node["content"] = sorted(node["content"], key=_without_ids)
        return {key: self._entry(key, item, node) for key, item in node.items()}

    def _entry(self, key: str, item: Any, node: dict[str, Any]) -> Any:  # noqa: ANN401
        if key == "__id__":
            return self._id(item, is_shared=node.get("__loader__") != "JsonNode")
        if key == "file" and isinstance(item, str):
            suffix = PurePosixPath(item).suffix
            return self.files.setdefault(item, f"{len(self.files)}{suffix}")
        if key == "__module__":
            if item == "__main__":
                return self._alias
            self.modules.add(str(item or "").partition(".")[0])
            return item
        return self.renumbered(item)

    def _id(self, item: int, *, is_shared: bool) -> int:
        if is_shared and item in self._ids:
            return self._ids[item]
        self._fresh += 1
        if is_shared:
            self._ids[item] = self._fresh
        return self._fresh


def _without_ids(node: Any) -> str:  # noqa: ANN401
    if isinstance(node, dict):
        node = {key: _without_ids(v) for key, v in node.items() if key != "__id__"}
    elif isinstance(node, list):
        node = [_without_ids(item) for item in node]
    return json.dumps(node, sort_keys=True)
