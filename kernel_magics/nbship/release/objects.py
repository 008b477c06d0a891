"""Golden cases of objects: instances and classes of the notebook that answer by a method.

The object stays what it is to the notebook. An instance is given a subclass of its own whose
one method records; a class gets a recording method in place of its own. While a root is
captured both are at rest: as the author made them.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from nbship.release.literals import is_equal_value
from nbship.release.recording import Recorder, quietly, record, recorder_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nbship.release.golden_objects import Keep

#: methods by which an object answers, the first that it has
METHODS = ("predict", "__call__")
_RECORDER = "__nbship_recorder__"


def attended(
    value: Any,  # noqa: ANN401
    origin: Callable[[], str],
    keep: Keep | None = None,
) -> Any:  # noqa: ANN401
    """Return what shall stand in a root's place so that its calls are recorded.

    Parameters
    ----------
    value
        A function, bound method or partial, which gets a recorder around it; or an object or
        class of the notebook, which records and is returned itself; anything else is
        returned as it is.
    origin
        Names the running cell.
    keep
        Writes arguments that JSON has no kind for.
    """
    if isinstance(value, type):
        _record_class(value, origin, keep)
        return value
    if recorder_of(value) is not None:
        return value
    is_function = isinstance(value, (FunctionType, MethodType, functools.partial))
    if is_function or hasattr(value, "__wrapped__"):
        return record(value, origin, keep=keep)
    _record_instance(value, origin, keep)
    return value


def answering_method(value: Any) -> str:  # noqa: ANN401
    """Name the method by which an object or class of the notebook answers; "" without one."""
    kind = value if isinstance(value, type) else type(value)
    if kind.__module__ != "__main__":
        return ""
    for name in METHODS:
        function = inspect.getattr_static(kind, name, None)
        if isinstance(function, FunctionType) and function.__module__ == "__main__":
            return name
    return ""


@contextlib.contextmanager
def at_rest(namespace: Mapping[str, Any]) -> Iterator[dict[int, Recorder]]:
    """Give recording objects their own classes and methods back while the block runs.

    Yields
    ------
    dict
        id of each object or class that recorded -> its recorder.
    """
    recorders: dict[int, Recorder] = {}
    with contextlib.ExitStack() as stack:
        for value in list(namespace.values()):
            if id(value) in recorders:
                continue
            found = _rest(value, stack)
            if found is not None:
                recorders[id(value)] = found
        yield recorders


def _rest(value: Any, stack: contextlib.ExitStack) -> Recorder | None:  # noqa: ANN401
    if isinstance(value, type):
        for name in METHODS:
            recorded = vars(value).get(name)
            recorder = vars(recorded).get(_RECORDER) if _is_function(recorded) else None
            if recorder is not None:
                setattr(value, name, recorder.function)
                stack.callback(setattr, value, name, recorded)
                return recorder  # type: ignore[no-any-return]
        return None
    kind = type(value)
    recorder = vars(kind).get(_RECORDER)
    if isinstance(recorder, Recorder):
        _set_class(value, kind.__mro__[1])
        stack.callback(_set_class, value, kind)
        return recorder
    return None


def _is_function(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, FunctionType)


def _set_class(value: Any, kind: type) -> None:  # noqa: ANN401
    object.__setattr__(value, "__class__", kind)  # a frozen class forbids the plain way


def _record_instance(
    value: Any,  # noqa: ANN401
    origin: Callable[[], str],
    keep: Keep | None,
) -> None:
    kind = type(value)
    method = answering_method(value)
    if not method or _is_left_alone(kind):
        return
    recorder = Recorder(getattr(value, method), keep=keep)
    function = getattr(kind, method)

    @functools.wraps(function)
    def recorded(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        if self is not value:  # somebody made another object of the same class
            return function(self, *args, **kwargs)
        return recorder.call(args, kwargs, quietly(origin))

    body = {
        "__slots__": (),
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__doc__": kind.__doc__,
        "__reduce_ex__": _reduce,
        _RECORDER: recorder,
        method: recorded,
    }
    with contextlib.suppress(
        TypeError
    ):  # a class that allows no subclass: not recorded
        made: Any = type(kind)
        _set_class(value, made(kind.__name__, (kind,), body))


def _is_left_alone(kind: type) -> bool:
    """Tell whether a class records already, is an estimator, or acts when derived from."""
    if _RECORDER in vars(kind) or hasattr(kind, "fit"):
        return True
    return any("__init_subclass__" in vars(base) for base in kind.__mro__[:-1])


def _reduce(self: Any, protocol: Any) -> Any:  # noqa: ANN401  # pickle's and copy's protocol
    """Copy and pickle as the author's class does."""
    kind = type(self)
    _set_class(self, kind.__mro__[1])
    try:
        return self.__reduce_ex__(protocol)
    finally:
        _set_class(self, kind)


def _record_class(kind: type, origin: Callable[[], str], keep: Keep | None) -> None:
    """Record calls on instances that are as ``kind()`` makes them."""
    method = answering_method(kind)
    function = vars(kind).get(method)
    if not _is_function(function) or _RECORDER in vars(function):
        return
    recorder = Recorder(function, keep=keep)  # type: ignore[arg-type]

    @functools.wraps(function)  # type: ignore[arg-type]
    def recorded(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        if not _is_fresh(self, kind):
            return function(self, *args, **kwargs)  # type: ignore[misc]
        return recorder.call_of(self, args, kwargs, quietly(origin))

    setattr(recorded, _RECORDER, recorder)
    setattr(kind, method, recorded)


def _is_fresh(value: Any, kind: type) -> bool:  # noqa: ANN401
    if type(value) is not kind or not makes_itself(kind):
        return False
    try:
        return is_equal_value(dict(vars(value)), dict(vars(kind())))
    except Exception:  # noqa: BLE001  # the author's constructor may raise anything
        return False


def makes_itself(kind: type) -> bool:
    """Tell whether a class can be called without arguments."""
    try:
        parameters = inspect.signature(kind).parameters.values()
    except (TypeError, ValueError):
        return False
    return all(
        parameter.default is not parameter.empty
        or parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}
        for parameter in parameters
    )
