"""Annex IV of the EU AI Act (Regulation 2024/1689): where a bundle holds what it asks for.

An index, not prose: each point leads to files of the bundle, to what the owner has said, or to a
hole that only the owner can fill. The wording of the points is shortened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbship.records.statements import missing

if TYPE_CHECKING:
    from collections.abc import Mapping

#: number, what is asked, files that show it, statements that only the owner can make
_POINTS = (
    ("1", "General description: purpose, provider, version", ("MODEL_CARD.md", "manifest.json"), ("intended_use", "classification")),
    ("1", "Forms in which it is placed on the market; hardware it runs on", ("dist/", "deploy/Dockerfile", "reports/performance.json"), ()),
    ("1", "Instructions for use by the deployer", ("HANDOFF.md", "ops/RUNBOOK.md"), ()),
    ("2", "How it was developed: steps, tools, code", ("notebook/executed.ipynb", "src/model.py", "provenance/statement.intoto.json"), ()),
    ("2", "Data: provenance, scope, how they were obtained", ("provenance/outcome.json", "sbom.cdx.json"), ("data_source",)),
    ("2", "Human oversight", (), ("oversight",)),
    ("2", "Validation and testing: metrics, test logs, who signed", ("reports/verdict.json", "reports/parity.json", "tests/", "reports/approvals/"), ("subgroups",)),
    ("2", "Cybersecurity measures", ("SHA256SUMS.sig", "sbom.cdx.json", "reports/vulnerabilities.json", "deploy/kubernetes/"), ()),
    ("3", "Monitoring, functioning and control; limits of its abilities", ("HANDOFF.md", "ops/RUNBOOK.md"), ("uses_to_avoid", "oversight")),
    ("4", "Why the metrics are appropriate", ("MODEL_CARD.md",), ("subgroups",)),
    ("5", "Risk management system (Article 9)", (), ("risks",)),
    ("6", "Changes made through its lifecycle", ("CHANGELOG.md",), ()),
    ("7", "Harmonised standards applied, or other solutions", (), ("standards",)),
    ("8", "EU declaration of conformity (Article 47)", (), ("declaration",)),
    ("9", "Post-market monitoring (Article 72)", ("baseline/drift.json", "ops/alerts.yaml"), ("on_call",)),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One point of the annex."""

    number: str
    asked: str
    #: files of the bundle that show it
    files: tuple[str, ...]
    #: what the owner said, or the holes
    said: tuple[str, ...]


def annex_points(
    said: Mapping[str, str], *, names: frozenset[str]
) -> tuple[Point, ...]:
    """Index a bundle.

    Parameters
    ----------
    said
        The owner's statements, holes included.
    names
        Paths of the bundle's files; a point names only what is there.
    """
    return tuple(
        Point(
            number=number,
            asked=asked,
            files=tuple(name for name in files if _is_there(name, names)),
            said=tuple(_shown(key, said[key]) for key in keys),
        )
        for number, asked, files, keys in _POINTS
    )


def _shown(key: str, text: str) -> str:
    """Shorten a hole to its key: the point itself says what is asked."""
    return f"MISSING: owner: {key}" if text == missing(key) else text


def _is_there(name: str, names: frozenset[str]) -> bool:
    if name.endswith("/"):
        return any(other.startswith(name) for other in names)
    return name in names
