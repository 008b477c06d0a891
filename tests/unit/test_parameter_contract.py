"""The typed contract: what is read, what is accepted, what is written back."""

from __future__ import annotations

import ast
import json
import math
from datetime import date, datetime
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbship.errors import (
    ParameterError,
    ParametersCellMissingError,
    UnknownParameterError,
)
from nbship.jobs.contract import read_contract, read_parameters
from nbship.jobs.injection import injected_source, value_source
from nbship.jobs.kinds import INTEGER, NOTHING, union
from nbship.jobs.values import check_values, parse_values, split_assignments
from nbship.records.notebook import Cell, CellKind, Notebook
from nbship.records.parameters import Parameter, ParameterContract, ParameterKind

K = ParameterKind


def contract_of(source: str) -> ParameterContract:
    return ParameterContract(cell_id="p", parameters=read_parameters(source))


def one(source: str) -> Parameter:
    (parameter,) = read_parameters(source)
    return parameter


@pytest.mark.parametrize(
    ("source", "kind", "default"),
    [
        ("x: int = 3", K.INT, 3),
        ("x: int | None = None", K.INT, None),
        ("x: Optional[float] = 1", K.FLOAT, 1.0),
        ("x: t.Union[str, None] = 'a'", K.STR, "a"),
        ("x: 'int' = 1", K.INT, 1),
        ("x: bool = True", K.BOOL, True),
        ("x: None = None", K.NONE, None),
        ("x: Literal['a', 2] = 'a'", K.LITERAL, "a"),
        ("x: list[int] = [1, 2]", K.LIST, [1, 2]),
        ("x: dict[str, float] = {'a': 0.5}", K.DICT, {"a": 0.5}),
        ("x: datetime.date = datetime.date(2024, 1, 2)", K.DATE, "2024-01-02"),
        ("x: dt.datetime = dt.datetime(2024, 1, 2)", K.DATETIME, "2024-01-02T00:00:00"),
        ("x: Path = Path('a', 'b')", K.PATH, "a/b"),
        ("x: Any = {1: 2}", K.ANY, {"$dict": [[1, 2]]}),
        ("x: np.ndarray = np.zeros(3)", K.ANY, None),
        ("x: Annotated[int, Ge(1)] = 4", K.INT, 4),
        ("x: float | int = 4", K.UNION, 4),
        ("x = 'k=v # no comment'", K.STR, "k=v # no comment"),
        ("x = '''a\nb=1'''", K.STR, "a\nb=1"),
        ("x = -1.5", K.FLOAT, -1.5),
        ("x = float('nan')", K.FLOAT, "nan"),
        ("x: float = -math.inf", K.FLOAT, "-inf"),
        ("x = [math.inf]", K.LIST, ["inf"]),
        ("x = 4 * 1024", K.INT, 4096),
        ("x = None", K.ANY, None),
        ("x = (1, 2)", K.TUPLE, [1, 2]),
        ("x = Path('a')", K.PATH, "a"),
        ("x = compute()", K.ANY, None),
    ],
)
def test_a_declaration_gives_kind_and_default(source, kind, default):
    parameter = one(source)
    assert (parameter.kind, parameter.default) == (kind, default)


def test_annotations_comments_and_order_are_read_and_nothing_else():
    source = (
        "%matplotlib inline\n"
        "from pathlib import Path\n"
        "# share of rows held back\n"
        "test_size: float = 0.2\n"
        "depth: int | None = None  # of the trees\n"
        "how: Literal['mean', 'median']\n"
        "j = k = 3\n"
        "a, b = 1, 'x'\n"
        "if True:\n    hidden = 1\n"
        "print(depth)\n"
    )
    read = read_parameters(source)
    assert [p.name for p in read] == ["test_size", "depth", "how", "j", "k", "a", "b"]
    assert read[0].description == "share of rows held back"
    assert read[1] == Parameter(
        name="depth",
        kind=K.INT,
        annotation="int | None",
        type=union([INTEGER, NOTHING]),
        default=None,
        default_text="None",
        is_optional=True,
        description="of the trees",
    )
    assert read[2].is_required
    assert read[2].choices == ("mean", "median")
    assert [p.is_inferred for p in read] == [False] * 3 + [True] * 4


