"""The type of a parameter, also of one in a record that was written before types were trees."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nbship.jobs.annotations import read_annotation
from nbship.jobs.inference import NUMBER
from nbship.jobs.kinds import ANYTHING, NOTHING, union
from nbship.records.parameters import ParameterKind as K
from nbship.records.parameters import ParameterType

if TYPE_CHECKING:
    from nbship.records.parameters import Parameter


def type_of(parameter: Parameter) -> ParameterType:
    """Return the type of a parameter, as a tree."""
    if parameter.type is not None:
        return parameter.type
    kind = _inferred_once(parameter) if parameter.is_inferred else _annotated(parameter)
    return union([kind, NOTHING]) if parameter.is_optional else kind


def _annotated(parameter: Parameter) -> ParameterType:
    try:
        tree = ast.parse(parameter.annotation, mode="eval").body
    except SyntaxError:
        return ParameterType(kind=parameter.kind, choices=parameter.choices)
    found = read_annotation(tree).type
    return ANYTHING if parameter.kind is K.ANY else found


def _inferred_once(parameter: Parameter) -> ParameterType:
    if parameter.kind in {K.INT, K.FLOAT}:
        return NUMBER
    maker = ""
    tree = ast.parse(parameter.default_text or "None", mode="eval").body
    if isinstance(tree, ast.Call):
        maker = ast.unparse(tree.func)
    return ParameterType(kind=parameter.kind, maker=maker)
