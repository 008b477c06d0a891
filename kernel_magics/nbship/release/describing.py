"""What is told of a root beside its code: its signature, and whether its inputs are skewed."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from nbship.release.declared import declared_of, with_declared
from nbship.release.recording import recorder_of
from nbship.release.signature import signature_of
from nbship.release.skew import skew_of
from nbship.release.training import with_training

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbship.records.release import SkewFinding
    from nbship.records.signature import Signature
    from nbship.release.cells import Cells
    from nbship.release.golden import Case

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def described(
    root: str,
    *,
    cases: Sequence[Case],
    parameters: Sequence[str],
    namespace: Mapping[str, Any],
    cells: Cells,
) -> tuple[Signature, tuple[SkewFinding, ...]]:
    """Read the signature of a root, and find transformed golden inputs.

    Parameters
    ----------
    root
        Its name in the notebook.
    cases
        Its golden cases.
    parameters
        Names of its parameters where it is a fitted object; else those of the function count.
    namespace, cells
        The notebook.

    Raises
    ------
    ExportError
        If its author declared something of an input or output that it does not have.
    """
    recorder = recorder_of(namespace.get(root))
    takes_any_name = False
    if recorder is not None:
        parameters, takes_any_name = parameters_of(recorder.function, parameters)
    signature = signature_of(
        cases,
        parameters=parameters,
        takes_any_name=takes_any_name,
        optional=() if recorder is None else _with_default(recorder.function),
    )
    signature = with_training(signature, namespace)
    signature = with_declared(signature, declared_of(namespace.get(root)))
    skew = skew_of(
        root, cases=cases, signature=signature, namespace=namespace, cells=cells
    )
    return signature, skew


def _with_default(function: Any) -> set[str]:  # noqa: ANN401
    try:
        found = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return set()
    return {name for name, p in found.items() if p.default is not p.empty}


def parameters_of(
    function: Any,  # noqa: ANN401  # any callable
    known: Sequence[str] = (),
) -> tuple[tuple[str, ...], bool]:
    """Name the parameters of a function that can be given by name, and tell of ``**kwargs``."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return tuple(known), False
    names = []
    for parameter in found:
        if parameter.kind not in _NAMED and parameter.kind is not parameter.VAR_KEYWORD:
            break  # by position alone: later ones cannot be told by their place
        if parameter.kind in _NAMED:
            names.append(parameter.name)
    has_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in found)
    if known and names[:1] == ["self"]:
        names = names[1:]
    return tuple(names), has_any
