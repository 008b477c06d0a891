"""Read composite values: JSON that says how parts fit together, and the parts beside it.

Ships verbatim inside every exported package: plain Python 3.11. What is shared in the notebook
is shared here: each part that two others hold is made once. Of classes and functions, only those
that ``capture.json`` lists are taken.
"""

from __future__ import annotations

import collections
import functools
import importlib
import io
import json
import operator
import pathlib
import re
import zipfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: where the parts are named
STRUCTURE = "structure.json"
#: names of the notebook's module, as the list of trusted types has them
NOTEBOOK = "__notebook__"
_PAIR = 2


class TreeError(RuntimeError):
    """A composite value names what is not listed, or is of an unknown kind."""


def read_tree(data: bytes, trusted_types: Sequence[str]) -> Any:
    """Read what the codec ``tree`` wrote.

    Parameters
    ----------
    data
        The file's bytes.
    trusted_types
        Every class and function that may be used.

    Raises
    ------
    TreeError
        If it names others, or a kind that this reader does not know.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return _Builder(files, trusted_types).build(json.loads(files[STRUCTURE]))


class _Builder:
    """Makes objects from nodes, each shared one once."""

    def __init__(self, files: dict[str, bytes], trusted_types: Sequence[str]) -> None:
        self._files = files
        self._trusted = set(trusted_types)
        self._made: dict[int, Any] = {}

    def build(self, node: Any) -> Any:
        """Make what a node of the structure stands for.

        Raises
        ------
        TreeError
            If there is no reader for its kind.
        """
        if isinstance(node, list):
            return [self.build(item) for item in node]
        if not isinstance(node, dict):
            return node
        if node["kind"] in _FILLED:
            return self._filled(node)
        maker = _MAKERS.get(node["kind"])
        if maker is None:
            raise TreeError(f"no reader for parts of kind {node['kind']!r}")
        return self._keep(node, maker(self, node))

    def _keep(self, node: dict[str, Any], value: Any) -> Any:
        if "id" in node:
            self._made[node["id"]] = value
        return value

    def _filled(self, node: dict[str, Any]) -> Any:
        """Make a container before its content, which may hold the container itself."""
        make, fill = _FILLED[node["kind"]]
        value = self._keep(node, make(self, node))
        fill(self, value, node)
        return value

    def same(self, node: dict[str, Any]) -> Any:
        return self._made[node["of"]]

    def immutable(self, node: dict[str, Any]) -> Any:
        items = [self.build(item) for item in node["items"]]
        return tuple(items) if node["kind"] == "tuple" else frozenset(items)

    def value(self, node: dict[str, Any]) -> Any:
        from ._values import decode

        return decode(node["value"])

    def part(self, node: dict[str, Any]) -> Any:
        """Read a part that another codec wrote."""
        from ._state import read

        trusted = sorted(self._trusted)
        file = self._files[node["file"]]
        value = read(node["codec"], file, trusted_types=trusted)
        for name, item in node.get("attributes", {}).items():
            setattr(value, name, item)
        return value

    def array(self, node: dict[str, Any]) -> Any:
        import numpy as np

        file = io.BytesIO(self._files[node["file"]])
        return np.lib.format.read_array(file, allow_pickle=False)

    def dtype(self, node: dict[str, Any]) -> Any:
        import numpy as np

        return np.dtype(node["text"])

    @functools.cached_property
    def _tensors(self) -> dict[str, Any]:
        import safetensors.torch

        found: dict[str, Any] = safetensors.torch.load(
            self._files["tensors.safetensors"]
        )
        return found

    def tensor(self, node: dict[str, Any]) -> Any:
        from ._device import placed

        return placed(self._tensors[node["key"]], **node["how"])

    def device(self, node: dict[str, Any]) -> Any:
        from ._device import device

        if node["follows"]:
            return device()
        return importlib.import_module("torch").device(node["text"])

    @functools.cached_property
    def _opaque(self) -> list[Any]:
        from ._state import read

        trusted = sorted(self._trusted)
        found: list[Any] = read(
            "skops", self._files["objects.skops"], trusted_types=trusted
        )
        return found

    def opaque(self, node: dict[str, Any]) -> Any:
        return self._opaque[node["number"]]

    def name(self, node: dict[str, Any]) -> Any:
        """Take a name of the notebook's module."""
        self._check(f"{NOTEBOOK}.{node['name']}")
        module = importlib.import_module(".model", __package__)
        return getattr(module, node["name"])

    def imported(self, node: dict[str, Any]) -> Any:
        self._check(f"{node['module']}.{node['name']}")
        module = importlib.import_module(node["module"])
        return operator.attrgetter(node["name"])(module)

    def member(self, node: dict[str, Any]) -> Any:
        """Take an attribute of a part: a bound method, or a member of an enumeration."""
        return getattr(self.build(node["of"]), node["name"])

    def partial(self, node: dict[str, Any]) -> Any:
        function = self.build(node["function"])
        arguments = [self.build(item) for item in node["arguments"]]
        keywords = {key: self.build(item) for key, item in node["keywords"]}
        return functools.partial(function, *arguments, **keywords)

    def plain(self, node: dict[str, Any]) -> Any:
        """Call one of a few harmless types of the standard library."""
        return _PLAIN[node["type"]](*self.build(node["arguments"]))

    def loaded(self, node: dict[str, Any]) -> Any:
        """Let a class make its object from what its own ``__mlops_save__`` gave."""
        return self.build(node["class"]).__mlops_load__(self.build(node["saved"]))

    def new_object(self, node: dict[str, Any]) -> Any:
        cls = self.build(node["class"])
        return cls.__new__(cls, *(self.build(item) for item in node["arguments"]))

    def fill_object(self, value: Any, node: dict[str, Any]) -> None:
        if "items" in node:
            list.extend(value, self.build(node["items"]))
        if "pairs" in node:
            self.fill_dict(value, node)
        if "state" in node:
            _set_state(value, self.build(node["state"]))

    def fill_dict(self, value: Any, node: dict[str, Any]) -> None:
        is_ordered = isinstance(value, collections.OrderedDict)
        put = collections.OrderedDict.__setitem__ if is_ordered else dict.__setitem__
        for key, item in node["pairs"]:
            put(value, self.build(key), self.build(item))

    def items(self, node: dict[str, Any]) -> list[Any]:
        return [self.build(item) for item in node["items"]]

    def new_dict(self, node: dict[str, Any]) -> Any:
        if node["type"] == "defaultdict":
            return collections.defaultdict(self.build(node["factory"]))
        return _DICTS[node["type"]]()

    def new_objects(self, node: dict[str, Any]) -> Any:
        import numpy as np

        return np.empty(node["shape"], dtype=object)

    def fill_objects(self, value: Any, node: dict[str, Any]) -> None:
        for place, item in enumerate(self.items(node)):
            value.flat[place] = item

    def _check(self, path: str) -> None:
        if path not in self._trusted:
            raise TreeError(f"{path} is not among the types that capture.json lists")


