"""Golden cases: what they show of inputs, and calls made for a fitted estimator."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from nbship.resources import shipped_module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

#: rows of one frame or array that an estimator is asked about
MAX_ROWS = 40
_MAX_FRAMES = 5
#: module -> the kinds of encoded values that only it can read
READERS = {
    "numpy": ("$array", "$scalar"),
    "torch": ("$tensor",),
    "scipy": ("$sparse",),
    "pandas": (
        "$frame",
        "$series",
        "$index",
        "$categorical",
        "$timestamp",
        "$pandas_timedelta",
        "$missing",
    ),
}
_MATRIX = 2
Case = dict[str, Any]


def golden_text(cases: Iterable[Case]) -> str:
    """Write the cases as JSON lines."""
    return "".join(f"{json.dumps(case, ensure_ascii=False)}\n" for case in cases)


def count_rows(cases: Iterable[Case]) -> int:
    """Count the distinct rows of all inputs; a call without a table is one row.

    Calls that answer None and change no argument count for nothing.
    """
    return len({row for case in cases for row in _rows(case)})


def is_answerless(case: Case) -> bool:
    """Tell whether nothing that a call gave or changed can be compared: it shows or prints."""
    return case["output"] is None and not case.get("changed")


def modules_of(cases: Iterable[Case]) -> tuple[str, ...]:
    """Name what must be importable to read the cases: ``numpy``, ``pandas``."""
    text = golden_text(cases)
    return tuple(
        module
        for module, kinds in READERS.items()
        if any(f'"{kind}": ' in text for kind in kinds)
    )


def estimator_cases(
    model: Any,  # noqa: ANN401
    namespace: Mapping[str, Any],
) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    """Ask an estimator about rows that the notebook holds.

    Parameters
    ----------
    model
        A fitted estimator.
    namespace
        The notebook's names; those that name test data come first.

    Returns
    -------
    tuple of cases and remarks
        Up to 40 rows of each frame or array that fits, and its first row alone.
    """
    for is_strict in (True, False):
        tables = _fitting(model, namespace, is_strict=is_strict)
        cases, used = _asked(model.predict, tables)
        if cases:
            return tuple(cases), (f"golden rows taken from {', '.join(used)}",)
    cases, used = _asked(model.predict, _through_steps(model, namespace))
    remark = f"golden rows taken from {', '.join(used)}"
    return (tuple(cases), (remark,)) if cases else ((), ())


def _through_steps(
    model: Any,  # noqa: ANN401
    namespace: Mapping[str, Any],
) -> Iterator[tuple[str, Any]]:
    """Hand tables through the steps before an estimator, in pipelines of the notebook."""
    own = getattr(model, "estimator", None)
    for name, pipeline in list(namespace.items()):
        steps = getattr(pipeline, "steps", None)
        if own is None or name.startswith("_") or not isinstance(steps, list):
            continue
        places = [i for i, (_, step) in enumerate(steps) if step is own]
        if not places or not places[0]:
            continue
        for place, table in _fitting(pipeline, namespace, is_strict=False):
            with contextlib.suppress(
                Exception
            ):  # data that does not fit raises anything
                rows = min(MAX_ROWS, _count(table))
                before = pipeline[: places[0]].transform(_head(table, rows))
                yield f"{place}, through the steps of {name} before it", before


def _asked(
    answer: Callable[[Any], Any], tables: Iterable[tuple[str, Any]]
) -> tuple[list[Case], list[str]]:
    values = shipped_module("_values")
    cases: list[Case] = []
    used: list[str] = []
    for name, table in tables:
        for rows in (min(MAX_ROWS, _count(table)), 1):
            try:
                part = _head(table, rows)
                case = {
                    "args": [values.encode(part)],
                    "kwargs": {},
                    "output": values.encode(answer(part)),
                }
            except Exception:  # noqa: BLE001  # data that does not fit raises anything
                break
            origin = f"{name}, first {rows} rows" if rows > 1 else f"{name}, first row"
            cases.append({"case": len(cases) + 1, **case, "origin": origin})
            used += [name] if name not in used else []
        if len(used) == _MAX_FRAMES:
            break
    return cases, used


def _fitting(
    model: Any,  # noqa: ANN401
    namespace: Mapping[str, Any],
    *,
    is_strict: bool,
) -> Iterator[tuple[str, Any]]:
    names = sorted(
        (name for name in namespace if not name.startswith("_")), key=_preference
    )
    seen: set[int] = set()
    for name in names:
        for place, value in _tables_in(name, namespace[name], is_strict=is_strict):
            table = _as_input(model, value, is_strict=is_strict)
            if table is not None and _count(table) and id(value) not in seen:
                seen.add(id(value))
                yield place, table


def _tables_in(
    name: str,
    value: Any,  # noqa: ANN401
    *,
    is_strict: bool,
) -> list[tuple[str, Any]]:
    """Look into the data sets that scikit-learn loads, and at last into columns of frames."""
    kind = type(value).__name__
    if kind == "Bunch":
        return [(f"{name}.{key}", item) for key, item in value.items()]
    if kind == "DataFrame" and not is_strict:
        columns = [(f"{name}[{key!r}]", value[key]) for key in value.columns]
        return [(name, value), *columns]
    return [(name, value)]


def _preference(name: str) -> tuple[int, str]:
    words = ("test", "valid", "holdout", "new", "x")
    lower = name.lower()
    rank = next((i for i, word in enumerate(words) if word in lower), len(words))
    return rank, name


def _as_input(model: Any, value: Any, *, is_strict: bool) -> Any:  # noqa: ANN401, PLR0911
    """Return the part of a value that may be asked about; None where it does not fit."""
    if getattr(model, "as_input", None) is not None:
        return model.as_input(value)
    columns = getattr(model, "feature_names_in_", None)
    width = getattr(model, "n_features_in_", None)
    kind = type(value).__name__
    if columns is not None:
        if kind != "DataFrame" or not set(columns) <= set(value.columns):
            return None
        return value[list(columns)]
    if kind == "DataFrame":
        is_fitting = value.shape[1] == width or (width is None and not is_strict)
        return value if is_fitting else None
    is_array = kind in {"ndarray", "Series"} if not is_strict else kind == "ndarray"
    if is_array and width is None and not is_strict:
        return value if value.ndim else None
    if width is None:
        is_flat = kind == "Series" or (is_array and value.ndim == 1)
        texts = value.tolist() if is_flat else value
        is_text = isinstance(texts, list) and all(isinstance(t, str) for t in texts)
        is_rows = isinstance(value, list) and _is_rows(value, None)
        return value if is_text or is_rows else None
    if isinstance(value, list):
        return value if _is_rows(value, width) else None
    is_matrix = (is_array or _is_sparse(value)) and value.ndim == _MATRIX
    return value if is_matrix and value.shape[1] == width else None


def _is_rows(value: list[Any], width: int | None) -> bool:
    """Tell whether a list holds rows: dicts where the width is not known, else lists of it."""
    kind = list if width is not None else dict
    is_fitting = bool(value) and all(type(row) is kind for row in value)
    return is_fitting and (width is None or all(len(row) == width for row in value))


def _is_sparse(value: Any) -> bool:  # noqa: ANN401
    return hasattr(value, "tocsr") and hasattr(value, "ndim")


def _count(table: Any) -> int:  # noqa: ANN401
    return int(table.shape[0]) if hasattr(table, "shape") else len(table)


def _head(table: Any, rows: int) -> Any:  # noqa: ANN401
    if _is_sparse(table):
        return table.tocsr()[:rows]
    return table.iloc[:rows] if hasattr(table, "iloc") else table[:rows]


def _rows(case: Case) -> Iterator[str]:
    if is_answerless(case):
        return
    inputs = [*case["args"], *case["kwargs"].values()]
    first: Any = inputs[0] if inputs else None
    rows = list(_rows_of(first, _length(case["output"])))
    if len(rows) > 1 or (rows and len(inputs) == 1):
        rest = json.dumps(inputs[1:])
        yield from (json.dumps(row) + rest for row in rows)
    else:
        yield json.dumps([case["args"], case["kwargs"]])


def _rows_of(data: Any, answers: int | None) -> Sequence[Any]:  # noqa: ANN401, PLR0911
    if isinstance(data, list):
        return data if len(data) == answers else ()
    if not isinstance(data, dict):
        return ()
    if "$frame" in data:
        columns = [column["values"] for column in data["$frame"]["columns"]]
        return list(zip(*columns, strict=True))
    if "$sparse" in data:
        body = data["$sparse"]
        spans = zip(body["starts"], body["starts"][1:], strict=False)
        return [[body["indices"][a:b], body["values"][a:b]] for a, b in spans]
    body = data.get("$array") or data.get("$tensor") or data.get("$series")
    if body is None:
        return ()
    values, shape = body["values"], body.get("shape", [len(body["values"])])
    if len(shape) < _MATRIX and shape != [answers]:
        return ()
    width = len(values) // shape[0] if shape and shape[0] else 1
    return [values[i : i + width] for i in range(0, len(values), max(width, 1))]


def _length(output: Any) -> int | None:  # noqa: ANN401
    if isinstance(output, list):
        return len(output)
    if not isinstance(output, dict):
        return None
    if "$frame" in output:
        columns = output["$frame"]["columns"]
        return len(columns[0]["values"]) if columns else None
    kinds = ("$array", "$tensor", "$series", "$sparse")
    body = next((output[kind] for kind in kinds if kind in output), None)
    if body is None:
        return None
    shape = body.get("shape", [len(body["values"])])
    return int(shape[0]) if shape else None
