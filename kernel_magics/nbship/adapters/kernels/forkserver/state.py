"""What a process shows of itself, so that nothing is forked that a fork would break or betray."""

from __future__ import annotations

import builtins
import gc
import locale
import os
import signal
import stat
import sys
import threading
from typing import Any

#: devices that a process has opened once it talks to an accelerator
_ACCELERATORS = ("/dev/nvidia", "/dev/kfd", "/dev/dri")
_HARMLESS = {"/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"}
_HOOKS = ("excepthook", "displayhook", "unraisablehook", "breakpointhook")


def thread_count() -> int:
    """Count the threads of this process, those of C libraries too."""
    return len(os.listdir("/proc/self/task"))


def open_endpoints() -> dict[int, str]:
    """Return sockets, pipes, devices and other descriptors that two processes must not share."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            mode = os.stat(int(name)).st_mode
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:  # the descriptor of the listing itself
            continue
        is_shareable = stat.S_ISREG(mode) or stat.S_ISDIR(mode) or target in _HARMLESS
        if not is_shareable:
            found[int(name)] = target
    return found


def obstacles(allowed: set[int]) -> str:
    """Say why this process must not fork; "" where it may.

    Parameters
    ----------
    allowed
        Descriptors that are known and taken care of.
    """
    threads = thread_count()
    if threads != 1:
        return f"it has {threads} threads"
    for number, target in open_endpoints().items():
        if target.startswith(_ACCELERATORS):
            return f"it has opened {target}"
        if number not in allowed:
            return f"it holds {target} open"
    return ""


def process_state() -> dict[str, Any]:
    """Return what imports must leave alone, by its name for people."""
    logging = sys.modules.get("logging")
    root = logging.root if logging else None
    return {
        "signal handlers": [
            signal.getsignal(number) for number in sorted(signal.valid_signals())
        ],
        "the root logger": root and (root.level, list(root.handlers)),
        "hooks of sys": [getattr(sys, name) for name in _HOOKS],
        "the hook of threads": threading.excepthook,
        "built-in names": dict(vars(builtins), __import__=None, _=None),
        "the locale": locale.setlocale(locale.LC_ALL),
        "the working folder": os.getcwd(),
        "sys.path": list(sys.path),
        "path hooks": list(sys.path_hooks),
        "the recursion limit": sys.getrecursionlimit(),
        "the switch interval": sys.getswitchinterval(),
        "garbage collection": (gc.isenabled(), gc.get_threshold()),
        "the mask of signals": signal.pthread_sigmask(signal.SIG_BLOCK, ()),
    }


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Name what differs between two states."""
    return [name for name, value in before.items() if after[name] != value]
