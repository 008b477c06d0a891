"""The replay of golden cases where nothing but a wheel and its lock is installed.

A new environment in a temporary folder, filled from uv's cache without network; then
``python -I -m PACKAGE verify`` twice, with a bare environment and without a network interface
where the system allows it (``unshare``), else with sockets refused in the process.
"""

from __future__ import annotations

import contextlib
import functools
import json
import shutil
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.adapters.bundles.asking import asked_package
from nbship.adapters.bundles.inspecting import look_at
from nbship.adapters.bundles.uv import last_lines, run_program, run_uv
from nbship.errors import VerificationError
from nbship.records.codec import from_json
from nbship.records.environment import normalized_name
from nbship.records.parity import Place
from nbship.release.lock_text import read_lock
from nbship.release.parity import drawing_line, parity_of, unsteady_cases
from nbship.release.requirements import minor_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nbship.adapters.bundles.asking import AskedPackage
    from nbship.adapters.bundles.uv import Ended
    from nbship.records.inspection import Inspection
    from nbship.records.release import ParityReport

_INSTALL_TIMEOUT_S = 1200
_REPLAY_TIMEOUT_S = 600
_USAGE = 2
#: as the replay's own, see ``_replay.py`` of the package
_PLACEHOLDER = "7000001"
_NAMESPACES = (("unshare", "-rn"), ("unshare", "-n"))
#: refuses every socket; for systems without network namespaces
_GUARD = """
import importlib, runpy, sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg",
                 "socket.getaddrinfo", "socket.gethostbyname"):
        raise PermissionError(f"{event}: a replay has no network")
package = sys.argv[1]
try:  # what refuses is the last to hear of it: the package tells what was tried
    importlib.import_module(package + ".parity._accesses").install()
except ImportError:
    pass
sys.addaudithook(refuse)
sys.argv = [package, *sys.argv[2:]]
runpy.run_module(package, run_name="__main__", alter_sys=True)
"""


class UvReplayer:
    """Replays in environments made by uv."""

    def replay(
        self, wheel: Path, lock: Path, *, package: str, python_version: str
    ) -> ParityReport:
        """Install wheel and lock without network, replay twice, and report.

        Where uv's cache lacks a file of the lock, it is downloaded first.

        Raises
        ------
        VerificationError
            If the lock holds more than pins, the Python version is missing, the lock cannot
            be installed, or the package does not answer.
        """
        started = time.monotonic()
        with _environment(wheel, lock, python_version) as (folder, python):
            reports = [
                _verify(folder, python, package, option)
                for option in ("--watch", "--reverse")
            ]
            draws = _draws(folder, python, package, unsteady_cases(reports))
        return parity_of(
            reports,
            isolation="namespace" if namespace() else "guard",
            duration_s=round(time.monotonic() - started, 3),
            draws=draws,
        )

    def serving(
        self, wheel: Path, lock: Path, *, package: str, python_version: str
    ) -> dict[str, Any]:
        """Let an installed package decide what answers, as its server does at its start.

        Raises
        ------
        VerificationError
            If the lock holds more than pins, the Python version is missing, the lock cannot
            be installed, or the package does not answer.
        """
        with _environment(wheel, lock, python_version) as (folder, python):
            ended = _ask(folder, python, package, command="info")
        facts: dict[str, Any] = _answer(ended, package)["serving"]
        return facts

    def inspect(
        self, wheel: Path, lock: Path, *, package: str, python_version: str
    ) -> Inspection:
        """List what is installed with a package and measure its calls, without network.

        Raises
        ------
        VerificationError
            If the lock holds more than pins, the Python version is missing, the lock cannot
            be installed, or the package does not answer.
        """
        with _environment(wheel, lock, python_version) as (folder, python):
            home = Path(tempfile.mkdtemp(prefix="home-", dir=folder))
            return look_at(
                package,
                distribution=normalized_name(wheel.name.partition("-")[0]),
                start=[*namespace(), str(python)],
                home=home,
                environ={**_bare(home), **_placeholders(wheel, package)},
            )

    @contextlib.contextmanager
    def installed(
        self, wheel: Path, lock: Path, *, package: str, python_version: str
    ) -> Iterator[AskedPackage]:
        """Install wheel and lock without network, and let the package be asked.

        Raises
        ------
        VerificationError
            If the lock holds more than pins, the Python version is missing, the lock cannot
            be installed, or the package cannot be loaded.
        """
        with _environment(wheel, lock, python_version) as (folder, python):
            home = Path(tempfile.mkdtemp(prefix="home-", dir=folder))
            with asked_package(
                package,
                start=[*namespace(), str(python)],
                options=() if namespace() else ("--refuse-network",),
                home=home,
                environ=_bare(home),
            ) as asked:
                yield asked


def _placeholders(wheel: Path, package: str) -> dict[str, str]:
    """Return values for the variables that a package cannot be imported without."""
    with zipfile.ZipFile(wheel) as archive:
        capture = json.loads(archive.read(f"{package}/capture.json"))
    return dict.fromkeys(capture.get("required_variables") or (), _PLACEHOLDER)


