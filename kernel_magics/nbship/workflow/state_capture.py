"""The values that a root reads, as files: each by its codec, together where they share parts."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from nbship.errors import HazardError
from nbship.ports_shipping import GroupCodec
from nbship.records.digest import digest_bytes
from nbship.records.release import StateEntry
from nbship.release import hazards
from nbship.release.items import Item, StateNeed, written_item
from nbship.release.lambdas import bind_lambda, named_lambdas
from nbship.release.recording import unrecorded
from nbship.resources import shipped_module

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nbship.ports_shipping import Codec
    from nbship.records.state import EncodedState
    from nbship.release.closure import ClosureWalk

#: folder of the values in a capture
STATE = "state"
_UNPACK = "Keep the value itself instead of its pickle."
_CHANGERS = {
    "add", "append", "appendleft", "clear", "discard", "extend", "fill", "insert", "pop",
    "popitem", "popleft", "put", "remove", "resize", "reverse", "rotate", "setdefault",
    "sort", "subtract", "update",
}  # fmt: skip


@dataclass(slots=True)
class CapturedState:
    """The files of a root's values, and what they need."""

    files: dict[str, bytes] = field(default_factory=dict)
    entries: list[StateEntry] = field(default_factory=list)
    #: import names that the readers need
    modules: set[str] = field(default_factory=set)
    #: the values themselves, by name
    values: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def capture_state(walk: ClosureWalk, codecs: Sequence[Codec]) -> CapturedState:
    """Write every value that a walk needs as a file, and follow what they hold.

    Values without a codec are noted with the walk, which refuses them all at once.

    Parameters
    ----------
    walk
        The closure; statements that load the values are added to it.
    codecs
        What writes values, in order of preference.
    """
    needs: dict[str, StateNeed] = {}
    taken: dict[str, tuple[Codec, EncodedState]] = {}
    while found := walk.take_needs():
        for need in found:
            try:
                codec, encoded = _encode(walk, need, codecs)
            except HazardError as error:
                walk.refuse(need.name, error)
                continue
            needs[need.name], taken[need.name] = need, (codec, encoded)
            _take_local(walk, encoded)
            walk.add(_state_item(need.name, encoded))
        walk.follow()
    state = CapturedState(values={name: need.value for name, need in needs.items()})
    for codec in codecs:
        if isinstance(codec, GroupCodec):
            _join(walk, codec, needs, taken, state)
    for name, (codec, encoded) in sorted(taken.items()):
        _keep(state, (name,), codec, encoded)
    return state


def _take_local(walk: ClosureWalk, encoded: EncodedState) -> None:
    """Take the modules beside the notebook whose classes a value holds."""
    modules = [path.rpartition(".")[0] for path in encoded.trusted_types]
    for module in (*encoded.modules, *modules):
        if module and walk.is_local(module):
            walk.use_module(module)


def refuse_pickled_text(text: str, root: str) -> None:
    """Refuse a module that spells a pickle out.

    Raises
    ------
    HazardError
        If a literal of it is one.
    """
    found = shipped_module("_pickles").pickles_in("its text", text.encode())
    if found:
        raise HazardError(f"{root}: {found[0]}; a package must hold none", hint=_UNPACK)


def _encode(
    walk: ClosureWalk, need: StateNeed, codecs: Sequence[Codec]
) -> tuple[Codec, EncodedState]:
    for codec in codecs:
        try:
            with named_lambdas(need.value):
                encoded = codec.encode(need.value)
            if encoded is not None:
                refuse_pickle(codec, encoded)
        except HazardError as error:
            place = hazards.bound_in(need.name, walk.cells)
            raise HazardError(
                f"{need.reader} reads {need.name!r}{place}: {error.message}",
                hint=error.hint,
                hazard=error.hazard or "untrusted",
                name=need.name,
            ) from error
        if encoded is not None:
            _check_objects(walk, need, encoded)
            return codec, encoded
    raise hazards.no_codec(need.name, need.value, reader=need.reader, cells=walk.cells)


