"""What annotations, comments, imports and classes say of a parameter's type."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbship.errors import ParameterError
from nbship.jobs.contract import read_contract, read_parameters
from nbship.jobs.injection import injected_source
from nbship.jobs.kinds import type_text
from nbship.jobs.limits import bounds_text
from nbship.jobs.typed import type_of
from nbship.jobs.values import check_values, parse_values, read_value
from nbship.records.codec import from_json, to_json
from nbship.records.notebook import Cell, CellKind, Notebook
from nbship.records.parameters import Parameter, ParameterContract, ParameterKind
from nbship.verbs.params import parameter_row


def last(source: str, above: str = "") -> Parameter:
    return read_parameters(source, above=[above] if above else [])[-1]


def type_shown(annotation: str, above: str = "") -> str:
    return type_text(type_of(last(f"x: {annotation}", above)))


@pytest.mark.parametrize(
    ("annotation", "shown"),
    [
        ("int | str", "int | str"),
        ("Union[int, Optional[str]]", "int | str | None"),
        ("Literal['a'] | None", "Literal['a'] | None"),
        ("Literal[Literal['a'], b'b', None]", "Literal['a', b'b'] | None"),
        ("list[dict[str, int | None]]", "list[dict[str, int | None]]"),
        ("Tuple[int, ...]", "tuple[int, ...]"),
        ("tuple[int, str]", "tuple[int, str]"),
        ("'list[int]'", "list[int]"),
        ("Final[int]", "int"),
        ("Annotated[list[int], Len(1)]", "list[int]"),
        ("Mapping[int, Sequence[float]]", "dict[int, list[float]]"),
        ("frozenset[bytes]", "frozenset[bytes]"),
        ("PurePosixPath", "PurePosixPath"),
        ("np.float32", "float32"),
        ("PositiveInt", "int"),
        ("numbers.Real", "int | float"),
        ("np.ndarray", "Any"),
        ("Callable[[int], str]", "Any"),
        ("Literal[x]", "Any"),
        ("Literal[()]", "Any"),
        ("Union[()]", "Any"),
        ("Annotated[()]", "Any"),
        ("'list['", "Any"),
        ("dict[int]", "Any"),
    ],
)
def test_an_annotation_is_read_as_a_tree(annotation, shown):
    assert type_shown(annotation) == shown


@pytest.mark.parametrize(
    ("above", "annotation", "shown"),
    [
        ("import datetime as d", "d.date", "date"),
        ("from datetime import date as Day", "Day", "date"),
        ("from pathlib import Path as P", "list[P]", "list[Path]"),
        ("from mylib import Path", "Path", "Any"),
        ("import mylib", "mylib.date", "Any"),
        ("class date: pass", "date", "Any"),
        ("Layers = list[int]", "Layers", "list[int]"),
        ("A = int | None\nB = list[A]", "B", "list[int | None]"),
        ("Id: TypeAlias = 'int'", "Id", "int"),
        ("Id = NewType('Id', int)", "Id", "int"),
        ("X = list['X']", "X", "list[Any]"),
        ("class C(Enum):\n    A = 1", "C | None", "C | None"),
        ("import enum as e\nclass C(e.StrEnum):\n    A = e.auto()", "C", "C"),
        ("class C(Enum):\n  pass\nclass D(C):\n    A = 1", "D", "D"),
        ("C = Enum('C', 'A B')", "C", "C"),
        ("C = Enum('C', ['A', 'B'])", "list[C]", "list[C]"),
        ("this is = no Python", "int", "int"),
    ],
)
def test_names_mean_what_the_cells_above_say(above, annotation, shown):
    assert type_shown(annotation, above) == shown


def test_an_enum_is_read_with_its_members_and_values():
    source = (
        "class Mode(StrEnum):\n"
        "    '''How.'''\n"
        "    FAST = auto()\n"
        "    SLOW = 'slow motion'\n"
        "    ALSO = SLOW\n"
        "    _ignore_ = ['x']\n"
        "    def f(self): return 1\n"
        "x: Mode = Mode.SLOW"
    )
    parameter = last(source)

    assert parameter.kind is ParameterKind.ENUM
    assert parameter.choices == ("FAST", "SLOW", "ALSO")
    assert parameter.type is not None
    assert parameter.type.member_values == ("fast", "slow motion", None)
    assert parameter.default == "SLOW"
    assert [read_value(parameter, t) for t in ("FAST", "Mode.SLOW", "fast")] == [
        "FAST",
        "SLOW",
        "FAST",
    ]
    contract = ParameterContract(cell_id="p", parameters=(parameter,))
    with pytest.raises(ParameterError, match="one of FAST, SLOW, ALSO was expected"):
        parse_values(contract, {"x": "LOUD"}, where="n")
    assert (
        injected_source(contract, {"x": "SLOW"}) == "# Parameters\nx = Mode['SLOW']\n"
    )


@pytest.mark.parametrize("annotation", ["Color", "Color | None", "Optional[lib.Color]"])
def test_of_an_imported_enum_the_member_is_passed_on_by_name(annotation):
    owner = "lib.Color" if "lib" in annotation else "Color"
    parameter = last(f"x: {annotation} = {owner}.RED")
    contract = ParameterContract(cell_id="p", parameters=(parameter,))

    assert parameter.default == "RED"
    values = parse_values(contract, {"x": "BLUE"}, where="n")
    assert injected_source(contract, values) == f"# Parameters\nx = {owner}.BLUE\n"


@pytest.mark.parametrize(
    ("annotation", "said", "good", "bad"),
    [
        ("Annotated[int, Ge(1), Lt(9)]", "at least 1, below 9", "8", "9"),
        ("Annotated[float, Interval(gt=0, le=1)]", "above 0, at most 1", "1", "0"),
        ("Annotated[int, MultipleOf(3)]", "a multiple of 3", "9", "8"),
        ("Annotated[float, at.MultipleOf(0.1)]", "a multiple of 0.1", "0.3", "0.35"),
        ("Annotated[str, Len(1, 2)]", "at least 1 long, at most 2 long", "ab", "abc"),
        ("Annotated[str, Field(pattern='^a')]", "like ^a", "ab", "b"),
        ("Annotated[int | None, Field(ge=1)]", "at least 1", "None", "0"),
        ("Annotated[Annotated[int, Ge(1)], Le(3)]", "at least 1, at most 3", "3", "4"),
        ("Annotated[date, Ge(date(2024, 1, 1))]", "at least 2024-01-01", "2024-05-01", "2023-01-01"),
        ("Annotated[timedelta, Le(timedelta(hours=1))]", "at most 1:00:00", "30min", "2h"),
        ("conint(gt=3)", "above 3", "4", "3"),
        ("NonNegativeFloat", "at least 0", "0", "-0.1"),
        ("Annotated[float, Gt(0)]", "above 0", "inf", "nan"),
    ],
)  # fmt: skip
def test_bounds_are_read_said_and_kept(annotation, said, good, bad):
    parameter = last(f"x: {annotation}")
    kind = type_of(parameter)
    bounded = kind if kind.bounds else kind.items[0]

    assert bounded.bounds is not None
    assert bounds_text(bounded.bounds) == said
    read_value(parameter, good)
    with pytest.raises(ValueError, match="was expected"):
        read_value(parameter, bad)


@pytest.mark.parametrize(
    ("source", "unit", "description"),
    [
        ("x: float = 1  # [s] time to wait", "s", "time to wait"),
        ("# [m/s] speed\nx: float = 1", "m/s", "speed"),
        ("x: Annotated[float, 'unit: s', 'pause'] = 1", "s", "pause"),
        ("x: Annotated[float, at.Unit('kg')] = 1  # of all", "kg", "of all"),
        ("x: Annotated[int, Field(description='count')] = 1  # [n]", "n", "count"),
        ("x: Annotated[int, Doc('words')] = 1", "", "words"),
        ("x: int = 1  # no [unit] inside", "", "no [unit] inside"),
        ("x = 1  # type: int  # [s] words", "s", "words"),
    ],
)
def test_units_and_descriptions_are_read(source, unit, description):
    parameter = last(source)
    assert (parameter.unit, parameter.description) == (unit, description)


@pytest.mark.parametrize(
    ("default", "annotation"),
    [
        ("[64, 32]", "list[int]"),
        ("[1, 2.5]", "list[float]"),
        ("[1, 'a']", "list[Any]"),
        ("[]", "list"),
        ("(1, 2)", "tuple[int, ...]"),
        ("(1, 'a')", "tuple[int, str]"),
        ("()", "tuple"),
        ("{'a': [1]}", "dict[str, list[int]]"),
        ("{1: 'a'}", "dict[int, str]"),
        ("{1, 2}", "set[int]"),
        ("frozenset({'a'})", "frozenset[str]"),
        ("b'a'", "bytes"),
        ("1j", "complex"),
        ("date(2024, 1, 2)", "date"),
        ("datetime.fromisoformat('2024-01-02')", "datetime"),
        ("timedelta(hours=1)", "timedelta"),
        ("Path('a') / 'b'", "Path"),
        ("Decimal('1.0')", "Decimal"),
        ("np.float32(0.5)", "float32"),
        ("2 ** 10", "int"),
        ("-math.inf", "float"),
        ("None", "Any"),
        ("f(1)", "Any"),
        ("10 ** 10 ** 10", "Any"),
        ("'a' * 10 ** 9", "Any"),
    ],
)
def test_without_an_annotation_the_default_tells_the_type(default, annotation):
    parameter = last(f"x = {default}")
    assert (parameter.annotation, parameter.is_inferred) == (annotation, True)


def test_a_comment_for_type_checkers_is_no_type():
    parameter = last("x = 0  # type: ignore[misc]  # rows")
    assert (parameter.annotation, parameter.description) == ("int", "rows")


@pytest.mark.parametrize(
    ("source", "row"),
    [
        ("x: int = 3", ("x", "int", "= 3", "")),
        ("x: int", ("x", "int", "(required)", "")),
        ("x = (1, 'a')  # two", ("x", "tuple[int, str] (inferred)", "= (1, 'a')", "two")),
        (
            "x: Annotated[float, Gt(0), Le(1)] = 5  # [s] pause",
            ("x", "float", "= 5", "[s] pause; above 0, at most 1; the default does not fit: at most 1 was expected"),
        ),
        ("class C(Enum):\n    A = 1\nx: C = C.A", ("x", "C", "= C.A", "one of A")),
        ("x: C = C.A", ("x", "C", "= C.A", "one of A, ...")),
        ("L = list[int]\nx: L = [1]", ("x", "list[int]", "= [1]", "")),
    ],
)  # fmt: skip
def test_the_help_says_type_default_bounds_and_unit(source, row):
    assert parameter_row(last(source)) == row


def test_inferred_numbers_stand_in_for_each_other_also_inside():
    parameter = last("x = [64, 32]")
    assert read_value(parameter, "[1, 0.5]") == [1, 0.5]
    with pytest.raises(ValueError, match="item 1 is a"):
        read_value(parameter, "[1, 'a']")


@pytest.mark.parametrize(
    ("annotation", "text", "written"),
    [
        ("int | str", "5", 5),
        ("int | str", "'5'", "5"),
        ("int | str", "five", "five"),
        ("float | bool", "true", True),
        ("float | bool", "1", 1.0),
        ("date | str", "2024-01-02", {"$date": "2024-01-02"}),
        ("date | str", "soon", "soon"),
        ("Path | None", "a/b", "a/b"),
        ("int | list[int]", "[1]", [1]),
        ("tuple[int, ...] | int", "(1,)", {"$tuple": [1]}),
        ("bytes", "b'a\\x00'", "YQA="),
        ("bytes", "hex:6100", "YQA="),
        ("bytes", "base64:YQA=", "YQA="),
        ("bytes", "a=b", "YT1i"),
        ("int", "0x1F", 31),
        ("int", "-0b11", -3),
        ("timedelta", "1h 30min", "P0DT5400S"),
        ("timedelta", "-1 day, 23:00:00", "-P0DT3600S"),
        ("timedelta", "-0:30:00", "-P0DT1800S"),
        ("timedelta", "P1W", "P7D"),
        ("timedelta", "1.5s", "P0DT1.5S"),
        ("time", "12:30", "12:30:00"),
        (
            "datetime",
            "2024-10-27T02:30[Europe/Berlin][_fold=1]",
            "2024-10-27T02:30:00+01:00[Europe/Berlin][_fold=1]",
        ),
        ("Decimal", "1.10", "1.10"),
        ("complex", "1 + 2j", "1+2j"),
        ("set[int]", "{2, 1, 2}", [1, 2]),
        ("set[str]", '["b", "a"]', ["a", "b"]),
        ("dict[int, float]", "{1: 2}", {"1": 2.0}),
        ("dict[int, float]", '{"1": 2}', {"1": 2.0}),
        ("dict[tuple[int, int], str]", "{(1, 2): 'a'}", [[[1, 2], "a"]]),
        ("list[date]", "['2024-01-02']", ["2024-01-02"]),
        ("list[float]", "[nan, -inf, 1]", ["nan", "-inf", 1.0]),
        ("np.int8", "-128", -128),
        ("Any", "{'$date': 1}", {"$dict": [["$date", 1]]}),
        ("Any", "a word", "a word"),
    ],
)
def test_a_text_becomes_the_json_of_its_type(annotation, text, written):
    got = read_value(last(f"x: {annotation}"), text)
    assert repr(got) == repr(written)


@pytest.mark.parametrize(
    ("annotation", "text", "said"),
    [
        ("int | date", "soon", "a whole number, or a date such as"),
        ("timedelta", "90", "a duration such as"),
        ("timedelta", "9999999999d", "too long"),
        ("datetime", "2024-01-01T00:00[Moon/Base]", "no time zone 'Moon/Base'"),
        ("tuple[int, int]", "(1,)", "2 items were expected"),
        ("set[Any]", "[[1]]", "hashed"),
        ("np.uint8", "256", "from 0 to 255"),
        ("dict[int, int]", "{'a': 1}", "key a: a whole number"),
        ("Path", "", "a path"),
        ("str", "\ud800", "UTF-8"),
    ],
)
def test_a_text_that_does_not_fit_is_told(annotation, text, said):
    with pytest.raises(ValueError, match=said):
        read_value(last(f"x: {annotation}"), text)


def test_no_name_that_a_parameter_has_makes_a_value():
    source = (
        "from datetime import date\ndate: date = date(2024, 1, 1)\nset: set[int]\n"
        "float: float\nday: date"
    )
    contract = ParameterContract(cell_id="p", parameters=read_parameters(source))
    values = {
        "date": "2024-01-02",
        "set": [],
        "float": "nan",
        "day": "2024-01-03",
    }
    names: dict[str, object] = {}
    exec(injected_source(contract, values), names)  # noqa: S102

    assert str(names["date"]) == "2024-01-02"
    assert str(names["day"]) == "2024-01-03"
    assert names["set"] == set()
    assert isinstance(names["float"], float)
    assert math.isnan(names["float"])


def test_names_of_annotations_that_are_never_evaluated_make_no_value():
    source = "from __future__ import annotations\nday: date\nplace: 'Path'"
    contract = ParameterContract(cell_id="p", parameters=read_parameters(source))

    assert injected_source(contract, {"day": "2024-01-02", "place": "a"}) == (
        "# Parameters\n"
        "day = __import__(\"datetime\").date.fromisoformat('2024-01-02')\n"
        "place = __import__(\"pathlib\").Path('a')\n"
    )


OLD = {
    "schema": "parameter-contract/1",
    "cell_id": "p",
    "parameters": [
        {"name": "day", "kind": "date", "annotation": "dt.date", "is_optional": True},
        {"name": "rates", "kind": "list", "annotation": "list[float]", "item_kind": "float"},
        {"name": "how", "kind": "Literal", "annotation": "Literal['a', 2]", "choices": ["a", 2]},
        {"name": "free", "kind": "Any", "annotation": "Any", "default": [1]},
        {"name": "guess", "kind": "int", "annotation": "int", "is_inferred": True, "default": 3, "default_text": "3"},
        {"name": "place", "kind": "Path", "annotation": "Path", "is_inferred": True, "default_text": "Path('a')"},
    ],
}  # fmt: skip


def test_a_contract_that_was_written_before_types_were_trees_is_read_as_before():
    contract = from_json(ParameterContract, OLD)
    values = {
        "day": "2024-01-02",
        "rates": ["nan", 1.0],
        "how": 2,
        "free": {"a": [1, None]},
        "guess": 0.5,
        "place": "b",
    }

    assert injected_source(contract, values) == (
        "# Parameters\n"
        "day = dt.date.fromisoformat('2024-01-02')\n"
        'rates = [float("nan"), 1.0]\n'
        "how = 2\n"
        "free = {'a': [1, None]}\n"
        "guess = 0.5\n"
        "place = Path('b')\n"
    )


def test_a_contract_is_a_record():
    source = (
        "class C(Enum):\n    A = (1, 2)\n"
        "x: Annotated[list[C | None], Len(1)] = [C.A]\n"
        "y: Annotated[date, Ge(date(2024, 1, 1))]\nz = {1: (b'a', 2.5)}"
    )
    contract = ParameterContract(cell_id="p", parameters=read_parameters(source))

    assert from_json(ParameterContract, to_json(contract)) == contract


def test_cells_above_the_parameters_cell_count_and_those_below_do_not():
    def cell(index: int, source: str, *tags: str) -> Cell:
        return Cell(
            id=f"c{index}", kind=CellKind.CODE, source=source, index=index, tags=tags
        )

    notebook = Notebook(
        path="n.ipynb",
        digest="",
        kernel_name="",
        language="python",
        cells=(
            cell(0, "%load_ext x\nclass C(Enum):\n    A = 1"),
            cell(1, "c: C\nd: D", "parameters"),
            cell(2, "class D(Enum):\n    A = 1"),
        ),
    )

    kinds = [parameter.kind for parameter in read_contract(notebook).parameters]
    assert kinds == [ParameterKind.ENUM, ParameterKind.ANY]


@given(
    st.recursive(
        st.sampled_from(
            ["int", "None", "C", "...", "'x'", "Literal", "3", "np.int8", "()", "*a"]
        ),
        lambda inner: st.builds(
            lambda head, items: f"{head}[{', '.join(items)}]",
            st.sampled_from(
                ["list", "tuple", "dict", "Literal", "Optional", "Union", "Annotated"]
            ),
            st.lists(inner, min_size=1, max_size=3),
        ),
        max_leaves=8,
    )
)
def test_any_annotation_is_read_and_its_value_too(annotation):
    try:
        (parameter,) = read_parameters(f"x: {annotation} = 1")
    except SyntaxError:
        return
    contract = ParameterContract(cell_id="p", parameters=(parameter,))
    try:
        values = check_values(contract, {"x": (1, None)}, where="n")
    except ParameterError:
        return
    injected_source(contract, values)
