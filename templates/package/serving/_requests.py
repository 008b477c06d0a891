"""The plain JSON route: ``{"instances": [...]}`` in, ``{"predictions": [...]}`` out.

One instance is a row: an object by column for a data frame, a list for an array, an item of
a list or series. For any other ``predict`` it is one call: an object by argument. Bodies
are decoded and checked in one pass by a msgspec type that is made from the contract.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from ..answering import _tables
from . import _arguments, _declared
from ._arguments import BAD_REQUEST, UNPROCESSABLE, WrongInputError

if TYPE_CHECKING:
    from ..answering._contract import Contract, Field

_RANGES = {
    **{f"int{n}": (-(2 ** (n - 1)), 2 ** (n - 1) - 1) for n in (8, 16, 32, 64)},
    **{f"uint{n}": (0, 2**n - 1) for n in (8, 16, 32)},
}
_JSON_TYPES: dict[str, Any] = {"bool": bool, "string": str, "datetime64": str}
_PATH = re.compile(r" - at `(?:key in )?\$\.?(?P<path>[^`]*)`$")
_LACKS = re.compile(r"^Object missing required field `(?P<name>.*?)`")


class JsonReader:
    """Reads the bodies of the plain route for one contract."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self._decoder: Any = msgspec.json.Decoder(_body_type(_row_type(contract)))
        self._known = [
            (place, frozenset(field.categories), field.name)
            for place, field in enumerate(contract.inputs)
            if field.categories and field.dtype == "category"
        ]
        self._objects = [
            (place, field.name)
            for place, field in enumerate(contract.inputs)
            if field.dtype in {"object", "json"}
        ]
        self._checked = [
            (place, field.name)
            for place, field in enumerate(contract.inputs)
            if _is_checked_late(contract, place)
        ]

    def checked_rows(self, body: bytes) -> tuple[Any, int]:
        """Read the rows of a body; what is wrong is told with all other mistakes.

        Raises
        ------
        WrongInputError
            If it is no JSON, or anything in it does not fit the signature.
        """
        try:
            found = self.rows(body)
        except WrongInputError as error:
            if error.status == UNPROCESSABLE:
                known = _declared.problems_of(self.contract, _instances_of(body))
                error.problems = _declared.as_json(known)
            raise
        if self.contract.is_strict:  # what the author declared, the types do not know
            _declared.demand(self.contract, _instances_of(body))
        return found

    def rows(self, body: bytes) -> tuple[Any, int]:
        """Read the rows of a body, and count them.

        Raises
        ------
        WrongInputError
            If it is no JSON, lacks a field, or holds a value of another type.
        """
        try:
            instances = self._instances(body)
        except msgspec.ValidationError as error:
            refused = _refused(str(error))
            raise WrongInputError(refused[0], field=refused[1]) from error
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise WrongInputError(
                f"the body is no JSON: {error}", status=BAD_REQUEST
            ) from error
        if not instances:
            raise WrongInputError("instances: no row", field="instances")
        form = self.contract.form
        if form == "frame":
            rows = [msgspec.structs.astuple(row) for row in instances]
            return self.check(rows), len(rows)
        if form == "array":
            return array_of(instances, self.contract), len(instances)
        if form == "arguments":
            return [
                _arguments.read(self.contract, item, f"instances[{place}]")
                for place, item in enumerate(instances)
            ], len(instances)
        return [row[0] for row in self.check([(item,) for item in instances])], len(
            instances
        )

    def _instances(self, body: bytes) -> list[Any]:
        try:
            found: list[Any] = self._decoder.decode(body).instances
        except msgspec.ValidationError as error:
            # JSON knows no integers: 2.0 is the number 2, however its writer puts it
            if "Expected `int" not in str(error) or self.contract.form != "frame":
                raise
            found = self._loose().decode(body).instances
            for row, (name, least, most) in itertools.product(found, self._whole()):
                value = getattr(row, name)
                if isinstance(value, float):
                    if not value.is_integer() or not least <= value <= most:
                        raise
                    setattr(row, name, int(value))
        return found

    def _whole(self) -> list[tuple[str, int, int]]:
        return [
            (f"f{place}", *_RANGES[field.dtype])
            for place, field in enumerate(self.contract.inputs)
            if field.dtype in _RANGES
        ]

    def _loose(self) -> Any:
        return msgspec.json.Decoder(_body_type(_row_type(self.contract, loose=True)))

    def check(
        self,
        rows: list[tuple[Any, ...]],
        path: str = "instances[{number}].{name}",
    ) -> list[tuple[Any, ...]]:
        """Check what the types of JSON cannot say: categories, dates, values of any kind.

        Parameters
        ----------
        rows
            Tuples in the order of the fields.
        path
            How messages name a value.

        Raises
        ------
        WrongInputError
            If a value has no place in its column.
        """
        for place, known, name in self._known:
            for number, row in enumerate(rows):
                if row[place] is not None and not _is_in(row[place], known):
                    some = ", ".join(map(repr, sorted(known, key=str)[:10]))
                    raise WrongInputError(
                        f"{path.format(number=number, name=name)}: "
                        f"{row[place]!r} is none of {some}",
                        field=path.format(number=number, name=name),
                    )
        for place, name in self._checked:
            dtype = _dtype(self.contract, place)
            for number, row in enumerate(rows):
                try:
                    _tables.column_of([row[place]], name, dtype)
                except _tables.ColumnError as error:
                    raise WrongInputError(
                        f"{path.format(number=number, name=name)}: {row[place]!r} is {error}",
                        field=path.format(number=number, name=name),
                    ) from error
        return self._with_objects(rows, path) if self._objects else rows

    def _with_objects(
        self, rows: list[tuple[Any, ...]], path: str
    ) -> list[tuple[Any, ...]]:
        found = [list(row) for row in rows]
        for place, name in self._objects:
            for number, row in enumerate(found):
                where = path.format(number=number, name=name)
                row[place] = _arguments.decoded(row[place], where)
        return [tuple(row) for row in found]


