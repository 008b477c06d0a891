"""What the author declared of the inputs, held on every route by one check.

Types and shapes are known to the readers of both routes; ranges and values that the author
declared are known to the signature. A value that breaks one is refused with its path, and so
is every other mistake of the request.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..inputs import _inputs, _problems
from ._arguments import WrongInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..answering._contract import Contract
    from ..inputs import Problem

#: path of a problem in the rows or calls of a request
_PLACE = re.compile(r"instances\[(?P<number>\d+)\](?P<rest>.*)", re.DOTALL)


def problems_of(contract: Contract, instances: Any) -> list[Problem]:
    """Return all that is wrong with the rows or calls of a request."""
    if not isinstance(instances, list) or not instances:
        return []
    is_one_list = contract.form in {"list", "series"}
    asked = [{contract.inputs[0].name: instances}] if is_one_list else instances
    refusal = _inputs.refusal_of(asked)
    found = refusal.problems if refusal else []
    if is_one_list:  # an item of the list is a row here
        head = f"instances[0].{contract.inputs[0].name}"
        return [replace(p, path="instances" + p.path.removeprefix(head)) for p in found]
    # columns that are not used are no mistake here
    is_frame = contract.form == "frame"
    return [p for p in found if not (is_frame and p.code == _problems.EXTRA)]


def demand(
    contract: Contract,
    instances: list[Any],
    *,
    path_of: Callable[[str], str] = lambda path: path,
) -> None:
    """Hold what the author declared; ask only where something is declared.

    Parameters
    ----------
    contract
        What the model takes.
    instances
        The rows or calls of a request.
    path_of
        How another route than the plain one writes a path.

    Raises
    ------
    WrongInputError
        If a value is outside; it names the first, and lists all.
    """
    found = [replace(p, path=path_of(p.path)) for p in problems_of(contract, instances)]
    if found:
        error = WrongInputError(found[0].message, field=found[0].path)
        error.problems = as_json(found)
        raise error


def as_json(problems: Sequence[Problem]) -> list[dict[str, str]]:
    """Write problems as answers list them."""
    return [one.as_json() for one in problems[: _problems.MAX_PROBLEMS]]


def tensor_path(contract: Contract, path: str, *, is_whole: bool = False) -> str:
    """Write a path of the plain route as one of the protocol.

    >>> tensor_path(contract, "instances[3].km")
    'inputs.km[3]'
    """
    found = _PLACE.fullmatch(path)
    if found is None:
        return path
    rest, number = found["rest"], "" if is_whole else f"[{found['number']}]"
    if contract.form not in {"frame", "arguments"}:
        return f"inputs.{contract.inputs[0].name}{number}{rest}"
    names = sorted((field.name for field in contract.inputs), key=len, reverse=True)
    name = next((n for n in names if rest.startswith(f".{n}")), "")
    if not name:
        return f"inputs{number}{rest}"
    return f"inputs.{name}{number}{rest.removeprefix(f'.{name}')}"
