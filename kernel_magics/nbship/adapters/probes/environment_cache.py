"""What interpreters answered, kept as long as nothing that they were asked about has changed.

Asking costs half a second; telling that the answer still holds costs some milliseconds: the names of
all ``.dist-info`` folders, and the times of their ``RECORD`` and of every ``.pth`` file on the path.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sys
from hashlib import sha256
from json import JSONDecodeError, dumps, loads
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.errors import NbshipError
from nbship.records.codec import from_json, to_json
from nbship.records.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: raised when interpreters are asked for something else
_FORMAT = 3
_SUFFIXES = (".dist-info", ".egg-info", ".egg-link", ".pth")
#: variables that change an interpreter's path
_VARIABLES = ("HOME", "PYTHONHOME", "PYTHONPATH", "PYTHONNOUSERSITE", "PYTHONUSERBASE")


class EnvironmentCache:
    """Answers by interpreter, in memory and in the user's cache folder."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Environment, list[str], str]] = {}

    def recall(self, python: str) -> Environment | None:
        """Return what an interpreter answered; None where that may have changed."""
        key = _key(python)
        known = self._known.get(key) or _read(key)
        if known is None:
            return None
        environment, paths, fingerprint = known
        if _fingerprint(paths)[0] != fingerprint:
            return None
        self._known[key] = known
        return environment

    def keep(
        self,
        python: str,
        environment: Environment,
        paths: Sequence[str],
        *,
        asked_at_ns: int,
    ) -> None:
        """Keep an answer, unless something was installed since the question."""
        fingerprint, changed_at_ns = _fingerprint(paths)
        if changed_at_ns >= asked_at_ns:
            return
        known = (environment, list(paths), fingerprint)
        key = _key(python)
        self._known[key] = known
        _write(key, known)


def cpus_here() -> int:
    """Return how many processors this process, and its children, may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _key(python: str) -> str:
    """Name an interpreter: its file, and all else that its answer depends on beside its path."""
    path = shutil.which(python) or python
    facts: list[Any] = [_FORMAT, path, sys.platform, *os.uname()]
    facts += [os.environ.get(name) for name in _VARIABLES]
    real = Path(path).resolve()
    facts += [str(real), _time_of(real)]
    facts += [_time_of(Path(path).parents[1] / "pyvenv.cfg")]
    return sha256(dumps(facts).encode()).hexdigest()[:32]


def _fingerprint(paths: Sequence[str]) -> tuple[str, int]:
    """Return a digest over names and times, and the youngest of the times."""
    digest, newest_ns = sha256(), 0
    for path in paths:
        for name, *times in _entries_of(path):
            digest.update(f"{name} {times}\n".encode("utf-8", "surrogateescape"))
            newest_ns = max(newest_ns, *times)
    return digest.hexdigest(), newest_ns


def _entries_of(path: str) -> Iterator[tuple[str, int, int]]:
    if not Path(path).is_dir():  # an archive, or nothing
        yield path, _time_of(path), 0
        return
    yield path, 0, 0
    with contextlib.suppress(OSError):
        # names and strings: this runs for every installed distribution, several times a job
        names = [n for n in os.listdir(path) if n.endswith(_SUFFIXES)]  # noqa: PTH208
        for name in sorted(names):
            record = _time_of(f"{path}/{name}/RECORD")
            yield name, record or _time_of(f"{path}/{name}"), 0


def _time_of(path: str | Path) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116  # a thousand times per question
    except OSError:
        return 0


def _file(key: str) -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "nbship" / "environments" / f"{key}.json"


def _read(key: str) -> tuple[Environment, list[str], str] | None:
    try:
        data = loads(_file(key).read_text("utf-8"))
        return (
            from_json(Environment, data["environment"]),
            list(data["paths"]),
            str(data["fingerprint"]),
        )
    except (OSError, JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        return None
    except (NbshipError, RuntimeError):  # another version's, or nobody's home
        return None


def _write(key: str, known: tuple[Environment, list[str], str]) -> None:
    """Keep an answer for other processes; where that cannot be done, they ask again."""
    environment, paths, fingerprint = known
    data = {
        "environment": to_json(environment),
        "paths": paths,
        "fingerprint": fingerprint,
    }
    with contextlib.suppress(OSError, RuntimeError):
        path = _file(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{key}.{secrets.token_hex(4)}")
        temporary.write_text(dumps(data), "utf-8")
        temporary.replace(path)
