"""Signatures as JSON Schema and OpenAPI, and their agreement with the package's own check."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from nbship.errors import ExportError, UsageError
from nbship.records.codec import from_json, to_json
from nbship.records.release import RootCapture
from nbship.records.signature import Column, Declaration, Signature
from nbship.release.declared import declaration, with_declared
from nbship.release.json_schema import input_schema, output_schema
from nbship.release.openapi import CODES, openapi_document
from nbship.release.schemas import schema_files
from nbship.release.signature import signature_of
from nbship.release.training import training_table, with_training
from nbship.resources import shipped_module
from support.captures import write_capture
from support.executed import ExecutedNotebook

values = shipped_module("_values")
checks = shipped_module("inputs._checks")
problems = shipped_module("inputs._problems")
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(-1e9, 1e9, allow_nan=False)
    | st.sampled_from(["", "a", "b", "2026-01-02"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3)
    ),
    max_leaves=8,
)


def case(*args, output=0, **kwargs):
    return {
        "args": [values.encode(item) for item in args],
        "kwargs": {key: values.encode(item) for key, item in kwargs.items()},
        "output": json.loads(json.dumps(values.encode(output))),
    }


def accepts(signature, call):
    """Ask the package's own check about one call by name."""
    findings = checks.Findings()
    specs = [checks.Spec(to_json(column)) for column in signature.inputs]
    checks.convert_fields(specs, call, "", findings)
    return not findings.problems


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.fixed_dictionaries({"x": PLAIN, "y": PLAIN}), min_size=1, max_size=4)
)
def test_what_was_seen_is_accepted_by_schema_and_check(calls):
    signature = signature_of([case(**call) for call in calls], parameters=["x", "y"])
    validator = Draft202012Validator(input_schema(signature))

    for call in calls:
        assert accepts(signature, call)
        assert validator.is_valid(call), list(validator.iter_errors(call))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.fixed_dictionaries({"x": PLAIN, "y": PLAIN}), min_size=1, max_size=4),
    st.dictionaries(st.sampled_from("xyz"), PLAIN, max_size=3),
)
def test_schema_and_check_say_the_same_of_any_call(calls, call):
    signature = signature_of([case(**c) for c in calls], parameters=["x", "y"])
    validator = Draft202012Validator(input_schema(signature))

    assert accepts(signature, call) == validator.is_valid(call)


@settings(max_examples=100, deadline=None)
@given(st.lists(PLAIN, min_size=1, max_size=5))
def test_an_answer_that_was_seen_fits_the_schema_of_answers(answers):
    signature = signature_of([case(output=a) for a in answers], parameters=[])
    schema = output_schema(signature)
    Draft202012Validator.check_schema(schema)

    for answer in answers:
        assert Draft202012Validator(schema).is_valid(answer), schema


FRAME = pd.DataFrame(
    {
        "size": [1.5, None, 3.0],
        "kind": pd.Categorical(["a", "b", "a"], categories=["a", "b", "c"]),
        "n": np.array([1, 2, 3], dtype="int8"),
        "day": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"]),
        "known": [True, False, True],
    }
)


def test_the_schema_of_a_frame_is_that_of_one_row():
    answers = pd.DataFrame({"p": [0.1, None, 0.3], "label": ["a", "b", "a"]})
    signature = signature_of([case(FRAME, output=answers)], parameters=["frame"])

    schema = input_schema(signature, title="input of predict")

    Draft202012Validator.check_schema(schema)
    assert schema == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "input of predict",
        "type": "object",
        "properties": {
            "size": {
                "type": ["number", "null"],
                "x-seen": {"minimum": 1.5, "maximum": 3.0},
            },
            "kind": {"enum": ["a", "b", "c"]},
            "n": {
                "type": "integer",
                "minimum": -128,
                "maximum": 127,
                "x-seen": {"minimum": 1.0, "maximum": 3.0},
            },
            "day": {"type": "string"},
            "known": {"type": "boolean"},
        },
        "required": ["size", "kind", "n", "day", "known"],
        "additionalProperties": False,
    }
    assert output_schema(signature)["properties"] == {
        "p": {"type": ["number", "null"]},
        "label": {"type": "string"},
    }


def test_rows_of_arrays_and_answers_to_them_have_their_shape():
    signature = signature_of(
        [case(np.zeros((4, 3)), output=np.zeros((4, 2)))], parameters=["X"]
    )

    asked, given_ = input_schema(signature), output_schema(signature)

    assert signature.input_form == "array"
    assert (asked["minItems"], asked["maxItems"]) == (3, 3)
    assert Draft202012Validator(asked).is_valid([0, 1.5, 2])
    assert not Draft202012Validator(asked).is_valid([0, 1.5])
    assert Draft202012Validator(given_).is_valid([0.5, None])


