"""What code reads, writes and imports, by its instructions; and whether two codes are one.

``co_names`` mixes attributes with globals and knows nothing of nested functions, so the
instructions are walked instead, as cloudpickle does.
"""

from __future__ import annotations
import __future__

import ast
import dis
import inspect
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_READS = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}
_WRITES = {"STORE_GLOBAL", "DELETE_GLOBAL"}
_BINDS = {"STORE_NAME", "DELETE_NAME"}
_COMPREHENSIONS = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}
_FUTURE_FLAGS = 0x1FFF0000  # CO_FUTURE_*: they change annotations, not answers
#: flags that change no answer: a lambda of a loop stands inside a function in the package
_IDLE_FLAGS = _FUTURE_FLAGS | inspect.CO_NESTED


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeUse:
    """The names that code touches in its module."""

    #: global names that are read, in the order of the code
    reads: tuple[str, ...] = ()
    #: those of ``reads`` that are read while the module is imported
    reads_at_definition: frozenset[str] = field(default_factory=frozenset)
    #: global names that functions set or delete
    writes: frozenset[str] = field(default_factory=frozenset)
    #: modules imported by statements inside the code
    imports: tuple[str, ...] = ()


def use_of(code: CodeType) -> CodeUse:
    """Tell what a code object and every one nested in it touches."""
    reads: dict[str, None] = {}
    at_definition: set[str] = set()
    writes: set[str] = set()
    imports: dict[str, None] = {}
    for part, is_run in _parts(code, is_run=True):
        bound: set[str] = set()
        for instruction in dis.get_instructions(part):
            name = instruction.argval
            if instruction.opname in _READS and name not in bound:
                reads[name] = None
                if is_run:
                    at_definition.add(name)
            elif instruction.opname in _WRITES:
                writes.add(name)
            elif instruction.opname in _BINDS:
                bound.add(name)
            elif instruction.opname == "IMPORT_NAME":
                imports[name] = None
    return CodeUse(
        reads=tuple(reads),
        reads_at_definition=frozenset(at_definition),
        writes=frozenset(writes),
        imports=tuple(imports),
    )


def use_of_text(text: str, *, is_future: bool = False) -> CodeUse:
    """Tell what the statements of a text touch; see :func:`use_of`."""
    return use_of(compiled(text, is_future=is_future))


@lru_cache(maxsize=512)
def compiled(text: str, *, is_future: bool = False) -> CodeType:
    """Compile the text of a module, with or without postponed annotations."""
    flags = __future__.annotations.compiler_flag if is_future else 0
    flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT  # as notebooks do
    code: CodeType = compile(text, "<module>", "exec", flags=flags, dont_inherit=True)
    return code


@lru_cache(maxsize=512)
def codes_of_cell(source: str, *, is_future: bool = False) -> tuple[CodeType, ...]:
    """Compile a cell in the ways a kernel may: whole, and statement by statement.

    The compiler writes other instructions for methods of names that the same unit imports,
    so the two differ; IPython compiles statement by statement.
    """
    tree = ast.parse(source)
    flags = __future__.annotations.compiler_flag if is_future else 0
    flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    units = [tree, *(ast.Module([statement], []) for statement in tree.body)]
    return tuple(
        code
        for unit in units
        for code in nested_code(
            compile(unit, "<cell>", "exec", flags=flags, dont_inherit=True)
        )
    )


def is_postponed(code: CodeType) -> bool:
    """Tell whether code was compiled under ``from __future__ import annotations``."""
    return bool(code.co_flags & __future__.annotations.compiler_flag)


def nested_code(code: CodeType) -> Iterator[CodeType]:
    """Walk a code object and all those among its constants."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from nested_code(constant)


def free_writes(code: CodeType) -> set[str]:
    """Name the variables of an enclosing function that code sets (``nonlocal``)."""
    return {
        instruction.argval
        for part in nested_code(code)
        for instruction in dis.get_instructions(part)
        if instruction.opname in {"STORE_DEREF", "DELETE_DEREF"}
        and instruction.argval in part.co_freevars
        and instruction.argval in code.co_freevars
    }


def is_same_code(one: CodeType, other: CodeType) -> bool:
    """Tell whether two code objects do the same; places and qualified names do not count."""
    return _essence(one) == _essence(other)


def _parts(code: CodeType, *, is_run: bool) -> Iterator[tuple[CodeType, bool]]:
    yield code, is_run
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _parts(constant, is_run=is_run and not _is_function(constant))


def _is_function(code: CodeType) -> bool:
    is_optimized = bool(code.co_flags & inspect.CO_OPTIMIZED)
    return is_optimized and code.co_name not in _COMPREHENSIONS


def _essence(code: CodeType) -> tuple[Any, ...]:
    return (
        code.co_code,
        code.co_exceptiontable,
        code.co_name,
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount),
        code.co_flags & ~_IDLE_FLAGS,
        tuple(_constant(item) for item in code.co_consts),
    )


def _constant(value: Any) -> Any:  # noqa: ANN401  # any constant of code
    if isinstance(value, CodeType):
        return _essence(value)
    if isinstance(value, tuple):
        return tuple(_constant(item) for item in value)
    if isinstance(value, frozenset):
        return frozenset(_constant(item) for item in value)
    if isinstance(value, str) and ".<locals>." in value:
        return str, value.rpartition(".<locals>.")[
            2
        ]  # a nested class's own qualified name
    return type(value), repr(value)
