"""Arguments of golden cases that JSON has no kind for, and what calls change in their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.release.recording_limits import LeftOutError
from nbship.resources import shipped_module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nbship.records.state import KeptObject

    #: writes a value without pickle, and raises where no codec does
    Keep = Callable[[Any], KeptObject]

#: the mark of an argument that lies in a file
FILE = "$file"
#: bytes of all files of one root
MAX_OBJECT_BYTES = 20_000_000
#: calls of one root whose arguments are written as files: a large model takes its time
MAX_OBJECT_CALLS = 60


class ObjectShelf:
    """The files that hold arguments of one root, each content once."""

    def __init__(self, keep: Keep | None) -> None:
        self._keep = keep
        self.objects: dict[str, KeptObject] = {}
        self._size_bytes = 0
        self._calls = 0

    def keep_only(self, files: Iterable[str]) -> None:
        """Forget all other files."""
        self.objects = {name: self.objects[name] for name in dict.fromkeys(files)}
        self._size_bytes = sum(len(k.encoded.data) for k in self.objects.values())
        self._calls = 0

    def argument(self, value: Any) -> Any:  # noqa: ANN401
        """Write one argument: as JSON, else as a file that the JSON names.

        Raises
        ------
        LeftOutError
            If neither can hold it, or there is no room.
        """
        values = shipped_module("_values")
        try:
            encoded = values.encode(value)
            if not _holds_record(encoded):
                return encoded
            reason = "an argument is an object of the notebook's own class"
        except values.UnsupportedValueError as error:
            reason = str(error)
        if self._keep is None:
            raise LeftOutError(reason)
        return {FILE: self._file(value)}

    def count_call(self, inputs: Mapping[str, Any]) -> None:
        """Count a call, where an argument of it lies in a file.

        Raises
        ------
        LeftOutError
            If there were enough of them.
        """
        if files_of(inputs):
            if self._calls == MAX_OBJECT_CALLS:
                raise LeftOutError(
                    f"more than {MAX_OBJECT_CALLS} calls with objects among their arguments"
                )
            self._calls += 1

    def _file(self, value: Any) -> dict[str, Any]:  # noqa: ANN401
        if self._calls == MAX_OBJECT_CALLS:  # before the work, not after it
            raise LeftOutError(
                f"more than {MAX_OBJECT_CALLS} calls with objects among their arguments"
            )
        kept = self._keep(value)  # type: ignore[misc]
        if kept.file not in self.objects:
            if self._size_bytes + len(kept.encoded.data) > MAX_OBJECT_BYTES:
                raise LeftOutError(
                    f"objects of more than {MAX_OBJECT_BYTES / 1e6:.0f} MB together"
                )
            self._size_bytes += len(kept.encoded.data)
            self.objects[kept.file] = kept
        return {"type": kept.type, "file": kept.file}


class Arguments:
    """The arguments of a call as they were before it, so that changes are seen."""

    def __init__(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        self._args = {str(place): value for place, value in enumerate(args)}
        self._kwargs = dict(kwargs)
        self._before = [_digests(self._args), _digests(self._kwargs)]

    def changed(self) -> dict[str, Any]:
        """Write the arguments that are others now; nothing where all are as they were.

        Raises
        ------
        UnsupportedValueError
            If one was changed and cannot be written.
        """
        encode = shipped_module("_objects").encode
        found = {}
        pairs = zip(("args", "kwargs"), (self._args, self._kwargs), strict=True)
        for (kind, values), before in zip(pairs, self._before, strict=True):
            after = _digests(values)
            changes = {
                name: encode(values[name])
                for name, digest in after.items()
                if digest != before[name]
            }
            if changes:
                found[kind] = changes
        return found


def files_of(case: Mapping[str, Any]) -> list[str]:
    """Name the files that hold arguments of a case."""
    return [
        item[FILE]["file"]
        for item in (*case["args"], *case["kwargs"].values())
        if isinstance(item, dict) and list(item) == [FILE]
    ]


def _digests(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: _digest(value) for name, value in values.items()}


def _digest(value: Any) -> str:  # noqa: ANN401
    if type(value).__name__.endswith("GroupBy"):  # it fills its caches when it is asked
        return ""
    try:
        digest: str = shipped_module("parity._fingerprint").digest_of(value)
    except Exception:  # noqa: BLE001  # whatever the object's own methods raise
        return ""
    return digest


def _holds_record(data: Any) -> bool:  # noqa: ANN401
    if isinstance(data, list):
        return any(_holds_record(item) for item in data)
    if not isinstance(data, dict):
        return False
    return "$record" in data or any(_holds_record(item) for item in data.values())
