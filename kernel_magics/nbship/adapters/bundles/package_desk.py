"""Asks an installed package, call by call: run as a script in its environment, by its path.

Standard library only: nothing but the package and what it needs is installed where this runs.
Reads one JSON object a line, ``{"ask": case}`` or ``{"time": [case, …], "calls": n}``, and
answers each with one line. What the package itself prints goes to standard error.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from importlib import import_module
from typing import Any


def main(package: str, options: list[str]) -> None:
    """Answer until the end of standard input."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    if "--refuse-network" in options:
        _refuse_network(package)
    desk = _Desk(package)
    answers.write(json.dumps({"loaded": desk.error}) + "\n")
    answers.flush()
    for line in sys.stdin:
        asked = json.loads(line)
        if "ask" in asked:
            reply = desk.ask(asked["ask"])
        else:
            reply = desk.take_time(asked["time"], asked["calls"])
        answers.write(json.dumps(reply) + "\n")
        answers.flush()


class _Desk:
    def __init__(self, package: str) -> None:
        self.error = ""
        self._inputs: Any = None
        self._package = package
        with contextlib.suppress(Exception):  # an older package knows of none
            import_module(f"{package}.parity._replay").set_placeholders()
        try:
            self._golden = import_module(f"{package}._golden")
            self._predict = import_module(package).predict
        except Exception as error:  # noqa: BLE001  # the author's module may raise anything
            self.error = _named(error)
        try:
            inputs = import_module(f"{package}.inputs._inputs")
        except ImportError:
            return
        if hasattr(inputs, "call_of"):  # an older package has no check of its own
            self._inputs = inputs

    def ask(self, case: dict[str, Any]) -> dict[str, Any]:
        """Call once; say also what the package's own check has against the input."""
        found = {"answer": None, "raised": "", "refused": self._refusal(case)}
        try:
            args, named = self._arguments(case)
            answer = self._predict(*args, **named)
            found["answer"] = self._golden.encoded_answer(answer)
        except Exception as error:  # noqa: BLE001
            found["raised"] = _named(error)
        return found

    def take_time(self, cases: list[dict[str, Any]], calls: int) -> dict[str, Any]:
        """Time single calls in milliseconds; reading inputs is outside of them."""
        return {"laps": [self._lap(cases[i % len(cases)]) for i in range(calls)]}

    def _lap(self, case: dict[str, Any]) -> float:
        args, named = self._arguments(case)
        started = time.perf_counter()
        self._predict(*args, **named)
        return 1000 * (time.perf_counter() - started)

    def _arguments(self, case: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        arguments: tuple[list[Any], dict[str, Any]] = self._golden.arguments_of(case)
        return arguments

    def _refusal(self, case: dict[str, Any]) -> str:
        """Ask the check that stands before ``predict`` wherever input is JSON."""
        if self._inputs is None:
            return ""
        try:
            if self._inputs.form() == "arguments":
                self._inputs.call_of(self._call(case))
            else:
                self._inputs.table_of(self._rows(case))
        except ValueError as error:
            problems = getattr(error, "problems", None)
            return str(error) if problems else ""
        except Exception:  # noqa: BLE001  # a value that JSON cannot hold is no mistake of input
            return ""
        return ""

    def _call(self, case: dict[str, Any]) -> dict[str, Any] | list[Any]:
        names = [spec.name for spec in self._inputs.specs()]
        by_position = dict(zip(names, case["args"], strict=False))
        if case["kwargs"] and len(case["args"]) <= len(names):
            return {**by_position, **case["kwargs"]}
        by_place: list[Any] = case["args"]
        return by_place

    def _rows(self, case: dict[str, Any]) -> list[Any]:
        args, named = self._arguments(case)
        (table,) = (*args, *named.values())
        if hasattr(table, "to_json"):
            text = table.to_json(
                orient="records", date_format="iso", double_precision=15
            )
            return list(json.loads(text))
        return list(table.tolist())


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _refuse_network(package: str) -> None:
    """Refuse every socket, where no network namespace could be made."""
    with contextlib.suppress(Exception):  # an older package tells of nothing
        # what refuses is the last to hear of it, as in a replay
        import_module(f"{package}.parity._accesses").install()
    refused = ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg")
    names = ("socket.getaddrinfo", "socket.gethostbyname")

    def refuse(event: str, _arguments: object) -> None:
        if event in refused or event in names:
            raise PermissionError(f"{event}: a replay has no network")

    sys.addaudithook(refuse)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
