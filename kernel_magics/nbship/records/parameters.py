"""Parameters and the values that one run sets them to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar


class ParameterKind(StrEnum):
    """The types a parameter can have."""

    INT = "int"
    FLOAT = "float"
    COMPLEX = "complex"
    BOOL = "bool"
    STR = "str"
    BYTES = "bytes"
    NONE = "None"
    LIST = "list"
    TUPLE = "tuple"
    SET = "set"
    FROZENSET = "frozenset"
    DICT = "dict"
    LITERAL = "Literal"
    ENUM = "Enum"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    TIMEDELTA = "timedelta"
    PATH = "Path"
    DECIMAL = "Decimal"
    #: a scalar of numpy
    NUMPY = "numpy"
    #: several types that are no ``X | None``
    UNION = "union"
    ANY = "Any"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """What ``Annotated`` adds to a type: numbers and dates between limits, lengths, a pattern."""

    #: smallest value, as a value of ``Any`` stands in JSON; None where there is no limit
    low: Any = None
    high: Any = None
    #: True where ``low`` itself is not allowed
    excludes_low: bool = False
    excludes_high: bool = False
    multiple_of: Any = None
    min_length: int | None = None
    max_length: int | None = None
    #: regular expression that a text contains; "" where there is none
    pattern: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterType:
    """A type, as a tree."""

    kind: ParameterKind
    #: types of the items: one of list and set, each of a tuple, key and value of a dict,
    #: the options of a union
    items: tuple[ParameterType, ...] = ()
    #: allowed values of a Literal, as values of ``Any`` in JSON; names of an Enum's members
    choices: tuple[Any, ...] = ()
    #: values of an Enum's members, in the order of ``choices``; None where they are not known
    member_values: tuple[Any, ...] = ()
    #: True for ``tuple[X, ...]``, and for an Enum whose members are not all known
    is_open: bool = False
    #: name of the class where the kind has several, such as ``PurePosixPath``, ``float32``
    class_name: str = ""
    #: source of the class as the notebook writes it, such as ``dt.date``; "" where it has none
    maker: str = ""
    bounds: Bounds | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """A typed input declared in the ``parameters`` cell."""

    name: str
    kind: ParameterKind
    #: the annotation as written, or the type inferred from the default
    annotation: str
    #: the type as a tree; None in records of old, whose ``annotation`` says it
    type: ParameterType | None = None
    #: default as a JSON value; meaningless where ``is_required``
    default: Any = None
    #: the default's source text, such as ``Path("data")``
    default_text: str = ""
    #: allowed values of a ``Literal``
    choices: tuple[Any, ...] = ()
    #: in records of old: kind of a list's items, or of a dict's values
    item_kind: ParameterKind | None = None
    is_optional: bool = False
    is_required: bool = False
    is_inferred: bool = False
    #: from the annotation, the trailing comment, or the comment lines above
    description: str = ""
    #: unit of the value, such as ``s``; "" where none is named
    unit: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterContract:
    """Every parameter that a notebook declares."""

    SCHEMA: ClassVar[str] = "parameter-contract/1"

    #: id of the parameters cell; None where the notebook has none
    cell_id: str | None
    parameters: tuple[Parameter, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The declared names, in the order of the cell."""
        return tuple(p.name for p in self.parameters)
