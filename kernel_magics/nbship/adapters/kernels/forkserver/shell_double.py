"""What modules find while they are preloaded when they ask whether they run in a notebook.

Some decide by it, once and for all, how they print (pandas) or show progress (tqdm). They are
told what a kernel would tell them. Whoever wants more of the shell cannot be preloaded.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: parts of a kernel's configuration that modules look for
_CONFIG: dict[str, dict[str, Any]] = {"IPKernelApp": {}, "ZMQInteractiveShell": {}}


class _Part:
    """Something of the shell that is there, and must not be used."""

    def __init__(self, told: Callable[[], None]) -> None:
        self.__dict__["_told"] = told

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        if not name.startswith("__"):
            self._told()
        raise AttributeError(name)

    def __setattr__(self, name: str, value: object) -> None:
        self._told()
        raise AttributeError(name)


class ZMQInteractiveShell(_Part):
    """Stands for the shell of a kernel.

    Parameters
    ----------
    told
        Called when a module wants more than to know what kind of shell this is.
    """

    def __init__(self, told: Callable[[], None]) -> None:
        super().__init__(told)
        self.__dict__["kernel"] = _Part(told)
        self.__dict__["config"] = {key: dict(value) for key, value in _CONFIG.items()}

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        module = sys.modules.get("ipykernel.zmqshell")
        return ZMQInteractiveShell if module is None else module.ZMQInteractiveShell


class Doubles:
    """Puts the double in place of the shell while modules are imported.

    Parameters
    ----------
    told
        Called when a module uses the shell.
    """

    def __init__(self, told: Callable[[], None]) -> None:
        self._told = told
        self._double = ZMQInteractiveShell(told)
        self._replaced: list[tuple[Any, str, Any]] = []

    def install(self) -> None:
        """Answer for the shell, and for the manager of its comms."""
        import builtins

        self._replaced = []
        self._replace(builtins, "get_ipython", lambda: self._double)
        shell = sys.modules.get("IPython.core.interactiveshell")
        if shell is not None:
            kind = shell.InteractiveShell
            self._replace(kind, "initialized", classmethod(lambda _kind: True))
            self._replace(kind, "instance", self._instance)
        comm = sys.modules.get("comm")
        if comm is not None:
            self._replace(comm, "get_comm_manager", self._comms)

    def remove(self) -> None:
        """Take it away again."""
        for place, name, value in reversed(self._replaced):
            if value is None:
                delattr(place, name)
            else:
                setattr(place, name, value)

    def _replace(self, place: Any, name: str, value: object) -> None:  # noqa: ANN401
        self._replaced.append((place, name, vars(place).get(name)))
        setattr(place, name, value)

    def _instance(self, *_args: object, **_options: object) -> Any:  # noqa: ANN401
        return self._double

    def _comms(self) -> Any:  # noqa: ANN401
        self._told()
        raise RuntimeError("no kernel runs here")
