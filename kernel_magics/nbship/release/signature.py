"""The signature of a root: what its golden cases show of inputs and outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.records.signature import Column, Signature
from nbship.release.columns import column_of, frame_columns, kind_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from nbship.release.golden import Case

_TABLES = {"$frame": "frame", "$array": "array"}


def signature_of(
    cases: Sequence[Case],
    *,
    parameters: Sequence[str],
    takes_any_name: bool = False,
    optional: Collection[str] = (),
) -> Signature:
    """Join what all cases show.

    Parameters
    ----------
    cases
        At least one golden case.
    parameters
        Names of the function's parameters, in order; those that no case has are optional.
    takes_any_name
        Whether it takes arguments of other names, ``**kwargs``.
    optional
        Names of the parameters that have a default.
    """
    inputs = [_named(case, parameters) for case in cases]
    form = _form(inputs, cases)
    if form == "arguments":
        columns = _arguments(inputs, parameters, optional)
        parameter = ""
    else:
        only = [next(iter(case.items())) for case in inputs]
        parameter = only[0][0]
        columns = _columns([value for _, value in only], parameter)
    answers = [case["output"] for case in cases]
    return Signature(
        inputs=tuple(columns),
        outputs=tuple(_outputs(answers)),
        input_form=form,
        takes_any_name=takes_any_name,
        output_form=_output_form(answers),
        parameter=parameter,
        read_from=("golden cases",),
    )


def _named(case: Case, parameters: Sequence[str]) -> dict[str, Any]:
    positional = {
        (parameters[i] if i < len(parameters) else f"argument_{i + 1}"): value
        for i, value in enumerate(case["args"])
    }
    return {**positional, **case["kwargs"]}


def _form(inputs: Iterable[dict[str, Any]], cases: Sequence[Case]) -> str:
    forms = set()
    for given, case in zip(inputs, cases, strict=True):
        kinds = {kind_of(value) for value in given.values()}
        is_one_table = len(given) == 1 and kinds <= set(_TABLES)
        form = _TABLES[kinds.pop()] if is_one_table else "arguments"
        if form == "array" and not _has_rows(next(iter(given.values())), case):
            form = "arguments"
        forms.add(form)
    return forms.pop() if len(forms) == 1 else "arguments"


def _has_rows(array: Any, case: Case) -> bool:  # noqa: ANN401  # an encoded value
    """Tell whether an array's first axis counts rows: one axis alone may be one row's."""
    shape = array["$array"]["shape"]
    if len(shape) != 1:
        return bool(shape)
    answer = case["output"]
    if isinstance(answer, list):
        return len(answer) == int(shape[0])
    body: Any = answer.get(kind_of(answer)) if kind_of(answer) else None
    if not isinstance(body, dict) or "values" not in body:
        return False
    return len(body["values"]) == int(shape[0])


def _arguments(
    inputs: Sequence[dict[str, Any]],
    parameters: Sequence[str],
    optional: Collection[str],
) -> list[Column]:
    seen = dict.fromkeys(name for case in inputs for name in case)
    ordered = [*parameters, *(name for name in seen if name not in parameters)]
    columns = []
    for name in ordered:
        values = [case[name] for case in inputs if name in case]
        if values:
            is_required = len(values) == len(inputs) and name not in optional
            columns.append(column_of(name, values, is_required=is_required))
        else:
            columns.append(
                Column(name=name, dtype="json", is_nullable=True, is_required=False)
            )
    return columns


def _columns(values: list[Any], name: str) -> list[Column]:
    kinds = {kind_of(value) for value in values}
    return frame_columns(values) if kinds == {"$frame"} else [column_of(name, values)]


def _output_form(answers: list[Any]) -> str:
    kinds = {kind_of(value) for value in answers}
    if kinds == {"$frame"}:
        return "frame"
    is_object = kinds == {""} and all(isinstance(v, dict) and v for v in answers)
    return "object" if is_object else "value"


def _outputs(answers: list[Any]) -> list[Column]:
    if _output_form(answers) != "object":
        return _columns(answers, "output")
    keys = list(dict.fromkeys(key for answer in answers for key in answer))
    return [
        column_of(
            key,
            [answer[key] for answer in answers if key in answer],
            is_required=all(key in answer for answer in answers),
        )
        for key in keys
    ]
