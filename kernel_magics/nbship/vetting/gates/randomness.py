"""Whether a second run would draw the same numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.records.vetting import Finding, Severity
from nbship.vetting import chance
from nbship.vetting.calls import (
    FoundCall,
    calls_of,
    constant_of,
    hands_on_keywords,
    imported_names,
    keyword_of,
)
from nbship.vetting.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbship.vetting.dossier import Dossier

_GENERATORS = {
    "random": "Python's own generator",
    "numpy": "numpy's global generator",
    "torch": "torch's generator",
    "tensorflow": "TensorFlow's generator",
}


class RandomnessIsSeeded(Gate):
    """Calls that draw at random with nothing above them that fixes what they draw."""

    code = "NB205"
    title = "randomness without a seed"
    severity = Severity.WARNING
    fix = "Pass random_state=SEED or default_rng(SEED), with SEED from the parameters cell."

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Object once per cell and function; a blocker where the policy demands a metric."""
        cells = [(cell.id, code.tree) for cell, code in dossier.code if code.tree]
        names = imported_names(tree for _, tree in cells)
        calls = [(i, call) for i, tree in cells for call in calls_of(tree, names)]
        at_last = frozenset().union(*(_seeded_by(call) for _, call in calls))
        loud = Severity.BLOCKER if dossier.policy.metrics else Severity.WARNING
        seeded: frozenset[str] = frozenset()
        seen: set[tuple[str, str]] = set()
        for cell_id, call in calls:
            seeded |= _seeded_by(call)
            drawn = _draws(call, at_last if call.is_deferred else seeded)
            if drawn and (cell_id, call.last) not in seen:
                seen.add((cell_id, call.last))
                message, is_certain = drawn
                yield self.finding(
                    message,
                    severity=loud if is_certain else Severity.WARNING,
                    cell_id=cell_id,
                    line=call.node.lineno,
                )


def _seeded_by(call: FoundCall) -> frozenset[str]:
    """Return the generators that a call seeds."""
    arguments = (*call.node.args, *(k.value for k in call.node.keywords))
    if not arguments or constant_of(arguments[0]) is None:
        return frozenset()
    if call.name in chance.SEEDERS:
        return chance.SEEDERS[call.name]
    is_seeder = call.name and "seed" in call.last.lower() and call.last[0].islower()
    is_other = call.name.startswith(("torch.", "numpy.", "random.", "tensorflow."))
    if is_seeder and not (is_other and "keras" not in call.name):
        return chance.ALL_GENERATORS
    return frozenset()


def _draws(call: FoundCall, seeded: frozenset[str]) -> tuple[str, bool] | None:
    """Say what an unseeded call draws from, and whether that is certain."""
    if call.name in chance.OWN_GENERATORS:
        arguments = (*call.node.args, *(k.value for k in call.node.keywords))
        if not arguments or constant_of(arguments[0]) is None:
            return f"`{call.last}` makes a generator without a seed", True
        return None
    if call.name.startswith(("sklearn.", "imblearn.")):
        return _draws_in_sklearn(call, seeded)
    generator = _global_generator(call)
    if generator and generator not in seeded:
        shown = call.name or f".{call.last}"
        return (
            f"`{shown}` draws from {_GENERATORS[generator]}, which nothing above seeds",
            bool(call.name),
        )
    return None


def _global_generator(call: FoundCall) -> str:
    """Name the global generator that a call draws from, "" for none."""
    if not call.name:
        return "numpy" if _is_sampling_method(call) else ""
    head, _, last = call.name.rpartition(".")
    if last == "DataLoader" and head.startswith("torch."):
        shuffles = constant_of(keyword_of(call.node, "shuffle")) is True
        return "torch" if shuffles and not keyword_of(call.node, "generator") else ""
    generator, functions = chance.GLOBAL_DRAWS.get(head, ("", frozenset()))
    return generator if last in functions else ""


def _is_sampling_method(call: FoundCall) -> bool:
    """Tell whether it is ``frame.sample(n=3)`` or ``norm.rvs()`` without ``random_state``."""
    if hands_on_keywords(call.node):
        return False
    if constant_of(keyword_of(call.node, "random_state")) is not None:
        return False
    if call.last == "rvs":
        return True
    sizes = [keyword_of(call.node, "n"), keyword_of(call.node, "frac")]
    return call.last == "sample" and any(size is not None for size in sizes)


def _draws_in_sklearn(
    call: FoundCall, seeded: frozenset[str]
) -> tuple[str, bool] | None:
    """Judge scikit-learn, which draws from numpy's global generator unless told otherwise."""
    state = constant_of(keyword_of(call.node, "random_state"))
    if state is not None or hands_on_keywords(call.node) or "numpy" in seeded:
        return None
    if constant_of(keyword_of(call.node, "shuffle")) is False:
        return None
    message = f"`{call.last}` has no random_state"
    if call.last in chance.SKLEARN_ALWAYS:
        return message, True
    if call.last in chance.SKLEARN_SOMETIMES:
        return f"{message}, and draws at random where the data are large", False
    keyword, values = chance.SKLEARN_IF.get(call.last, ("", frozenset()))
    if keyword and constant_of(keyword_of(call.node, keyword)) in values:
        return message, True
    return None
