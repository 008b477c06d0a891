"""JSON Schema of a contract: valid, and of one mind with what nbship accepts."""

from __future__ import annotations

import random

import pytest
from jsonschema import Draft202012Validator

from nbship.jobs.contract import read_parameters
from nbship.jobs.schema import contract_schema, parameter_schema
from nbship.jobs.values import fit_json, fit_value
from nbship.records.parameters import Parameter, ParameterContract
from support.typed_values import PRELUDE, Grammar


def parameter_of(annotation: str) -> Parameter:
    return read_parameters(f"x: {annotation}", above=[PRELUDE])[-1]


def schema_accepts(parameter: Parameter, value: object) -> bool:
    schema = parameter_schema(parameter)
    Draft202012Validator.check_schema(schema)
    checker = Draft202012Validator.FORMAT_CHECKER
    return Draft202012Validator(schema, format_checker=checker).is_valid(value)


def we_accept(parameter: Parameter, value: object) -> bool:
    try:
        fit_json(parameter, value)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("annotation", "accepted", "refused"),
    [
        ("int", [0, -3], ["3", 1.5, True, None]),
        ("float", [1, 0.5, "nan", "-inf"], ["1", True, None, "NaN?"]),
        ("bool", [True], [1, "true", None]),
        ("str", ["", "ä"], [1, None]),
        ("None", [None], [0, ""]),
        ("bytes", ["", "YWI="], ["a", 3]),
        ("complex", ["1+2j"], ["x"]),
        ("date", ["2024-02-29"], ["2024-02-30", "29.2.2024", 20240229]),
        ("dt.datetime", ["2024-01-02T03:04:05+01:00"], ["soon", 3]),
        ("time", ["03:04:05.5"], ["late"]),
        ("timedelta", ["P1DT2S", "90s"], ["long", 90]),
        ("Path", ["a/b"], ["", 3]),
        ("Decimal", ["1.10", "NaN"], ["x", True]),
        ("Color", ["RED", "Color.RED", 2], ["PINK", 3]),
        ("Literal['a', 3]", ["a", 3], ["b", 3.5, True]),
        ("Literal['a'] | None", ["a", None], ["None"]),
        ("int | str", [1, "1"], [None, 1.5]),
        ("list[int]", [[], [1]], [[1.5], ["1"], {}]),
        ("list[dict[str, int | None]]", [[{"a": None}, {}]], [[{"a": "b"}], [[]]]),
        ("tuple[int, str]", [[1, "a"]], [[1], [1, 2], [1, "a", "b"]]),
        ("tuple[int, ...]", [[], [1, 2]], [["a"]]),
        ("set[int]", [[1]], [1, ["a"]]),
        ("dict[int, float]", [{"1": 0.5, "-2": "nan"}], [{"a": 1}, {"1": "x"}]),
        ("dict[tuple[int, int], str]", [[[[1, 2], "a"]]], [[[1, "a"]], 3]),
        ("dict", [{"a": [1]}], [[1]]),
        ("date | int", ["2024-01-02", {"$date": "2024-01-02"}, 3], [{"$time": "1"}]),
        ("Annotated[int, at.Ge(1), at.Lt(9)]", [1, 8], [0, 9]),
        ("Annotated[int, at.MultipleOf(3)]", [9], [10]),
        ("Annotated[float, at.Gt(0)]", [0.1, "inf"], [0, "nan", "-inf"]),
        ("Annotated[str, Field(pattern='^a+$')]", ["aa"], ["b"]),
        ("Annotated[list[int], at.Len(1, 2)]", [[1]], [[], [1, 2, 3]]),
        ("Annotated[int | None, at.Ge(1)]", [None, 1], [0]),
        ("Rate", [0.5, 1], [0, 1.5, "nan"]),
        ("np.float32", [0.5, "nan"], ["x"]),
        ("np.uint8", [5], ["5", 1.5]),
        ("Any", [None, {"a": [1]}], []),
    ],
)
def test_schema_and_reader_accept_and_refuse_the_same(annotation, accepted, refused):
    parameter = parameter_of(annotation)

    assert [v for v in accepted if not schema_accepts(parameter, v)] == []
    assert [v for v in accepted if not we_accept(parameter, v)] == []
    assert [v for v in refused if schema_accepts(parameter, v)] == []
    assert [v for v in refused if we_accept(parameter, v)] == []


def test_every_generated_value_as_it_is_written_fits_the_schema():
    grammar = Grammar(random.Random(7))  # noqa: S311  # test data
    for _ in range(400):
        kind = grammar.kind()
        parameter = parameter_of(kind.annotation)
        written = fit_value(parameter, kind.make())
        if "0x" not in str(written):  # beyond 4000 digits
            assert schema_accepts(parameter, written), (kind.annotation, written)
        assert fit_json(parameter, written) == written


def test_the_schema_of_a_notebook_says_everything_a_form_needs():
    source = (
        "lr: Annotated[float, Gt(0), 'learning rate'] = 0.1\n"
        "wait: float = 2.0  # [s] between two calls\n"
        "depth: int\n"
        "layers = [64, 32]\n"
    )
    contract = ParameterContract(cell_id="p", parameters=read_parameters(source))

    schema = contract_schema(contract, title="n.ipynb")

    Draft202012Validator.check_schema(schema)
    assert (schema["required"], schema["additionalProperties"]) == (["depth"], False)
    assert schema["properties"]["lr"] == {
        "anyOf": [{"type": "number"}, {"enum": ["inf"]}],
        "exclusiveMinimum": 0,
        "description": "learning rate",
        "default": 0.1,
    }
    assert schema["properties"]["wait"]["x-unit"] == "s"
    assert schema["properties"]["layers"]["x-inferred"] is True
    validator = Draft202012Validator(schema)
    assert validator.is_valid({"depth": 3, "lr": 0.5, "layers": [1, 2.5]})
    assert not validator.is_valid({"depth": 3, "width": 1})
    assert not validator.is_valid({})