def test_a_later_assignment_keeps_the_annotation():
    parameter = one("x: float = 1.0\nx = 2.5")
    assert (parameter.annotation, parameter.default) == ("float", 2.5)


def notebook_with(source: str, *, language: str = "python") -> Notebook:
    cell = Cell(
        id="p", kind=CellKind.CODE, source=source, index=0, tags=("parameters",)
    )
    return Notebook(
        path="n.ipynb", digest="", kernel_name="", language=language, cells=(cell,)
    )


def test_a_parameters_cell_that_is_no_python_names_its_line():
    with pytest.raises(ParameterError, match="line 2"):
        read_contract(notebook_with("a = 1\nb = = 2"))


def test_a_parameters_cell_of_another_language_is_refused():
    with pytest.raises(ParameterError, match="its language is R"):
        read_contract(notebook_with("a <- 1", language="R"))


SOURCE = """
lr: float = 0.1
depth: int | None = None
how: Literal["mean", 2] = "mean"
day: date = date(2024, 1, 2)
when: datetime = datetime(2024, 1, 2)
place: Path = Path("data")
layers: list[int] = [64]
weights: dict[str, float] = {}
name: str = "a"
flag: bool = False
free: Any = None
guess = 1
"""


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("lr=1e-3", 0.001),
        ("lr=nan", "nan"),
        ("lr=-inf", "-inf"),
        ("depth=007", 7),
        ("depth=None", None),
        ("how=2", 2),
        ("day=2025-02-03", "2025-02-03"),
        ("when=2025-02-03 04:05", "2025-02-03T04:05:00"),
        ("place=a=b", "a=b"),
        ("layers=[64, 32]", [64, 32]),
        ("weights={'a': 1}", {"a": 1.0}),
        ("name=007", "007"),
        ("flag=yes", True),
        ("free=12e4567", "12e4567"),
        ("free=nan", "nan"),
        ("free=[1, null]", [1, None]),
        ("free=(1, 2)", {"$tuple": [1, 2]}),
        ("free={1: 2}", {"$dict": [[1, 2]]}),
        ("guess=0.5", 0.5),
    ],
)
def test_a_text_is_read_by_the_declared_type(word, value):
    texts = split_assignments([word])
    read = parse_values(contract_of(SOURCE), texts, where="n.ipynb")
    (got,) = read.values()
    assert (type(got), repr(got)) == (type(value), repr(value))


def test_all_mistakes_are_reported_together_with_the_nearest_name():
    words = ["lr=fast", "depht=3", "how=max", "day=1.2.24", "layers=[1, 'a']", "lr2=1"]
    with pytest.raises(UnknownParameterError) as caught:
        parse_values(contract_of(SOURCE), split_assignments(words), where="n.ipynb")
    message = caught.value.message
    assert "did you mean 'depth'?" in message
    assert "lr = fast: a number was expected" in message
    assert "one of 'mean', 2 was expected" in message
    assert "item 1 is a: a whole number was expected" in message
    assert "no parameter 'lr2'" in message


@pytest.mark.parametrize("word", ["depth=3.0", "flag=2", "lr=12e4567", "weights=[1]"])
def test_an_ill_typed_text_is_refused(word):
    with pytest.raises(ParameterError):
        parse_values(contract_of(SOURCE), split_assignments([word]), where="n")


def test_values_without_a_parameters_cell_are_refused():
    with pytest.raises(ParametersCellMissingError):
        parse_values(ParameterContract(cell_id=None), {"a": "1"}, where="n")


