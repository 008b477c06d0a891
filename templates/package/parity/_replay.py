"""Call ``predict`` again with the recorded inputs and compare the answers.

A replay may be watched: which lines of ``model.py`` ran, what outside of package and arguments
was touched, which captured values were changed. Watching changes no answer.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import _about, _golden, _values

if TYPE_CHECKING:
    from collections.abc import Iterator


#: what a variable holds that a replay must have and does not know: digits, which most readers
#: take, and others in the second replay, so that an answer that rests on them differs
_PLACEHOLDERS = ("7000001", "910000000003")


@dataclass
class Replay:
    """What a replay of every golden case gave."""

    #: number of golden cases
    cases: int = 0
    #: ``case 3: row 1, column 'p': 0.25 where 0.5 was recorded``
    differences: list[str] = field(default_factory=list)
    #: case -> sha256 of its answer, so that two replays can be compared exactly
    answers: dict[str, str] = field(default_factory=dict)
    #: what was watched: ``coverage``, ``accesses``, ``changed_state``; empty where nothing was
    watched: dict[str, Any] = field(default_factory=dict)


def set_placeholders(*, is_reversed: bool = False) -> list[str]:
    """Give the variables that the code cannot do without a value, where they have none.

    For replays only: what answers for real must be given the real ones.

    Returns
    -------
    list of str
        The variables that were given one.
    """
    wanted = _about.capture().get("required_variables") or ()
    missing = [name for name in wanted if name not in os.environ]
    os.environ.update(dict.fromkeys(missing, _PLACEHOLDERS[is_reversed]))
    return missing


def golden_cases() -> Iterator[dict[str, Any]]:
    """Read the recorded calls, one a line."""
    with (_about.FOLDER / "golden.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def replay(*, is_reversed: bool = False) -> Replay:
    """Replay every golden case.

    Parameters
    ----------
    is_reversed
        Whether the last case goes first: answers that depend on earlier calls differ then.
    """
    result = Replay()
    loaded = _load(result, is_reversed=is_reversed)
    if loaded is not None:
        for case in loaded[1]:
            _take(result, loaded[0], case)
    return result


def watched_replay() -> Replay:
    """Replay every golden case and watch; asked before the model is loaded, it sees that too."""
    from ._accesses import watched_accesses
    from ._coverage import watched_lines
    from ._fingerprint import state_digests

    result = Replay()
    snapshots: list[dict[str, str]] = []
    with watched_lines() as lines, watched_accesses() as accesses:
        loaded = _load(result, is_reversed=False)
        for number, case in enumerate(loaded[1] if loaded else ()):
            if number < 2:  # noqa: PLR2004  # what the first call sets up for good is no change
                snapshots[:] = [state_digests(_model())]
            accesses.given = set(_texts([case["args"], case["kwargs"]]))
            _take(result, loaded[0], case)  # type: ignore[index]
    count, missed = lines.covered()
    result.watched = {
        "coverage": {
            "lines": count,
            "executed": count - len(missed),
            "missed": [_about.place_of(line) for line in missed],
        },
        "accesses": [_placed(found) for found in accesses.found.values()],
        "changed_state": _changes(snapshots),
    }
    return result


def trace_case(name: str) -> dict[str, Any]:
    """Run one case and return what each line of ``model.py`` left behind; see ``_trace``."""
    from ._trace import traced

    case = next(case for case in golden_cases() if str(case["case"]) == name)
    with traced() as events, contextlib.suppress(Exception):
        _answer(_about.predict_function(), case)
    lines = {line for _, _, line, _ in events}
    places = {str(line): _about.place_of(line) for line in sorted(lines)}
    return {"events": events, "places": places}


def declared_tolerances() -> dict[str, float]:
    """Return the relative tolerances that the author declared, by output."""
    return {
        str(column["name"]): float(column["rtol"])
        for column in _about.capture()["signature"]["outputs"]
        if column.get("rtol") is not None
    }


def tolerance() -> Any:
    """Return the relative tolerance of floats: one, or by output where some were declared."""
    declared = declared_tolerances()
    outputs = [column["name"] for column in _about.capture()["signature"]["outputs"]]
    if outputs == ["output"]:
        return declared.get("output", _values.RTOL)
    return declared or _values.RTOL


def _load(result: Replay, *, is_reversed: bool) -> tuple[Any, list[Any]] | None:
    try:
        predict = _about.predict_function()
        cases = list(golden_cases())
    except Exception as error:  # noqa: BLE001  # the author's module may raise anything
        result.differences.append(f"the package cannot be loaded: {_named(error)}")
        return None
    return predict, cases[::-1] if is_reversed else cases


def _take(result: Replay, predict: Any, case: dict[str, Any]) -> None:
    result.cases += 1
    name = str(case["case"])
    differences, answer = replay_case(predict, case)
    result.answers[name] = answer
    result.differences += [f"case {name}: {text}" for text in differences]


def replay_case(predict: Any, case: dict[str, Any]) -> tuple[list[str], str]:
    """Replay one golden case: how its answer differs, and the digest of the answer."""
    try:
        arguments, named = _golden.arguments_of(case)
        answer = predict(*arguments, **named)
        differences = _golden.differences_of(case, answer, tolerance())
        differences += _golden.differences_after(case, arguments, named, tolerance())
        text = json.dumps(_golden.encoded_answer(answer), sort_keys=True)
    except Exception as error:  # noqa: BLE001  # the author's function may raise anything
        return [f"{_named(error)} where an answer was recorded"], _named(error)
    return differences, hashlib.sha256(text.encode()).hexdigest()


def _answer(predict: Any, case: dict[str, Any]) -> Any:
    arguments, named = _golden.arguments_of(case)
    return predict(*arguments, **named)


def _model() -> Any:
    return sys.modules[f"{_about.PACKAGE}.model"]


def _changes(snapshots: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Compare the state now with the last snapshot; what was too large for a digest is left out."""
    if not snapshots:
        return []
    from ._fingerprint import state_digests

    before, after = snapshots[-1], state_digests(_model())
    names = sorted(
        name
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name) and before.get(name, "new")
    )
    return [{"name": name, "place": _about.place_of_name(name)} for name in names]


def _placed(found: dict[str, Any]) -> dict[str, Any]:
    file, line = found.pop("file"), found.pop("line")
    return {**found, "place": _about.place_of(line, file=file)}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        parts = value.values() if isinstance(value, dict) else value
        for part in parts:
            yield from _texts(part)


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
