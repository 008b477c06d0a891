"""Golden cases from real calls: the recorder that is put around a root.

Arguments are encoded before the call and the answer after it, so that later changes do not
reach them. A fault of the recorder never breaks the caller's call.
"""

from __future__ import annotations

import functools
import json
import threading
import time
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from nbship.records.signature import Declaration
from nbship.release.golden_objects import Arguments, ObjectShelf, files_of
from nbship.release.instructions import is_same_code, use_of
from nbship.release.recording_limits import LeftOutError
from nbship.resources import shipped_module

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbship.records.state import KeptObject
    from nbship.release.golden_objects import Keep

#: recorded calls of one root
MAX_CASES = 200
#: recorded calls of one root together, as JSON
MAX_BYTES = 5_000_000
#: calls kept that speak of something older: their inputs can be asked again
MAX_OUTDATED = 20
_RECORDER = "__nbship_recorder__"
_MAX_REASONS = 5
_PLAIN = (int, float, str, bytes, bool)


class Recorder:
    """The recorded calls of one definition of a root."""

    def __init__(
        self,
        function: Callable[..., Any],
        declared: Declaration | None = None,
        *,
        keep: Keep | None = None,
    ) -> None:
        self.function = function
        #: what its author says of inputs and outputs
        self.declared = declared or Declaration()
        #: what stands in the function's place
        self.stand_in: Callable[..., Any] | None = None
        self._cases: list[dict[str, Any]] = []
        self._shelf = ObjectShelf(keep)
        self._size_bytes = 0
        self._left_out: dict[str, int] = {}
        self._known: dict[str, Any] = {}
        #: calls made before something was bound anew, with their seconds
        self._outdated: list[tuple[dict[str, Any], float]] = []
        self._durations_s: list[float] = []
        self._bound_anew: dict[str, None] = {}
        self._depth = threading.local()

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any], origin: str) -> Any:  # noqa: ANN401
        """Call the function, and record the call where it returns and is the outermost."""
        return self._call(self.function, args, kwargs, origin)

    def call_of(
        self,
        owner: Any,  # noqa: ANN401
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        origin: str,
    ) -> Any:  # noqa: ANN401
        """Call the function as a method of ``owner``; see :meth:`call`."""
        bound = functools.partial(self.function, owner)
        return self._call(bound, args, kwargs, origin)

    def _call(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        origin: str,
    ) -> Any:  # noqa: ANN401
        depth = getattr(self._depth, "value", 0)
        began = self._begin(args, kwargs) if depth == 0 else None
        self._depth.value = depth + 1
        started = time.perf_counter()
        try:
            answer = function(*args, **kwargs)
        finally:
            self._depth.value = depth
        if began is not None:
            duration_s = time.perf_counter() - started
            self._keep(*began, answer, origin, duration_s)
        return answer

    def cases(self) -> tuple[dict[str, Any], ...]:
        """Return the recorded calls that still speak of what the function reads now."""
        self._forget_older()
        return tuple({"case": i, **case} for i, case in enumerate(self._cases, start=1))

    def outdated(self) -> tuple[tuple[dict[str, Any], float], ...]:
        """Return the last calls that speak of something older, each with its seconds."""
        self._forget_older()
        return tuple(self._outdated)

    @property
    def bound_anew(self) -> tuple[str, ...]:
        """What was bound anew since those calls."""
        return tuple(self._bound_anew)

    def objects(self) -> Mapping[str, KeptObject]:
        """Return the files that hold arguments of the recorded calls, by name."""
        return self._shelf.objects

    def remarks(self) -> tuple[str, ...]:
        """Say how many calls were left out, and why."""
        return tuple(
            f"{count} call{'s' if count > 1 else ''} not recorded: {reason}"
            for reason, count in list(self._left_out.items())[:_MAX_REASONS]
        )

    def _begin(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[dict[str, Any], Arguments] | None:
        """Write the arguments, and remember what they are; None where that cannot be."""
        try:
            self._forget_older()
            self._check_room((args, kwargs))
            write = self._shelf.argument
            inputs = {
                "args": [write(item) for item in args],
                "kwargs": {key: write(item) for key, item in kwargs.items()},
            }
            self._shelf.count_call(inputs)
            return inputs, Arguments(args, kwargs)
        except Exception as error:  # noqa: BLE001  # a recorder's fault is never the caller's
            self._leave_out(str(error))
            return None

    def _keep(  # what is known of a call
        self,
        inputs: dict[str, Any],
        before: Arguments,
        answer: Any,  # noqa: ANN401
        origin: str,
        duration_s: float,
    ) -> None:
        try:
            self._check_room(answer)
            output = shipped_module("_objects").encode(answer)
            changed = before.changed()
            case = {**inputs, "output": output, "origin": origin}
            case |= {"changed": changed} if changed else {}
            text = json.dumps(case)
            self._check_room(text)
        except Exception as error:  # noqa: BLE001  # as above
            self._leave_out(str(error))
            return
        self._cases.append(case)
        self._durations_s.append(duration_s)
        self._size_bytes += len(text)

    def _check_room(self, value: Any) -> None:  # noqa: ANN401
        if len(self._cases) >= MAX_CASES:
            raise LeftOutError(f"more than {MAX_CASES} calls")
        if _size_of(value) > MAX_BYTES - self._size_bytes:
            raise LeftOutError(f"more than {MAX_BYTES / 1e6:.0f} MB together")

    def _leave_out(self, reason: str) -> None:
        self._left_out[reason] = self._left_out.get(reason, 0) + 1

    def _forget_older(self) -> None:
        """Drop the calls made before something that the function reads was bound anew."""
        known = _read_objects(self.function)
        anew = [
            name
            for name in known.keys() | self._known.keys()
            if name not in known
            or name not in self._known
            or not _is_unchanged(known[name], self._known[name])
        ]
        if not anew:
            return
        if self._cases:
            pairs = zip(self._cases, self._durations_s, strict=True)
            self._outdated = [*self._outdated, *pairs][-MAX_OUTDATED:]
            self._bound_anew |= dict.fromkeys(sorted(anew))
        self._cases.clear()
        self._durations_s.clear()
        self._shelf.keep_only(name for c, _ in self._outdated for name in files_of(c))
        self._left_out.clear()
        self._size_bytes = 0
        self._known = known


def record(
    function: Callable[..., Any],
    origin: Callable[[], str],
    declared: Declaration | None = None,
    *,
    keep: Keep | None = None,
) -> Callable[..., Any]:
    """Put a recorder around a function; ``origin`` names the running cell.

    Parameters
    ----------
    function, origin, declared
        What is called, where from, and what its author says of it.
    keep
        Writes arguments that JSON has no kind for; without it such calls are left out.
    """
    recorder = Recorder(function, declared, keep=keep)

    @functools.wraps(function)
    def recorded(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        return recorder.call(args, kwargs, quietly(origin))

    recorder.stand_in = recorded
    setattr(recorded, _RECORDER, recorder)
    return recorded


def recorder_of(value: Any) -> Recorder | None:  # noqa: ANN401
    """Return the recorder around a function, None where there is none."""
    found = getattr(value, "__dict__", None)
    recorder = found.get(_RECORDER) if isinstance(found, dict) else None
    # functools.wraps copies the attribute to decorators put around the recorder
    return recorder if recorder is not None and recorder.stand_in is value else None


def unrecorded(value: Any) -> Any:  # noqa: ANN401
    """Return a function without the recorder around it; every other value as it is."""
    recorder = recorder_of(value)
    return value if recorder is None else recorder.function


def is_recorder(value: Any) -> bool:  # noqa: ANN401
    """Tell whether a decorator is ``nbship.golden``: exported text is written without it."""
    module = str(getattr(value, "__module__", ""))
    return module.startswith("nbship.") and getattr(value, "__name__", "") == "golden"


def quietly(origin: Callable[[], str]) -> str:
    """Name the running cell; "" where that fails."""
    try:
        return origin()
    except Exception:  # noqa: BLE001  # as above
        return ""


def _read_objects(function: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return what a function and its helpers read, codes in place of functions."""
    names: dict[str, Any] = {}
    start = function
    while hasattr(start, "__wrapped__"):
        start = start.__wrapped__
    start = getattr(start, "__func__", start)
    queue = [start]
    while queue:
        part = queue.pop()
        if not isinstance(part, FunctionType) or part.__module__ != "__main__":
            continue
        namespace: Mapping[str, Any] = part.__globals__
        for name in _reads(part.__code__):
            if name not in names and name in namespace:
                value = unrecorded(namespace[name])
                names[name] = getattr(value, "__code__", value)
                queue.append(value)
    return names


@functools.lru_cache(maxsize=256)
def _reads(code: CodeType) -> tuple[str, ...]:
    use = use_of(code)
    return tuple(name for name in use.reads if name not in use.writes)


def _is_unchanged(one: Any, other: Any) -> bool:  # noqa: ANN401
    if one is other:
        return True
    if isinstance(one, CodeType) and isinstance(other, CodeType):
        return is_same_code(one, other)
    return type(one) is type(other) and isinstance(one, _PLAIN) and one == other


def _size_of(value: Any, depth: int = 0) -> int:  # noqa: ANN401
    """Guess how many bytes of JSON a value makes, without making them."""
    if isinstance(value, (str, bytes)):
        return len(value)
    size = getattr(value, "size", None)
    if isinstance(size, int) and hasattr(value, "shape"):
        return size * 8
    if isinstance(value, dict):
        return sum(8 + _size_of(item, depth + 1) for item in value.values())
    if isinstance(value, (list, tuple, set, frozenset)):
        few = list(value)[:100] if len(value) > 1000 else list(value)  # noqa: PLR2004
        return len(value) * max((_size_of(item, depth + 1) for item in few), default=0)
    return 8
