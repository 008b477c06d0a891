"""Call ``predict`` again with the recorded inputs and compare the answers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import _about, _values

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Replay:
    """What a replay of every golden case gave."""

    #: number of golden cases
    cases: int = 0
    #: ``case 3: row 1, column 'p': 0.25 where 0.5 was recorded``
    differences: list[str] = field(default_factory=list)
    #: case -> sha256 of its answer, so that two replays can be compared exactly
    answers: dict[str, str] = field(default_factory=dict)


def golden_cases() -> Iterator[dict[str, Any]]:
    """Read the recorded calls, one a line."""
    with (_about.FOLDER / "golden.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def replay() -> Replay:
    """Replay every golden case."""
    result = Replay()
    try:
        predict = _about.predict_function()
        cases = list(golden_cases())
    except Exception as error:  # noqa: BLE001  # the author's module may raise anything
        result.differences.append(f"the package cannot be loaded: {_named(error)}")
        return result
    for case in cases:
        result.cases += 1
        name = str(case["case"])
        differences, answer = replay_case(predict, case)
        result.answers[name] = answer
        result.differences += [f"case {name}: {text}" for text in differences]
    return result


def replay_case(predict: Any, case: dict[str, Any]) -> tuple[list[str], str]:
    """Replay one golden case: how its answer differs, and the digest of the answer."""
    try:
        arguments = [_values.decode(item) for item in case["args"]]
        named = {key: _values.decode(item) for key, item in case["kwargs"].items()}
        answer = predict(*arguments, **named)
        differences = _values.compare(case["output"], answer)
        text = json.dumps(_values.encode(answer), sort_keys=True)
    except Exception as error:  # noqa: BLE001  # the author's function may raise anything
        return [f"{_named(error)} where an answer was recorded"], _named(error)
    return differences, hashlib.sha256(text.encode()).hexdigest()


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