def _instances_of(body: bytes) -> Any:
    given = msgspec.json.decode(body)
    return given.get("instances") if isinstance(given, dict) else None


def array_of(instances: list[Any], contract: Contract) -> Any:
    """Build the array of some rows.

    Raises
    ------
    WrongInputError
        If they are ragged, of another shape, or of values that its dtype cannot hold.
    """
    import numpy as np

    field, dtype = contract.inputs[0], contract.example.dtype
    try:
        array = np.array(instances, dtype=dtype)
    except (TypeError, ValueError, OverflowError):
        array = None
    if array is not None and _has_shape(array.shape[1:], field.shape):
        return array
    for number, row in enumerate(instances):
        path = f"instances[{number}]"
        try:
            one = np.array(row, dtype=dtype)
        except (TypeError, ValueError, OverflowError) as error:
            raise WrongInputError(f"{path}: no {dtype}: {error}", field=path) from error
        if not _has_shape(one.shape, field.shape):
            raise WrongInputError(
                f"{path}: shape {list(one.shape)} where {list(field.shape)} was expected",
                field=path,
            )
    raise WrongInputError("instances: rows of unequal shapes", field="instances")


def _has_shape(found: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(found) == len(wanted) and all(
        size in (expected, -1) or expected == -1
        for size, expected in zip(found, wanted, strict=True)
    )


def _is_in(value: Any, known: frozenset[Any]) -> bool:
    try:
        return value in known
    except TypeError:  # a list or an object, which no set holds
        return False


def _body_type(row: Any) -> Any:
    return msgspec.defstruct(
        "Body", [("instances", list[row])], forbid_unknown_fields=True
    )


def _row_type(contract: Contract, *, loose: bool = False) -> Any:
    if contract.form == "arguments":
        return dict[str, Any]
    if contract.form != "frame":
        kind: Any = _json_type(contract.inputs[0])
        for _ in contract.inputs[0].shape:
            kind = list[kind]
        return kind
    return msgspec.defstruct(
        "Row",
        [
            (f"f{place}", _json_type(f, loose=loose))
            for place, f in enumerate(contract.inputs)
        ],
        rename={f"f{place}": f.name for place, f in enumerate(contract.inputs)},
        gc=False,
    )


def _json_type(field: Field, *, loose: bool = False) -> Any:
    kind: Any = _JSON_TYPES.get(field.dtype, Any)
    if field.dtype.startswith("float"):
        kind = float
    elif field.dtype in _RANGES:
        least, most = _RANGES[field.dtype]
        kind = Annotated[int, msgspec.Meta(ge=least, le=most)]
        kind = kind | float if loose else kind
    elif field.dtype == "uint64":
        kind = int
    elif field.dtype == "category" and field.categories:
        types = {type(item) for item in field.categories}
        kind = types.pop() if len(types) == 1 and types <= {str, int, float} else Any
    return kind | None if field.is_nullable and kind is not Any else kind


def _dtype(contract: Contract, place: int) -> Any:
    if contract.form == "frame":
        return contract.example.dtypes.iloc[place]
    return contract.example.dtype


def _is_checked_late(contract: Contract, place: int) -> bool:
    """Return whether JSON's types leave values that the column's dtype refuses."""
    dtype = contract.inputs[place].dtype
    is_typed = dtype in {"string", "bool", "category", "object", "json"}
    is_typed = is_typed or dtype.startswith("float") or dtype in _RANGES
    return contract.form in {"frame", "series"} and not is_typed


def _refused(message: str) -> tuple[str, str]:
    """Turn a message of msgspec into ours, and the path of the field."""
    found = _PATH.search(message)
    path = found["path"].lstrip(".") if found else ""
    text = message[: found.start()] if found else message
    lacks = _LACKS.match(text)
    if lacks:
        path = f"{path}.{lacks['name']}".lstrip(".")
        text = "missing"
    if path:
        return f"{path}: {text}", path
    return f'the body: {text}; {{"instances": [...]}} was expected', path


def body_of(rows_answer: list[Any], version: str) -> bytes:
    """Write the answer of the plain route."""
    return msgspec.json.encode({"predictions": rows_answer, "model_version": version})