def test_one_axis_is_one_row_unless_it_has_an_answer_for_each_item():
    one = signature_of([case(np.zeros(3), output=1.0)], parameters=["x"])
    many = signature_of([case(np.zeros(3), output=np.zeros(3))], parameters=["x"])

    assert (one.input_form, one.inputs[0].form) == ("arguments", "array")
    assert many.input_form == "array"


def test_dates_tuples_series_and_mixed_numbers_keep_their_kind():
    signature = signature_of(
        [
            case(
                dt.date(2026, 1, 2),
                (1.5, 2.5),
                pd.Series([1, 2], name="s"),
                1,
                {"a": 1},
            ),
            case(
                dt.date(2026, 1, 3), (1.0,), pd.Series([3], name="s"), 2.5, {"a": None}
            ),
        ],
        parameters=["day", "pair", "series", "number", "record", "unused"],
    )

    assert [(c.name, c.dtype, c.form) for c in signature.inputs] == [
        ("day", "datetime64", "date"),
        ("pair", "float64", "tuple"),
        ("series", "int64", "series"),
        ("number", "float64", "number"),
        ("record", "object", "object"),
        ("unused", "json", ""),
    ]
    assert signature.inputs[4].fields[0].is_nullable
    assert not signature.inputs[5].is_required


@pytest.mark.parametrize(
    "labels",
    [pd.date_range("2026-01-01", periods=2), ["a", "b"]],
    ids=["days", "texts"],
)
def test_a_series_by_its_labels_is_an_object_and_its_answer_a_value_a_row(labels):
    series = pd.Series([1.5, 2.0], index=labels)
    frame = pd.DataFrame({"x": [1.0, 2.0]}, index=labels)
    asked = signature_of([case(series, 3, output=0.0)], parameters=["past", "days"])
    rows = signature_of([case(frame, output=series)], parameters=["frame"])
    given = {str(label): value for label, value in series.items()}
    validator = Draft202012Validator(input_schema(asked))

    for call, fits in (
        ({"past": given, "days": 3}, True),
        ({"past": [1.5, 2.0], "days": 3}, False),
        ({"past": {next(iter(given)): "much"}, "days": 3}, False),
    ):
        assert validator.is_valid(call) is accepts(asked, call) is fits
    assert output_schema(rows)["type"] == ["number", "null"]


def test_texts_of_few_values_are_listed_and_ids_are_not():
    names = ["home", "far"] * 10
    signature = signature_of(
        [case(zone=name, id=f"r{i}") for i, name in enumerate(names)],
        parameters=["zone", "id"],
    )

    assert signature.inputs[0].categories == ("far", "home")
    assert signature.inputs[1].categories == ()


def test_the_training_frame_widens_what_calls_showed():
    rows = pd.DataFrame({"a": [1.0, 2.0], "k": ["x", "y"]})
    train = pd.DataFrame(
        {"a": [-5.0, None, 9.0] * 10, "k": ["x", "y", "z"] * 10, "target": [1] * 30}
    )
    signature = signature_of([case(rows, output=[1, 2])], parameters=["X"])
    names = {"other": pd.DataFrame({"a": [100.0]}), "rows": rows, "X_train": train}

    found = with_training(signature, names)

    assert training_table(signature, names)[0] == "X_train"
    assert found.read_from == ("golden cases", "X_train (30 rows)")
    assert found.inputs == (
        Column(name="a", dtype="float64", is_nullable=True, minimum=-5.0, maximum=9.0),
        Column(name="k", dtype="string", categories=("x", "y", "z")),
    )
    assert with_training(signature, {}) == signature


def test_the_array_that_was_fitted_widens_too():
    signature = signature_of([case(np.ones((2, 3)), output=[1, 2])], parameters=["X"])

    found = with_training(signature, {"X_train": np.arange(12.0).reshape(4, 3)})

    assert (found.inputs[0].minimum, found.inputs[0].maximum) == (0.0, 11.0)


def test_what_the_author_declares_binds():
    signature = signature_of(
        [case(km=1.5, zone="A", output={"price": 2.0})], parameters=["km", "zone"]
    )
    declared = declaration(
        units={"km": "km", "price": "EUR"},
        ranges={"km": (0, 500)},
        categories={"zone": ["A", "B"]},
        rtol=1e-6,
    )

    found = with_declared(signature, declared)
    schema = input_schema(found)["properties"]

    assert schema == {
        "km": {"type": "number", "minimum": 0, "maximum": 500, "x-unit": "km"},
        "zone": {"type": "string", "enum": ["A", "B"]},
    } or schema["zone"] == {"enum": ["A", "B"], "type": "string"}
    assert output_schema(found)["properties"]["price"]["x-unit"] == "EUR"
    assert found.outputs[0].rtol == 1e-6


