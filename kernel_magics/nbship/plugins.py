"""Plug-ins: what other distributions add through entry points.

``nbship.gates``, ``nbship.trackers`` and ``nbship.codecs`` are the groups. What an entry point
names is a class or an object; classes are called without arguments.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from nbship.errors import NbshipError, VettingError
from nbship.records.vetting import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.metadata import EntryPoint

    from nbship.vetting.gate import Gate


def load_plugins(
    group: str, *, error: type[NbshipError]
) -> tuple[tuple[str, Any], ...]:
    """Load every plug-in of a group.

    Parameters
    ----------
    group
        ``nbship.gates`` and the like.
    error
        What to raise where a plug-in breaks.

    Returns
    -------
    tuple of (str, object)
        What each is called in messages, and the object itself.

    Raises
    ------
    NbshipError
        ``error``, naming the plug-in, if it cannot be imported or made.
    """
    found = sorted(
        entry_points(group=group), key=lambda point: (point.name, point.value)
    )
    return tuple((_label(point), _load(point, error)) for point in found)


def all_gates(built_in: Sequence[Gate]) -> tuple[Gate, ...]:
    """Return the built-in gates and those of plug-ins.

    Raises
    ------
    VettingError
        If a plug-in breaks, is no gate, or takes a code that is taken.
    """
    gates = list(built_in)
    owners = {gate.code: "nbship" for gate in built_in}
    for label, gate in load_plugins("nbship.gates", error=VettingError):
        problem = _problem(gate)
        if not problem and gate.code in owners:
            problem = f"its code {gate.code} belongs to {owners[gate.code]}"
        if problem:
            raise VettingError(
                f"{label}: {problem}", hint="Mend or uninstall that plug-in."
            )
        owners[gate.code] = label
        gates.append(gate)
    return tuple(gates)


def _label(point: EntryPoint) -> str:
    owner = point.dist.name if point.dist else "an unknown distribution"
    return f"plug-in {point.name!r} of {owner} ({point.value})"


def _load(point: EntryPoint, error: type[NbshipError]) -> object:
    try:
        loaded = point.load()
        return loaded() if isinstance(loaded, type) else loaded
    except Exception as cause:
        raise error(
            f"{_label(point)}: {type(cause).__name__}: {cause}",
            hint="Mend or uninstall that plug-in.",
        ) from cause


def _problem(gate: object) -> str:
    """Say why an object is no gate; "" where it is one."""
    code = getattr(gate, "code", None)
    if not isinstance(code, str) or not code.isalnum() or not code.isupper():
        return f"its code is {code!r}, not capitals and digits such as 'ACME1'"
    if not isinstance(getattr(gate, "title", None), str):
        return "it has no title"
    if not isinstance(getattr(gate, "severity", None), Severity):
        return "its severity is no nbship.records.vetting.Severity"
    return "" if callable(getattr(gate, "ask", None)) else "it has no method `ask`"