@contextlib.contextmanager
def _environment(
    wheel: Path, lock: Path, python_version: str
) -> Iterator[tuple[Path, Path]]:
    """Make a fresh environment and give its folder and interpreter.

    Where a wheelhouse lies beside the lock, nothing but its files is installed.
    """
    text = lock.read_text("utf-8")
    read_lock(text)
    with tempfile.TemporaryDirectory(prefix="nbship-replay-") as name:
        folder = Path(name)
        # copies under new names: uv's cache knows wheels by their paths
        copy = Path(shutil.copy2(wheel, folder / wheel.name))
        (folder / "requirements.lock").write_text(text, "utf-8")
        words = [
            "--require-hashes",
            "--requirements",
            str(folder / "requirements.lock"),
        ]
        if (house := lock.with_name("wheelhouse")).is_dir():
            words += ["--no-index", "--find-links", str(house.resolve())]
        python = _make_environment(
            folder, copy, python_version, lock=words if text else ()
        )
        yield folder, python


@functools.cache
def namespace() -> tuple[str, ...]:
    """Return the words that start a program without network; empty where none do."""
    for words in _NAMESPACES:
        if shutil.which(words[0]) is None:
            return ()
        ended = run_program(
            [*words, "true"], cwd=Path("/"), environ=_bare(Path("/")), timeout_s=30
        )
        if ended.code == 0:
            return words
    return ()


def find_python(python_version: str) -> str:
    """Return an interpreter of that minor version.

    Raises
    ------
    VerificationError
        If this machine has none.
    """
    wanted = minor_version(python_version)
    if wanted == minor_version(".".join(map(str, sys.version_info[:3]))):
        return sys.executable
    ended = run_uv(
        ["python", "find", "--offline", "--no-python-downloads", wanted], timeout_s=60
    )
    if ended.code != 0:
        raise VerificationError(
            f"Python {wanted} is not installed; the package was made for it",
            hint=f"Install Python {wanted}, then repeat the command.",
        )
    return ended.output.strip().splitlines()[-1]


def _make_environment(
    folder: Path, wheel: Path, python_version: str, *, lock: Sequence[str]
) -> Path:
    interpreter = find_python(python_version)
    python = _venv(folder / "fresh", interpreter)
    ended = _install(python, ["--offline", *lock]) if lock else None
    if ended is not None and ended.code != 0:
        _fill_cache(_venv(folder / "cache", interpreter), lock)
        python = _venv(folder / "again", interpreter)
        _demand(_install(python, ["--offline", *lock]))
    _demand(_install(python, ["--offline", "--no-index", "--no-deps", str(wheel)]))
    return python


def _venv(folder: Path, interpreter: str) -> Path:
    words = ["venv", "--quiet", "--offline", "--no-python-downloads", "--no-config"]
    _demand(run_uv([*words, "--python", interpreter, str(folder)], timeout_s=60))
    return folder / "bin" / "python"


def _install(python: Path, words: Sequence[str]) -> Ended:
    return run_uv(
        ["pip", "install", "--quiet", "--no-build", "--python", str(python), *words],
        timeout_s=_INSTALL_TIMEOUT_S,
    )


def _fill_cache(python: Path, lock: Sequence[str]) -> None:
    ended = _install(python, lock)
    if ended.code != 0:
        raise VerificationError(
            f"requirements.lock cannot be installed:\n{last_lines(ended.errors)}",
            hint="Run it once with access to your package index; then no network is needed.",
        )


def _demand(ended: Ended) -> None:
    if ended.code != 0:
        raise VerificationError(
            f"no fresh environment could be made:\n{last_lines(ended.errors)}",
            hint="Clear uv's cache (`uv cache clean`), then repeat the command.",
        )


def _draws(
    folder: Path, python: Path, package: str, cases: Sequence[str]
) -> tuple[Place, ...]:
    """Run an unsteady case twice more and find the line that drew."""
    if not cases:
        return ()
    asked = ("--trace", cases[0])
    ended = [_ask(folder, python, package, *asked) for _ in range(2)]
    try:
        runs = [json.loads(end.output.strip().splitlines()[-1]) for end in ended]
        line = drawing_line(*(run["events"] for run in runs))
        found = None if line is None else runs[0]["places"][str(line)]
    except (
        IndexError,
        KeyError,
        TypeError,
        ValueError,
    ):  # an older package, or no answer
        return ()
    return () if found is None else (from_json(Place, found),)


def _verify(folder: Path, python: Path, package: str, option: str) -> dict[str, Any]:
    ended = _ask(folder, python, package, option)
    if ended.code == _USAGE:  # a package that an older nbship made
        ended = _ask(folder, python, package)
    return _answer(ended, package)


def _answer(ended: Ended, package: str) -> dict[str, Any]:
    try:
        report: dict[str, Any] = json.loads(ended.output.strip().splitlines()[-1])
        report["version"]
    except (IndexError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise VerificationError(
            f"{package} gave no answer in a fresh environment (exit code {ended.code}):\n"
            + last_lines(ended.errors),
            hint="Look at the package's own error above.",
        ) from error
    return report


def _ask(
    folder: Path, python: Path, package: str, *options: str, command: str = "verify"
) -> Ended:
    home = Path(tempfile.mkdtemp(prefix="home-", dir=folder))
    asked = [package, command, "--json", *options]
    words = [str(python), "-I", "-m", *asked]
    if not namespace():
        words = [str(python), "-I", "-c", _GUARD, *asked]
    return run_program(
        [*namespace(), *words],
        cwd=home,
        environ=_bare(home),
        timeout_s=_REPLAY_TIMEOUT_S,
    )


def _bare(home: Path) -> dict[str, str]:
    """Return the whole environment of a replay; one thread, so that sums keep their order."""
    one = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
    )
    path = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    return {
        "HOME": str(home),
        "TMPDIR": str(home),
        "PATH": path,
        "LANG": "C.UTF-8",
        **one,
    }
