"""The typed parameter contract of a notebook, read from its ``parameters`` cell.

The cell is parsed, never executed. Annotations say the type; where there is none, it is
inferred from the default and marked so. Comments behind or above a line are descriptions; a
unit stands in brackets at their beginning: ``# [s] time to wait``. What the code cells above
import, and the Enum classes and type aliases that they declare, are known by name.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
import tokenize
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nbship.errors import ParameterError
from nbship.jobs.annotations import Meaning, read_annotation
from nbship.jobs.encoding import encode, encode_any
from nbship.jobs.fitting import fit
from nbship.jobs.inference import inferred_text, inferred_type
from nbship.jobs.kinds import ANYTHING, is_optional, options, union
from nbship.jobs.literals import NotLiteralError, literal
from nbship.jobs.scope import Scope, alias_of, read_scope
from nbship.records.parameters import (
    Parameter,
    ParameterContract,
    ParameterKind,
    ParameterType,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nbship.records.notebook import Notebook

_UNIT = re.compile(r"\[([^\[\]]{1,20})\]")
_TYPE_COMMENT = re.compile(r"type:\s*(?P<type>[^#]+?)\s*(#(?P<rest>.*))?")


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
        above = [c.source for c in notebook.code_cells if c.index < cell.index]
        return ParameterContract(
            cell_id=cell.id, parameters=read_parameters(cell.source, above=above)
        )
    except (SyntaxError, ValueError) as error:
        where = f"line {error.lineno}: " if isinstance(error, SyntaxError) else ""
        raise ParameterError(
            f"{notebook.path}: the parameters cell (id {cell.id}) is no Python:"
            f" {where}{error.args[0]}",
            hint="Correct that line.",
        ) from error


def read_parameters(source: str, *, above: Sequence[str] = ()) -> tuple[Parameter, ...]:
    """Read the parameters that a cell declares, in its order; the last default counts.

    Parameters
    ----------
    source
        The cell.
    above
        The code cells above it: they name types. One that is no Python says nothing.

    Raises
    ------
    SyntaxError
        If the source is no Python.
    ValueError
        If it holds a null character, or a number too long to be read.
    """
    plain = without_magics(source)
    comments = _comments(plain)
    tree = ast.parse(plain)
    scope = read_scope([*_trees(above), tree])
    found: dict[str, Parameter] = {}
    for statement in tree.body:
        if alias_of(statement, scope) is not None:
            continue
        told = _comment(comments, plain, statement)
        for parameter in _declared(statement, scope, told):
            described = _described(parameter, told)
            found[parameter.name] = _joined(found.get(parameter.name), described)
    return tuple(found.values())


def _trees(sources: Sequence[str]) -> Iterator[ast.Module]:
    for source in sources:
        with contextlib.suppress(SyntaxError, ValueError):
            yield ast.parse(without_magics(source))


def without_magics(source: str) -> str:
    """Blank the lines that only IPython understands; the other lines keep their numbers."""
    return "\n".join(
        "" if line.startswith(("%", "!", "?")) else line for line in source.split("\n")
    )


def _joined(earlier: Parameter | None, new: Parameter) -> Parameter:
    if earlier is None:
        return new
    words: dict[str, Any] = {
        "description": new.description or earlier.description,
        "unit": new.unit or earlier.unit,
    }
    if not new.is_inferred or earlier.is_inferred:
        return replace(new, **words)
    return replace(
        earlier,
        default=_refitted(earlier, new.default),
        default_text=new.default_text,
        is_required=False,
        **words,
    )


def _refitted(parameter: Parameter, default: Any) -> Any:  # noqa: ANN401
    kind = parameter.type or ANYTHING
    try:
        return encode(kind, fit(kind, default, is_json=True))
    except ValueError:
        return default


@dataclass(frozen=True, kw_only=True, slots=True)
class _Comment:
    """What a comment says."""

    description: str = ""
    unit: str = ""
    #: of ``# type: int``
    annotation: str = ""


def _described(parameter: Parameter, told: _Comment) -> Parameter:
    return replace(
        parameter,
        description=parameter.description or told.description,
        unit=parameter.unit or told.unit,
    )


def _declared(statement: ast.stmt, scope: Scope, told: _Comment) -> Iterator[Parameter]:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        meaning = read_annotation(statement.annotation, scope)
        text = ast.unparse(statement.annotation)
        yield _annotated(statement.target.id, meaning, text, statement.value, scope)
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            if isinstance(target, ast.Name) and told.annotation:
                yield _commented(target.id, told.annotation, statement.value, scope)
            else:
                yield from _assigned(target, statement.value, scope)


def _assigned(target: ast.expr, value: ast.expr, scope: Scope) -> Iterator[Parameter]:
    if isinstance(target, ast.Name):
        yield _inferred(target.id, value, scope)
    elif (
        isinstance(target, (ast.Tuple, ast.List))
        and isinstance(value, (ast.Tuple, ast.List))
        and len(target.elts) == len(value.elts)
    ):
        for one, its_value in zip(target.elts, value.elts, strict=True):
            yield from _assigned(one, its_value, scope)


def _annotated(
    name: str, meaning: Meaning, text: str, value: ast.expr | None, scope: Scope
) -> Parameter:
    kind = meaning.type
    if isinstance(value, ast.Attribute):
        kind = _with_imported_enum(kind, text, value)
    parameter = Parameter(
        name=name,
        annotation=text,
        is_required=value is None,
        description=meaning.description,
        unit=meaning.unit,
        **_summary(kind),
    )
    return parameter if value is None else _with_default(parameter, value, scope)


def _commented(name: str, text: str, value: ast.expr, scope: Scope) -> Parameter:
    tree = ast.parse(text, mode="eval").body
    lazy = replace(scope, is_lazy=True)
    return _annotated(name, read_annotation(tree, lazy), text, value, scope)


def _with_imported_enum(
    kind: ParameterType, text: str, value: ast.Attribute
) -> ParameterType:
    """Understand ``x: Color = Color.RED`` whose class is declared elsewhere."""
    owner = ast.unparse(value.value)
    named = (ast.unparse(node) for node in ast.walk(ast.parse(text, mode="eval")))
    if owner not in named:
        return kind
    found = ParameterType(
        kind=ParameterKind.ENUM,
        choices=(value.attr,),
        member_values=(None,),
        is_open=True,
        class_name=owner.rpartition(".")[2],
        maker=owner,
    )
    if kind == ANYTHING:
        return found
    items = kind.items if kind.kind is ParameterKind.UNION else (kind,)
    return union(found if item == ANYTHING else item for item in items)


def _summary(kind: ParameterType) -> dict[str, Any]:
    """Return what a parameter says about its type in short."""
    solid = options(kind)
    one = solid[0] if len(solid) == 1 else None
    return {
        "type": kind,
        "kind": one.kind if one else ParameterKind.UNION,
        "choices": one.choices if one else (),
        "is_optional": is_optional(kind),
    }


def _inferred(name: str, value: ast.expr, scope: Scope) -> Parameter:
    try:
        default = literal(value, scope)
        kind = inferred_type(default, value, scope)
        encode_any(default)
    except ValueError:
        default, kind = None, ANYTHING
    is_number = type(default) in {int, float}
    summary = _summary(kind)
    if is_number:
        summary["kind"] = ParameterKind(type(default).__name__)
    if default is None:
        summary["is_optional"] = isinstance(value, ast.Constant) and value.value is None
    parameter = Parameter(
        name=name,
        annotation=inferred_text(default, kind),
        is_inferred=True,
        **summary,
    )
    return _with_default(parameter, value, scope)


def _with_default(parameter: Parameter, value: ast.expr, scope: Scope) -> Parameter:
    kind = parameter.type or ANYTHING
    default = None
    try:
        found = literal(value, scope)
        try:
            default = encode(kind, fit(kind, found))
        except ValueError:  # the notebook's default breaks its own annotation
            default = encode_any(found)
    except (NotLiteralError, ValueError):
        if parameter.kind is ParameterKind.ENUM and isinstance(value, ast.Attribute):
            default = value.attr
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


def _comment(comments: dict[int, str], source: str, statement: ast.stmt) -> _Comment:
    text = _comment_text(comments, source, statement)
    annotation = ""
    if match := _TYPE_COMMENT.fullmatch(text):
        with contextlib.suppress(SyntaxError, ValueError):
            ast.parse(match["type"], mode="eval")
            is_told = not match["type"].startswith("ignore")
            annotation = match["type"].strip() if is_told else ""
            text = (match["rest"] or "").strip()
    match = _UNIT.match(text)
    if match is None:
        return _Comment(description=text, annotation=annotation)
    rest = text[match.end() :].strip()
    return _Comment(description=rest, unit=match[1].strip(), annotation=annotation)


def _comment_text(comments: dict[int, str], source: str, statement: ast.stmt) -> str:
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
