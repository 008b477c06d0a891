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
class Parameter:
    """A typed input declared in the ``parameters`` cell."""

    name: str
    kind: ParameterKind
    #: the annotation as written, or the type inferred from the default
    annotation: str
    #: default as a JSON value; meaningless where ``is_required``
    default: Any = None
    #: the default's source text, such as ``Path("data")``
    default_text: str = ""
    #: allowed values of a ``Literal``
    choices: tuple[Any, ...] = ()
    #: kind of the items of a list, or of the values of a dict; None where not declared
    item_kind: ParameterKind | None = None
    is_optional: bool = False
    is_required: bool = False
    is_inferred: bool = False
    #: trailing comment, or the comment line above
    description: str = ""


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
