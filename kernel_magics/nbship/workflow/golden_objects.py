"""Golden cases with objects among their arguments: written when called, taken when captured."""

from __future__ import annotations

from types import BuiltinFunctionType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from nbship.errors import NbshipError
from nbship.ports_shipping import GroupCodec
from nbship.records.digest import digest_bytes
from nbship.records.release import GoldenFile
from nbship.records.state import KeptObject
from nbship.release.golden_objects import files_of
from nbship.release.lambdas import bind_lambda, named_lambdas
from nbship.release.recording import unrecorded
from nbship.release.recording_limits import LeftOutError
from nbship.resources import shipped_module
from nbship.workflow.state_capture import refuse_pickle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nbship.ports_shipping import Codec
    from nbship.records.state import EncodedState
    from nbship.release.closure import ClosureWalk
    from nbship.release.golden import Case
    from nbship.release.golden_objects import Keep

_KEY = "value"
_NAMED = (type, FunctionType, BuiltinFunctionType, MethodType)


def keeper_of(codecs: Callable[[], Sequence[Codec]]) -> Keep:
    """Return what writes arguments for a recorder.

    Parameters
    ----------
    codecs
        Gives what writes values, in order of preference; asked at the first argument.
    """

    def keep(value: Any) -> KeptObject:  # noqa: ANN401
        try:
            plain = unrecorded(value)
            with named_lambdas(plain):
                return _kept(plain, codecs())
        except NbshipError as error:
            raise LeftOutError(error.message) from error

    return keep


def take_objects(
    walk: ClosureWalk, cases: tuple[Case, ...], objects: Mapping[str, KeptObject]
) -> tuple[tuple[Case, ...], dict[str, KeptObject], list[str]]:
    """Take what the arguments of golden cases need of the notebook.

    Parameters
    ----------
    walk
        The closure; classes and functions that arguments are of are added to it.
    cases
        The recorded calls.
    objects
        The files that hold their arguments, by name.

    Returns
    -------
    tuple
        The cases that can be repeated, their files, and remarks about the others.
    """
    why: dict[str, str] = {}
    for file in dict.fromkeys(name for case in cases for name in files_of(case)):
        why[file] = _why_not(walk, objects[file].encoded)
    kept = tuple(c for c in cases if not any(why[name] for name in files_of(c)))
    files = {name: objects[name] for case in kept for name in files_of(case)}
    for kept_object in files.values():
        for name in kept_object.encoded.notebook_objects:
            walk.require(name, reader="golden cases")
    left = len(cases) - len(kept)
    reasons = dict.fromkeys(reason for reason in why.values() if reason)
    calls = f"{left} call{'s' if left > 1 else ''}"
    remarks = [f"{calls} not recorded: {reason}" for reason in reasons] if left else []
    return kept, files, remarks


def golden_file(kept: KeptObject) -> GoldenFile:
    """Describe the file of an argument for ``capture.json``."""
    return GoldenFile(
        type=kept.type,
        codec=kept.codec,
        file=kept.file,
        digest=digest_bytes(kept.encoded.data),
        size_bytes=len(kept.encoded.data),
        trusted_types=kept.encoded.trusted_types,
        key=kept.key,
    )


def _kept(value: Any, codecs: Sequence[Codec]) -> KeptObject:  # noqa: ANN401
    kind = shipped_module("_objects").type_path(type(value))
    is_named = isinstance(value, _NAMED)
    for codec in codecs:
        key, encoded = "", None
        if not is_named:
            encoded = codec.encode(value)
        elif isinstance(codec, GroupCodec):
            key, encoded = _KEY, codec.encode_together({_KEY: value})
        if encoded is not None:
            refuse_pickle(codec, encoded)
            file = f"{digest_bytes(encoded.data)}{codec.suffix}"
            return KeptObject(
                file=file, type=kind, codec=codec.name, encoded=encoded, key=key
            )
    raise LeftOutError(f"an argument is a {kind}, which no codec writes")


def _why_not(walk: ClosureWalk, encoded: EncodedState) -> str:
    for name, value in encoded.notebook_objects.items():
        bind_lambda(walk, name, value)
        if "<" in name:
            return f"an argument is or holds {name}, a function that no name leads to"
        if not walk.has(name) or walk.value_of(name) is not unrecorded(value):
            return (
                f"an argument is or holds {name} as it was before it was defined anew"
            )
    return ""
