"""What a model takes and gives: names, dtypes, shapes, units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: relative tolerance of floats where the author declares no other
RTOL = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One named input or output."""

    name: str
    #: ``float64``, ``int64``, ``bool``, ``string``, ``category``, ``datetime64``, ``object``, ``json``;
    #: ``opaque`` for what JSON cannot hold, such as a fitted model: it is given in Python alone
    dtype: str
    is_nullable: bool = False
    #: shape of one value, () for a scalar; of an array without its first axis
    shape: tuple[int, ...] = ()
    #: known values of a category, at most 50; those seen where the dtype is ``string``
    categories: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    #: how values of the dtype are put together: "" one alone, ``array``, ``tensor``, ``series``,
    #: ``list``, ``tuple``; ``date``, ``datetime``, ``timestamp``; ``number`` (whole or not); ``object`` (by key) and ``frame`` (by column) have ``fields``;
    #: of an ``opaque`` one the path of its class, "" where several were seen
    form: str = ""
    #: the parts of an ``object`` or ``frame``, the one kind of item of a ``list`` of objects
    fields: tuple[Column, ...] = ()
    #: False where calls were seen without it
    is_required: bool = True
    #: whether a value outside of range or categories is refused; else it is told
    is_strict: bool = False
    #: relative tolerance of an output, as its author declared it; None for ``RTOL``
    rtol: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """Names, dtypes, shapes, units of a model's inputs and outputs; nothing cryptographic."""

    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]
    #: ``frame`` (one DataFrame), ``array`` or ``arguments`` (plain Python values)
    input_form: str = "arguments"
    #: whether a call may have arguments of other names (``**kwargs``)
    takes_any_name: bool = False
    #: how an answer is put together: ``frame``, ``object`` (by name) or ``value``
    output_form: str = "value"
    #: the name of the function's one parameter, where it takes a frame or an array
    parameter: str = ""
    #: what ranges, categories and nulls were read from: ``golden cases``, ``X_train (266 rows)``
    read_from: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Declaration:
    """What the author of a root says of it, as ``@nbship.golden(...)`` takes it."""

    units: Mapping[str, str] = field(default_factory=dict)
    #: input -> (lowest, highest); a value outside is refused
    ranges: Mapping[str, tuple[float | None, float | None]] = field(
        default_factory=dict
    )
    #: input -> values; another one is refused
    categories: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    #: inputs that may be null, although no call showed it
    nulls: tuple[str, ...] = ()
    #: output -> relative tolerance of its floats; "" for all others
    rtol: Mapping[str, float] = field(default_factory=dict)
    #: whether servers may answer by an ONNX graph, within that tolerance
    onnx: bool = False
