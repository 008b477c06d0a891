"""What a root is, by which method it answers, and the text that makes it answer."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any

from nbship.errors import ExportError, HazardError
from nbship.release.hazards import type_name
from nbship.release.objects import answering_method, makes_itself

if TYPE_CHECKING:
    from collections.abc import Sequence


def check_fitted(root: str, value: Any) -> None:  # noqa: ANN401
    """Refuse an estimator that was never fitted.

    Raises
    ------
    ExportError
        If scikit-learn says so.
    """
    validation = sys.modules.get("sklearn.utils.validation")
    if validation is None or type(value).__module__.partition(".")[0] != "sklearn":
        return
    try:
        validation.check_is_fitted(value)
    except sys.modules["sklearn.exceptions"].NotFittedError as error:
        raise ExportError(
            f"{root}: this {type_name(value)} is not fitted",
            hint="Run the cell that fits it.",
            hazard="not-fitted",
            name=root,
        ) from error


def own_name(root: str) -> str:
    """Name an object in the module, where ``predict`` is the function that answers."""
    return root if root != "predict" else "fitted"


def answer_text(root: str, value: Any) -> str:  # noqa: ANN401
    """Write what makes an object or class of the notebook answer; "" for functions.

    Raises
    ------
    HazardError
        If a class cannot be made without arguments.
    """
    method = answering_method(value)
    attribute = "" if method == "__call__" else f".{method}"
    own = own_name(root)
    if not isinstance(value, type):
        return f"predict = {own}{attribute}" if attribute and method else ""
    if not method:
        return ""
    if not makes_itself(value):
        raise HazardError(
            f"{root!r} is a class that is made with arguments; its answers depend on them",
            hint=f"Make one, such as model = {root}(...), and export model.",
            hazard="root",
            name=root,
        )
    return f"predict = {own}(){attribute}"


def parameters_of(function: Any) -> tuple[str, ...]:  # noqa: ANN401
    """Name the parameters of a call, in order; none where they cannot be known."""
    try:
        names = tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ()
    return names[1:] if names[:1] == ("self",) else names


def no_root(root: str, value: Any) -> ExportError:  # noqa: ANN401
    """Make the error for a value that answers nothing."""
    if hasattr(value, "fit_predict") or hasattr(value, "fit_transform"):
        return ExportError(
            f"{root!r} is a {type_name(value)}: it answers for the rows it was fitted on, and "
            "for no others",
            hint="Export an estimator with predict or transform, such as a classifier fitted "
            "on its labels.",
            hazard="root",
            name=root,
        )
    return ExportError(
        f"{root!r} is a {type_name(value)}; a function or a fitted estimator was expected",
        hint="Write a function that answers, and export that.",
        hazard="root",
        name=root,
    )


def no_case(
    root: str, remarks: Sequence[str], bound_anew: Sequence[str] = ()
) -> ExportError:
    """Make the error for a root without a golden case."""
    if bound_anew and not remarks:
        return ExportError(
            f"{root}: no golden case: since it was called, {', '.join(bound_anew)} "
            f"{'was' if len(bound_anew) == 1 else 'were'} bound anew",
            hint=f"Call {root} in a new cell.",
            hazard="outdated-calls",
            name=root,
        )
    if remarks:
        return ExportError(
            f"{root}: no golden case: its calls could not be recorded ({'; '.join(remarks)})",
            hint=f"Call {root} with plain values, arrays or frames; let it read models and "
            "other objects from global names.",
            hazard="unrecorded-calls",
            name=root,
        )
    return ExportError(
        f"{root}: no golden case: no call of it, as it now stands, was recorded",
        hint=f"Call {root} in a cell after the one that defines it.",
        hazard="no-golden-case",
        name=root,
    )