def refuse_pickle(codec: Codec, encoded: EncodedState) -> None:
    """Refuse a pickle, also one that a plug-in wrote or that the value itself is.

    Raises
    ------
    HazardError
        If the bytes are one, hold one, or cannot be looked into.
    """
    found = shipped_module("_pickles").pickles_in("", encoded.data)
    if found:
        what = found[0].lstrip(": ")
        raise HazardError(
            f"the codec {codec.name} would write {what}; a package must hold none",
            hint=_UNPACK,
        )


def _check_objects(walk: ClosureWalk, need: StateNeed, encoded: EncodedState) -> None:
    for name, value in encoded.notebook_objects.items():
        bind_lambda(walk, name, value)
        if not walk.has(name) or walk.value_of(name) is not unrecorded(value):
            raise HazardError(
                f"{need.name!r} holds {name}, which is not the {name} that the notebook "
                "defines now",
                hint=f"Define {name} at the top level of a cell, then make {need.name} again.",
                hazard="redefined",
                name=need.name,
            )


def _join(
    walk: ClosureWalk,
    codec: GroupCodec,
    needs: Mapping[str, StateNeed],
    taken: dict[str, tuple[Codec, EncodedState]],
    state: CapturedState,
) -> None:
    """Write values that share changeable parts into one file, instead of one each."""
    changed = changed_names(walk.items.values())
    values = {name: need.value for name, need in needs.items()}
    constants = {
        name: walk.value_of(name)
        for name, item in walk.items.items()
        if item.kind == "constant"
    }
    for group in codec.groups(values | constants):
        held = [name for name in group if name in taken]
        members = held if not changed & set(group) else list(group)
        if len(members) < 2 or not held:  # noqa: PLR2004  # text alone stays text
            continue
        together = {name: values.get(name, constants.get(name)) for name in members}
        try:
            with named_lambdas(together):
                encoded = codec.encode_together(together)
            refuse_pickle(codec, encoded)
        except HazardError as error:
            if changed & set(group):
                walk.refuse(members[0], error)
            else:
                state.remarks.append(_parted(members))
            continue
        for name in members:
            taken.pop(name, None)
            walk.add(_state_item(name, encoded))
        _keep(state, tuple(members), codec, encoded)
    walk.follow()


def _parted(names: Sequence[str]) -> str:
    return (
        f"{', '.join(names)} share an object in the notebook; in the package each has a "
        "copy of its own"
    )


def changed_names(items: Any) -> set[str]:  # noqa: ANN401  # statements of the module
    """Return the global names whose values functions change in place, as far as text shows."""
    return {
        name
        for item in items
        if item.kind in {"function", "class"}
        for node in ast.walk(ast.parse(item.text))
        for name in _changed_by(node)
    }


def _changed_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, (ast.Subscript, ast.Attribute)) and not isinstance(
        node.ctx, ast.Load
    ):
        yield _root_name(node)
    elif isinstance(node, ast.AugAssign):
        yield _root_name(node.target)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        is_changer = node.func.attr in _CHANGERS
        is_inplace = any(keyword.arg in {"inplace", "out"} for keyword in node.keywords)
        if is_changer or is_inplace:
            yield _root_name(node.func)


def _root_name(node: ast.AST) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def reader_module(codec: str) -> set[str]:
    """Name the module of a plug-in's reader; nothing for our own codecs."""
    return {codec.partition(":")[0].partition(".")[0]} if ":" in codec else set()


def _state_item(name: str, encoded: EncodedState) -> Item:
    text = f'{name} = _load("{name}")'
    return written_item(name, text, kind="state", reads=tuple(encoded.notebook_objects))


def _keep(
    state: CapturedState, names: tuple[str, ...], codec: Codec, encoded: EncodedState
) -> None:
    first = names[0]
    stem = first if first.isascii() else f"value_{len(state.entries)}"
    file = f"{stem}{codec.suffix}"
    state.files[f"{STATE}/{file}"] = encoded.data
    state.modules |= set(encoded.modules)
    state.modules |= reader_module(codec.name)
    entry = StateEntry(
        name=first,
        codec=codec.name,
        file=file,
        digest=digest_bytes(encoded.data),
        size_bytes=len(encoded.data),
        trusted_types=encoded.trusted_types,
        is_shared=len(names) > 1,
    )
    state.entries += [replace(entry, name=name) for name in names]
