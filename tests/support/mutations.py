"""Real changes put into a notebook: a seed, a hyperparameter, a row of data, a constant."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbship.vetting.sources import read_source

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = ("seed", "hyperparameter", "row", "constant")

_SEED_WORDS = {"random_state", "seed", "shuffle_seed"}
_SEEDERS = {"seed", "default_rng", "RandomState", "manual_seed", "Random"}
_HYPERPARAMETERS = {
    "n_estimators",
    "alpha",
    "C",
    "gamma",
    "max_depth",
    "n_neighbors",
    "n_clusters",
    "learning_rate",
    "n_components",
    "degree",
    "min_samples_leaf",
    "min_samples_split",
    "l1_ratio",
    "test_size",
    "train_size",
    "eps",
    "perplexity",
    "max_features",
    "min_samples",
    "nu",
    "contamination",
    "min_df",
    "max_df",
    "n_features",
}
_ALL_ROWS = {"read_csv", "read_table", "read_parquet", "read_excel"}
_MADE = ("make_",)
_BUNCHES = ("load_", "fetch_")


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One change to one cell."""

    kind: str
    #: the cell's, from 0
    position: int
    #: what was written, and what is now
    before: str
    after: str
    #: the cell's new source
    source: str


def mutations_of(document: dict[str, Any]) -> list[Mutation]:
    """Find every change that can be made to a notebook, in the order of its cells."""
    found = []
    for position, cell in enumerate(document["cells"]):
        if cell["cell_type"] == "code":
            source = "".join(cell["source"])
            found += [
                Mutation(kind=kind, position=position, before=b, after=a, source=new)
                for kind, b, a, new in _changes(source)
            ]
    return found


def chosen(mutations: list[Mutation], count: int, *, turn: int = 0) -> list[Mutation]:
    """Choose some changes: the kinds in turn, and of each kind one in the middle first.

    Parameters
    ----------
    mutations
        All of one notebook.
    count
        How many are wanted.
    turn
        Which kind comes first, so that every kind gets its share over many notebooks.
    """
    kinds = [KINDS[(turn + step) % len(KINDS)] for step in range(len(KINDS))]
    groups = [[m for m in mutations if m.kind == kind] for kind in kinds]
    picked: list[Mutation] = []
    while len(picked) < count and any(groups):
        for group in groups:
            if group and len(picked) < count:
                picked.append(group.pop(len(group) // 2))
    return picked


def mutated(document: dict[str, Any], mutation: Mutation) -> bytes:
    """Write the notebook with the change in it."""
    changed = json.loads(json.dumps(document))
    changed["cells"][mutation.position]["source"] = mutation.source
    return json.dumps(changed).encode()


def _changes(source: str) -> Iterator[tuple[str, str, str, str]]:
    tree = read_source(source).tree
    if tree is None:
        return
    taken: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _of_call(source, node, taken)
        elif isinstance(node, ast.Assign):
            yield from _of_load(source, node)
    for node in ast.walk(tree):
        if isinstance(node, (ast.BinOp, ast.Compare, ast.Assign)):
            yield from _of_constant(source, node, taken)


def _of_call(
    source: str, call: ast.Call, taken: set[int]
) -> Iterator[tuple[str, str, str, str]]:
    for keyword in call.keywords:
        value = keyword.value
        if not _is_number(value):
            continue
        if keyword.arg in _SEED_WORDS:
            taken.add(id(value))
            yield "seed", *_replaced(source, value, repr(value.value + 1))
        elif keyword.arg in _HYPERPARAMETERS:
            taken.add(id(value))
            yield "hyperparameter", *_replaced(source, value, _other(value.value))
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    name = call.func.id if isinstance(call.func, ast.Name) else name
    if name in _SEEDERS and call.args and _is_number(call.args[0]):
        value = call.args[0]
        taken.add(id(value))
        yield "seed", *_replaced(source, value, repr(value.value + 1))


def _of_load(source: str, node: ast.Assign) -> Iterator[tuple[str, str, str, str]]:
    call = node.value
    if len(node.targets) != 1 or not isinstance(call, ast.Call):
        return
    function = call.func
    name = getattr(function, "attr", getattr(function, "id", ""))
    target, line = ast.unparse(node.targets[0]), ""
    if name in _ALL_ROWS:
        line = f"{target} = {target}.iloc[:-1]"
    elif name.startswith(_MADE) and isinstance(node.targets[0], ast.Tuple):
        names = [ast.unparse(item) for item in node.targets[0].elts[:2]]
        line = "; ".join(f"{n} = {n}[:-1]" for n in names)
    elif name.startswith(_BUNCHES) and isinstance(node.targets[0], ast.Name):
        line = f"{target}.data = {target}.data[:-1]; {target}.target = {target}.target[:-1]"
    if not line or node.col_offset or node.end_lineno is None:
        return
    lines = source.split("\n")
    lines.insert(node.end_lineno, line)
    yield "row", lines[node.end_lineno - 1].strip(), f"… then {line}", "\n".join(lines)


def _of_constant(
    source: str, node: ast.AST, taken: set[int]
) -> Iterator[tuple[str, str, str, str]]:
    parts = {
        ast.BinOp: lambda n: (n.left, n.right),
        ast.Compare: lambda n: n.comparators,
        ast.Assign: lambda n: (n.value,),
    }[type(node)](node)
    for value in parts:
        if _is_number(value) and id(value) not in taken:
            taken.add(id(value))
            yield "constant", *_replaced(source, value, _other(value.value))


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in {int, float}


def _other(number: float) -> str:
    if isinstance(number, int):
        return repr(number + 1)
    return repr(number * 0.7 if number else 0.1)


def _replaced(source: str, node: ast.expr, text: str) -> tuple[str, str, str]:
    """Return the line before, the line after, and the new source."""
    lines = source.split("\n")
    at = node.lineno - 1
    line = lines[at].encode()
    before = lines[at].strip()
    changed = line[: node.col_offset] + text.encode() + line[node.end_col_offset :]
    lines[at] = changed.decode()
    return before, lines[at].strip(), "\n".join(lines)