def _set_state(value: Any, state: Any) -> None:
    """Give an object its attributes, as ``copy.copy`` does."""
    if hasattr(value, "__setstate__"):
        value.__setstate__(state)
        return
    slots = None
    if isinstance(state, tuple) and len(state) == _PAIR:
        state, slots = state
    if state:
        value.__dict__.update(state)
    for name, item in (slots or {}).items():
        object.__setattr__(value, name, item)


_DICTS: dict[str, Any] = {
    "dict": dict,
    "OrderedDict": collections.OrderedDict,
    "Counter": collections.Counter,
}
_PLAIN: dict[str, Any] = {
    "range": range,
    "slice": slice,
    "pattern": re.compile,
    "PosixPath": pathlib.Path,
    "PurePosixPath": pathlib.PurePosixPath,
    "bytearray": bytearray,
}
_MAKERS: dict[str, Callable[[_Builder, dict[str, Any]], Any]] = {
    "same": _Builder.same,
    "tuple": _Builder.immutable,
    "frozenset": _Builder.immutable,
    "value": _Builder.value,
    "part": _Builder.part,
    "array": _Builder.array,
    "dtype": _Builder.dtype,
    "tensor": _Builder.tensor,
    "device": _Builder.device,
    "opaque": _Builder.opaque,
    "name": _Builder.name,
    "import": _Builder.imported,
    "member": _Builder.member,
    "partial": _Builder.partial,
    "plain": _Builder.plain,
    "loaded": _Builder.loaded,
}
#: kind -> what makes the empty container, and what fills it
_FILLED: dict[str, tuple[Callable[..., Any], Callable[..., None]]] = {
    "list": (lambda _, _node: [], lambda b, v, n: v.extend(b.items(n))),
    "set": (lambda _, _node: set(), lambda b, v, n: v.update(b.items(n))),
    "deque": (
        lambda _, node: collections.deque(maxlen=node["maxlen"]),
        lambda b, v, n: v.extend(b.items(n)),
    ),
    "dict": (_Builder.new_dict, _Builder.fill_dict),
    "objects": (_Builder.new_objects, _Builder.fill_objects),
    "object": (_Builder.new_object, _Builder.fill_object),
}