def test_a_required_parameter_needs_a_value():
    with pytest.raises(ParameterError, match="a value is required"):
        parse_values(contract_of("x: int"), {}, where="n")


def test_a_word_without_a_name_is_refused():
    with pytest.raises(ParameterError, match="name=value"):
        split_assignments(["=1"])


def test_python_values_become_json_values():
    given_values = {
        "day": date(2024, 1, 2),
        "place": Path("a/b"),
        "layers": (1, 2),
        "lr": 1,
        "free": datetime(2024, 1, 2),  # noqa: DTZ001
        "weights": {"a": math.nan},
    }
    assert check_values(contract_of(SOURCE), given_values, where="n") == {
        "day": "2024-01-02",
        "place": "a/b",
        "layers": [1, 2],
        "lr": 1.0,
        "free": {"$datetime": "2024-01-02T00:00:00"},
        "weights": {"a": "nan"},
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [("day", datetime(2024, 1, 2)), ("depth", True), ("flag", 1), ("name", Path("a"))],  # noqa: DTZ001
)
def test_a_python_value_of_another_type_is_refused(name, value):
    with pytest.raises(ParameterError):
        check_values(contract_of(SOURCE), {name: value}, where="n")


def test_the_injected_cell_makes_dates_and_paths_by_the_cells_own_names():
    source = "import datetime as dt\nday: dt.date | None = None\nplaces: list[Path] = []\nwhen: 'datetime' = 0\n"
    values = {
        "when": "2024-01-02T00:00:00",
        "places": ["a"],
        "day": "2024-01-02",
        "extra": [math.inf],
    }
    assert injected_source(contract_of(source), values) == (
        "# Parameters\n"
        "day = dt.date.fromisoformat('2024-01-02')\n"
        "places = [Path('a')]\n"
        "when = __import__(\"datetime\").datetime.fromisoformat('2024-01-02T00:00:00')\n"
        'extra = [float("inf")]\n'
    )


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(value=PLAIN)
def test_any_json_value_comes_back_from_its_source(value):
    again = eval(value_source(None, value))  # noqa: S307
    assert repr(again) == repr(value)


@given(text=st.text(max_size=200))
def test_any_text_is_read_as_a_cell_or_refused_as_no_python(text):
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return
    names = [parameter.name for parameter in read_parameters(text)]
    assert all(name.isidentifier() for name in names)


TYPED = {
    "int": st.integers(-(10**300), 10**300),
    "float": st.floats(),
    "bool": st.booleans(),
    "str": st.text(),
    "date": st.dates(),
    "datetime": st.datetimes().map(lambda moment: moment.replace(fold=0)),
    "Path": st.text("abc/._ =", min_size=1).map(PurePosixPath),
    "list[float]": st.lists(st.floats()),
    "dict[str, date]": st.dictionaries(st.text(), st.dates()),
    "list[Path]": st.lists(st.text("ab/ ", min_size=1).map(PurePosixPath)),
    "int | None": st.none() | st.integers(),
}


@given(
    st.sampled_from(sorted(TYPED)).flatmap(lambda a: st.tuples(st.just(a), TYPED[a]))
)
def test_type_and_value_survive_the_injected_cell(pair):
    annotation, value = pair
    contract = contract_of(f"x: {annotation}")
    values = check_values(contract, {"x": value}, where="n")
    names = {"date": date, "datetime": datetime, "Path": PurePosixPath}
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    exec(injected_source(contract, values), names)  # noqa: S102
    assert repr(names["x"]) == repr(value)


@given(annotation=st.sampled_from(sorted(TYPED)), text=st.text())
def test_any_text_for_a_value_is_read_or_refused(annotation, text):
    contract = contract_of(f"x: {annotation}")
    try:
        values = parse_values(contract, {"x": text}, where="n")
    except ParameterError:
        return
    assert check_values(contract, values, where="n").keys() == values.keys()
