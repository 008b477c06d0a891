"""Search spaces: a text and a parameter give typed values or a range."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbship.errors import ParameterError
from nbship.jobs.contract import read_parameters
from nbship.jobs.domains import read_domain, split_values, value_at
from nbship.records.codec import from_json, to_json
from nbship.records.domains import Domain


def domain_of(declaration: str, text: str) -> Domain:
    (parameter,) = read_parameters(declaration)
    return read_domain(parameter, text)


@pytest.mark.parametrize(
    ("declaration", "text", "values"),
    [
        ("lr: float = 1.0", "0.1, 0.01,1", (0.1, 0.01, 1.0)),
        ("lr: float = 1.0", "0.1,0.1", (0.1,)),
        ("depth: int = 3", "2..8", (2, 3, 4, 5, 6, 7, 8)),
        ("depth: int = 3", "1,4..6,9", (1, 4, 5, 6, 9)),
        ("depth: int = 3", "2..9:3", (2, 5, 8)),
        ("depth: int = 3", "1..1000:log:x4", (1, 10, 100, 1000)),
        ("share: float = 0.1", "0..1:0.25", (0.0, 0.25, 0.5, 0.75, 1.0)),
        ("share: float = 0.1", "0..0.3:0.1", (0.0, 0.1, 0.2, 0.3)),
        ("lr: float = 0.1", "1e-4..1e-1:log:x4", (1e-4, 1e-3, 1e-2, 1e-1)),
        ("guess = 3", "0.5,2", (0.5, 2)),
        ("guess = 3", "1..3", (1, 2, 3)),
        ("how: Literal['a', 'b', 3] = 'a'", "*", ("a", "b", 3)),
        ("how: Literal['a', 'b', 3] = 'a'", "b,3", ("b", 3)),
        ("flag: bool = True", "*", (False, True)),
        ("how: Literal['a'] | None = None", "*", (None, "a")),
        ("n: Annotated[int, Interval(gt=0, le=9), MultipleOf(3)]", "*", (3, 6, 9)),
        ("x: int | float = 1", "1,0.5", (1, 0.5)),
        ("day: date", "2024-01-02,2024-01-03", ("2024-01-02", "2024-01-03")),
        ("pair: tuple[int, int] = (1, 2)", "(1, 2),(3, 4)", ([1, 2], [3, 4])),
        ("name: str = ''", "a,b c", ("a", "b c")),
        ("name: str = ''", "'a,b',it's", ("a,b", "it's")),
        ("name: str = ''", "2..8", ("2..8",)),
        ("layers: list[int] = []", "[64, 32],[16]", ([64, 32], [16])),
        ("opts: dict[str, int] = {}", '{"a,]": 1},{}', ({"a,]": 1}, {})),
        ("depth: int | None = None", "None,2..3", (None, 2, 3)),
    ],
)
def test_a_finite_domain_lists_its_typed_values(declaration, text, values):
    domain = domain_of(declaration, text)

    assert repr(domain.values) == repr(values)
    assert domain.text == text
    assert domain.is_finite


def test_every_member_of_an_enum_is_listed():
    source = "class C(Enum):\n    A = 1\n    B = 2\nc: C = C.A"

    assert domain_of(source, "*").values == ("A", "B")
    assert domain_of(source, "C.B,1").values == ("B", "A")


def test_values_beyond_the_bounds_are_refused():
    with pytest.raises(ParameterError, match="at most 1 was expected"):
        domain_of("lr: Annotated[float, Gt(0), Le(1)]", "0.1..2")


def test_an_interval_is_continuous():
    domain = domain_of("lr: float = 0.1", "1e-4..1e-1:log")

    assert domain == Domain(
        name="lr", text="1e-4..1e-1:log", low=1e-4, high=1e-1, is_log=True
    )
    assert value_at(domain, 0.0) == pytest.approx(1e-4)
    assert value_at(domain, 0.5) == pytest.approx(10**-2.5)


def test_a_long_range_of_whole_numbers_is_not_listed():
    domain = domain_of("seed: int = 0", "0..1000000")

    assert (domain.is_finite, domain.is_whole) == (False, True)
    assert [value_at(domain, share) for share in (0.0, 0.5, 0.9999999)] == [
        0,
        500000,
        1000000,
    ]


@pytest.mark.parametrize(
    ("declaration", "text", "said"),
    [
        ("depth: int = 3", "8..2", "smaller one first"),
        ("depth: int = 3", "0.5..2", "a whole number"),
        ("depth: int = 3", "a,2", "a whole number"),
        ("depth: int = 3", "*", "does not list"),
        ("lr: float = 1.0", "0..1:log", "begins above 0"),
        ("lr: float = 1.0", "0..1:fast", "neither a step"),
        ("lr: float = 1.0", "0..1:0", "not above 0"),
        ("lr: float = 1.0", "0..1:0.1:x3", "not both"),
        ("lr: float = 1.0", "0..1:1e-9", "at most 1000"),
        ("lr: float = 1.0", "0..1,3", "no list of values"),
        ("lr: float = 1.0", "0..inf", "a number"),
        ("x: Annotated[float, MultipleOf(0.5)]", "0..2", "say the step"),
        ("x: Annotated[int, MultipleOf(2)]", "2..5", "a multiple of 2"),
    ],
)
def test_a_domain_that_does_not_fit_is_refused(declaration, text, said):
    with pytest.raises(ParameterError, match=said):
        domain_of(declaration, text)


@given(text=st.text("ab,[](){}'\" ", max_size=20))
def test_splitting_loses_no_sign_but_commas_and_blanks(text):
    kept = "".join(split_values(text))
    assert kept.replace(",", "").replace(" ", "") == text.replace(",", "").replace(
        " ", ""
    )


@given(low=st.integers(1, 50), span=st.integers(0, 10**7), share=st.floats(0, 1 - 1e-9))
def test_a_value_at_a_share_lies_in_the_range(low, span, share):
    for words in ("", ":log"):
        domain = domain_of("x: int = 1", f"{low}..{low + span}{words}")
        value = value_at(domain, share)
        assert type(value) is int
        assert low <= value <= low + span


def test_a_domain_is_a_record():
    domain = domain_of("lr: float = 0.1", "0..1:0.5")

    assert from_json(Domain, to_json(domain)) == domain


def test_equal_shares_of_a_logarithmic_range_of_listed_numbers_are_equal_ratios():
    domain = domain_of("n: int = 3", "1..100:log")
    assert domain.is_finite
    assert value_at(domain, 0.5) == pytest.approx(10, abs=4)
    assert (value_at(domain, 0.0), value_at(domain, 0.999999)) == (1, 100)