def test_a_declaration_of_something_unknown_is_refused_by_name():
    signature = signature_of([case(km=1.5, output=2.0)], parameters=["km"])

    with pytest.raises(ExportError, match=r"units: no 'mile' among 'km', 'output'"):
        with_declared(signature, declaration(units={"mile": "mi"}))
    with pytest.raises(ExportError, match=r"ranges: no 'a'.*; rtol: no 'p'"):
        with_declared(signature, declaration(ranges={"a": (0, 1)}, rtol={"p": 1e-3}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"rtol": "1e-3"},
        {"rtol": -1.0},
        {"rtol": {"p": True}},
        {"rtol": 2.0},
        {"ranges": {"a": (1, 2, 3)}},
    ],
)
def test_a_malformed_declaration_is_refused_where_it_is_written(wrong):
    with pytest.raises(UsageError, match="golden: "):
        declaration(**wrong)


def test_the_words_of_problems_are_those_of_the_document():
    words = {value for name, value in vars(problems).items() if name.isupper()} - {
        problems.MAX_PROBLEMS
    }

    assert set(CODES) == {word for word in words if isinstance(word, str)}


def test_the_openapi_document_refers_to_what_it_holds():
    signature = signature_of([case(FRAME, output=[1, 2, 3])], parameters=["frame"])

    document = openapi_document(signature, name="m", version="1.0", root="predict")
    text = json.dumps(document)

    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"] == "3.1.0"
    schemas = document["components"]["schemas"]
    for name in schemas:
        Draft202012Validator.check_schema(schemas[name])
    used = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert used <= schemas.keys()
    assert "/v2/models/m/versions/1.0/infer" in document["paths"]
    assert schemas["Instance"]["required"] == list(FRAME.columns)


def test_the_files_are_the_same_bytes_twice(tmp_path):
    record = from_json(
        RootCapture,
        json.loads((write_capture(tmp_path / "c") / "capture.json").read_text()),
    )
    origin = {"package": "fares", "version": "1.0.0"}

    files = schema_files(record, origin)

    assert files == schema_files(record, origin)
    assert sorted(files) == ["input.schema.json", "openapi.json", "output.schema.json"]
    assert json.loads(files["openapi.json"])["info"]["title"] == "fares"


def test_an_older_capture_is_read(tmp_path):
    data = json.loads((write_capture(tmp_path / "c") / "capture.json").read_text())
    for column in data["signature"]["inputs"]:
        for name in ("form", "fields", "is_required", "is_strict", "rtol"):
            del column[name]
    data |= {"schema": "root-capture/1"}
    del data["skew"]

    record = from_json(RootCapture, data)

    assert record.signature.inputs[0].is_required
    assert isinstance(record.signature, Signature)
    assert Declaration().rtol == {}


def test_an_estimator_takes_declarations_too(tmp_path):
    notebook = ExecutedNotebook(
        "import nbship\nimport numpy as np\nimport pandas as pd\n"
        "from sklearn.linear_model import LinearRegression\n",
        "X_train = pd.DataFrame({'km': np.arange(30.0), 'kg': np.arange(30.0) ** 2})",
        "model = nbship.golden(\n"
        "    LinearRegression().fit(X_train, X_train['km']),\n"
        "    units={'km': 'km', 'output': 'EUR'}, ranges={'kg': (0, 1000)}, rtol=1e-6,\n"
        ")",
        roots=(),
    )

    signature = notebook.capture(tmp_path / "capture", "model").signature

    assert [(c.name, c.unit, c.minimum, c.is_strict) for c in signature.inputs] == [
        ("km", "km", 0.0, False),
        ("kg", "", 0, True),
    ]
    assert (signature.outputs[0].unit, signature.outputs[0].rtol) == ("EUR", 1e-6)
    assert signature.read_from == ("golden cases", "X_train (30 rows)")


def test_a_parameter_with_a_default_may_be_left_out(tmp_path):
    notebook = ExecutedNotebook(
        "import nbship",
        "@nbship.golden\ndef price(km, stops=0):\n    return km * 2.0 + stops",
        "[price(km, stops=1) for km in (1.5, 2.5)]",
        roots=(),
    )

    signature = notebook.capture(tmp_path / "capture", "price").signature

    assert [(c.name, c.is_required) for c in signature.inputs] == [
        ("km", True),
        ("stops", False),
    ]
