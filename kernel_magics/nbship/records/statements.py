"""What only the owner of a model can say; where nobody said it, pages show the hole."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: key in ``release.statements`` -> what is asked
STATEMENTS = {
    "intended_use": "what it is for, and for whom",
    "uses_to_avoid": "what it must not be used for",
    "on_call": "who is called when it fails",
    "objectives": "availability and latency that it must keep",
    "data_source": "where the data come from, and who may use them",
    "subgroups": "metrics by subgroup, or why there are none",
    "risks": "risks for people, and what was done about them",
    "oversight": "who watches over its answers, and how one is overruled",
    "licence": "licence of the model, as an SPDX expression",
    "classification": "class of risk under the EU AI Act",
    "standards": "harmonised standards that were applied",
    "declaration": "EU declaration of conformity",
}


def missing(key: str) -> str:
    """Write the hole that a statement leaves: who fills it, and where.

    >>> missing("on_call")
    'MISSING: owner: who is called when it fails (release.statements.on_call)'
    """
    return f"MISSING: owner: {STATEMENTS[key]} (release.statements.{key})"


def statements_of(lines: Iterable[str]) -> dict[str, str]:
    """Read ``key=text`` lines, and fill what was not said with its hole."""
    said = {
        key.strip(): text.strip()
        for key, _, text in (line.partition("=") for line in lines)
    }
    return {key: said.get(key) or missing(key) for key in STATEMENTS}
