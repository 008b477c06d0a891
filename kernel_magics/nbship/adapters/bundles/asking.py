"""An installed package that is asked call by call, in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.adapters.bundles.uv import last_lines
from nbship.errors import VerificationError
from nbship.records.release_diff import Answered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: runs in the fresh environment, by its path; imports nothing of nbship
_DESK = str(Path(__file__).with_name("package_desk.py"))
#: for loading, and for each question
_TIMEOUT_S = 600.0
_READ_BYTES = 1 << 16


@contextlib.contextmanager
def asked_package(
    package: str,
    *,
    start: Sequence[str],
    options: Sequence[str],
    home: Path,
    environ: Mapping[str, str],
) -> Iterator[AskedPackage]:
    """Start the process that answers for a package, and end it.

    Parameters
    ----------
    package
        The import name.
    start
        What starts the environment's interpreter.
    options
        ``--refuse-network`` where the system cannot cut it.
    home
        An empty folder.
    environ
        All variables of the environment.

    Raises
    ------
    VerificationError
        If the package cannot be loaded.
    """
    log = home.parent / f"{home.name}.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [*start, "-I", _DESK, package, *options],
            cwd=home,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    try:
        yield AskedPackage(package, process, log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            process.communicate()


class AskedPackage:
    """One package and its process.

    Parameters
    ----------
    package
        The import name.
    process
        Answers a line of JSON with a line of JSON.
    log
        What it prints.
    """

    def __init__(
        self, package: str, process: subprocess.Popen[bytes], log: Path
    ) -> None:
        self._package = package
        self._process = process
        self._log = log
        self._rest = b""
        error = self._read()["loaded"]
        if error:
            raise VerificationError(
                f"{package} cannot be loaded in a fresh environment: {error}",
                hint="Verify that release alone: mlops verify BUNDLE.",
            )

    def ask(self, case: Mapping[str, Any]) -> Answered:
        """Call ``predict`` with the arguments of a golden case.

        Raises
        ------
        VerificationError
            If the process ends, or takes too long.
        """
        return Answered(**self._say({"ask": {k: case[k] for k in ("args", "kwargs")}}))

    def laps_ms(self, cases: Sequence[Mapping[str, Any]], *, calls: int) -> list[float]:
        """Time single calls in milliseconds, one golden case after the other.

        Raises
        ------
        VerificationError
            If the process ends, or takes too long.
        """
        given = [{k: case[k] for k in ("args", "kwargs")} for case in cases]
        return [
            float(lap) for lap in self._say({"time": given, "calls": calls})["laps"]
        ]

    def _say(self, question: Mapping[str, Any]) -> dict[str, Any]:
        line = json.dumps(question).encode() + b"\n"
        try:
            self._process.stdin.write(line)  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]
        except OSError as error:
            raise self._gone() from error
        return self._read()

    def _read(self) -> dict[str, Any]:
        end = time.monotonic() + _TIMEOUT_S
        out = self._process.stdout.fileno()  # type: ignore[union-attr]
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                if not selector.select(max(0.0, end - time.monotonic())):
                    raise VerificationError(
                        f"{self._package}: no answer after {_TIMEOUT_S:g} s",
                        hint="Try again when the machine is less busy.",
                    )
                data = os.read(out, _READ_BYTES)
                if not data:
                    raise self._gone()
                self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _gone(self) -> VerificationError:
        self._process.wait()
        told = last_lines(self._log.read_text("utf-8", "replace"))
        return VerificationError(
            f"{self._package}: its process ended with {self._process.returncode} before it"
            f" answered:\n{told}",
            hint="Verify that release alone: mlops verify BUNDLE.",
        )
