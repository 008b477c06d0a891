"""Draws from generators that no cell has seeded: what each job would draw for itself.

Generators that every library shares (``random``, ``numpy.random``) are taken for seeded only
where a cell of the prefix has done so, whatever a job's settings promise.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nbship.jobs.bystanders import Reason, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SEEDS = {"random.seed": "random", "numpy.random.seed": "numpy"}
#: make generators of their own; without a seed they are refused already
_OWN = frozenset(
    """
    random.Random numpy.random.Generator numpy.random.MT19937 numpy.random.PCG64
    numpy.random.PCG64DXSM numpy.random.Philox numpy.random.RandomState numpy.random.SFC64
    numpy.random.SeedSequence numpy.random.default_rng
    """.split()  # noqa: SIM905
)
#: libraries whose parts may draw from numpy's generator, and parts of them that never do
_DRAWING = ("sklearn", "scipy.stats", "scipy.optimize", "statsmodels", "networkx")
_CALM = (
    "sklearn.compose", "sklearn.datasets.load_", "sklearn.feature_extraction",
    "sklearn.impute.SimpleImputer", "sklearn.linear_model.LinearRegression",
    "sklearn.metrics", "sklearn.model_selection.GroupKFold", "sklearn.pipeline",
    "sklearn.preprocessing",
)  # fmt: skip
_METHODS = frozenset({"rvs", "sample"})
_WORDS = frozenset({"random_state", "rng", "seed"})


def first_draw(
    tree: ast.Module, *, imported: Mapping[str, str], seeded: set[str]
) -> Reason | None:
    """Return the first draw that no seed precedes; None where there is none.

    Parameters
    ----------
    tree
        The cell.
    imported
        What names stand for.
    seeded
        Generators that were seeded so far: ``random``, ``numpy``; those of this cell are added.
    """
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        name = dotted(call.func, imported)
        if name in _SEEDS:
            seeded.add(_SEEDS[name])
        for generator in _drawn_from(call, name):
            if generator not in seeded:
                text = (
                    f"may draw from {generator}'s generator, which no cell has seeded"
                )
                return Reason(line=call.lineno, text=text)
    return None


def _drawn_from(call: ast.Call, name: str) -> Iterator[str]:
    if name in _OWN or name in _SEEDS:
        return
    if name.startswith("random."):
        yield "random"
    if name.startswith("numpy.random."):
        yield "numpy"
    is_told = any(word.arg in _WORDS for word in call.keywords)
    is_method = isinstance(call.func, ast.Attribute) and call.func.attr in _METHODS
    is_drawing = name.startswith(_DRAWING) and not name.startswith(_CALM)
    if (is_method or is_drawing) and not is_told:
        yield "numpy"
