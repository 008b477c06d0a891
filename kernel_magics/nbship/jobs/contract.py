"""The typed parameter contract of a notebook, read from its ``parameters`` cell.

The cell is parsed, never executed. Annotations say the type; where there is none, it is
inferred from the default and marked so. Comments behind or above a line are descriptions.
"""

from __future__ import annotations

import ast
import contextlib
import io
import tokenize
from dataclasses import replace
from typing import TYPE_CHECKING

from nbship.errors import ParameterError
from nbship.jobs.annotations import read_annotation
from nbship.jobs.literals import NotLiteralError, kind_of, literal
from nbship.jobs.values import json_float
from nbship.records.parameters import Parameter, ParameterContract, ParameterKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbship.records.notebook import Notebook


def read_contract(notebook: Notebook) -> ParameterContract:
    """Read the contract of a notebook.

    Raises
    ------
    ParameterError
        If the parameters cell is no Python, or the notebook is of another language.
    """
    cell = notebook.parameters_cell
    if cell is None:
        return ParameterContract(cell_id=None)
    if notebook.language != "python":
        raise ParameterError(
            f"{notebook.path}: its language is {notebook.language}; the parameters of"
            " Python notebooks can be read",
            hint="Give such a notebook its values through `papermill --engine nbship`.",
        )
    try:
        return ParameterContract(
            cell_id=cell.id, parameters=read_parameters(cell.source)
        )
    except (SyntaxError, ValueError) as error:
        where = f"line {error.lineno}: " if isinstance(error, SyntaxError) else ""
        raise ParameterError(
            f"{notebook.path}: the parameters cell (id {cell.id}) is no Python:"
            f" {where}{error.args[0]}",
            hint="Correct that line.",
        ) from error


def read_parameters(source: str) -> tuple[Parameter, ...]:
    """Read the parameters that a cell declares, in its order; the last default counts.

    Raises
    ------
    SyntaxError
        If the source is no Python.
    ValueError
        If it holds a null character, or a number too long to be read.
    """
    plain = without_magics(source)
    comments = _comments(plain)
    found: dict[str, Parameter] = {}
    for statement in ast.parse(plain).body:
        for parameter in _declared(statement):
            description = _description(comments, plain, statement)
            earlier = found.get(parameter.name)
            found[parameter.name] = _joined(earlier, parameter, description)
    return tuple(found.values())


def without_magics(source: str) -> str:
    """Blank the lines that only IPython understands; the other lines keep their numbers."""
    return "\n".join(
        "" if line.startswith(("%", "!", "?")) else line for line in source.split("\n")
    )


def _joined(earlier: Parameter | None, new: Parameter, description: str) -> Parameter:
    new = replace(new, description=description)
    if earlier is None:
        return new
    if not new.is_inferred or earlier.is_inferred:
        return replace(new, description=description or earlier.description)
    return replace(
        earlier,
        default=new.default,
        default_text=new.default_text,
        is_required=False,
        description=description or earlier.description,
    )


def _declared(statement: ast.stmt) -> Iterator[Parameter]:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        yield _annotated(statement.target.id, statement.annotation, statement.value)
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from _assigned(target, statement.value)


def _assigned(target: ast.expr, value: ast.expr) -> Iterator[Parameter]:
    if isinstance(target, ast.Name):
        yield _inferred(target.id, value)
    elif (
        isinstance(target, (ast.Tuple, ast.List))
        and isinstance(value, (ast.Tuple, ast.List))
        and len(target.elts) == len(value.elts)
    ):
        for one, its_value in zip(target.elts, value.elts, strict=True):
            yield from _assigned(one, its_value)


def _annotated(name: str, annotation: ast.expr, value: ast.expr | None) -> Parameter:
    meaning = read_annotation(annotation)
    parameter = Parameter(
        name=name,
        kind=meaning.kind,
        annotation=ast.unparse(annotation),
        choices=meaning.choices,
        item_kind=meaning.item_kind,
        is_optional=meaning.is_optional,
        is_required=value is None,
    )
    return parameter if value is None else _with_default(parameter, value)


def _inferred(name: str, value: ast.expr) -> Parameter:
    kind = kind_of(value)
    parameter = Parameter(
        name=name,
        kind=kind,
        annotation=kind.value,
        is_optional=isinstance(value, ast.Constant) and value.value is None,
        is_inferred=True,
    )
    return _with_default(parameter, value)


def _with_default(parameter: Parameter, value: ast.expr) -> Parameter:
    try:
        default = literal(value)
    except NotLiteralError:
        default = None
    if parameter.kind is ParameterKind.FLOAT and type(default) is int:
        with contextlib.suppress(OverflowError):
            default = float(default)
    if isinstance(default, float):
        default = json_float(default)
    return replace(parameter, default=default, default_text=ast.unparse(value))


def _comments(source: str) -> dict[int, str]:
    """Map line numbers to the comment on that line."""
    found = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                found[token.start[0]] = token.string.lstrip("#").strip()
    except (tokenize.TokenError, IndentationError):
        pass  # the syntax tree, read next, says where the source is wrong
    return found


def _description(comments: dict[int, str], source: str, statement: ast.stmt) -> str:
    last = statement.end_lineno or statement.lineno
    if last in comments:
        return comments[last]
    if statement.lineno in comments:
        return comments[statement.lineno]
    lines = source.split("\n")
    above: list[str] = []
    number = statement.lineno - 1
    while number in comments and lines[number - 1].lstrip().startswith("#"):
        above.insert(0, comments[number])
        number -= 1
    return "" if above == ["Parameters"] else " ".join(above)  # papermill's own header
