"""How answers of two packages to the same calls are laid side by side."""

import math

from nbship.records.release import Column, Signature
from nbship.records.release_diff import (
    AnswerChanges,
    Answered,
    AnswerExample,
    Flip,
    OutputComparison,
    Refusal,
)
from nbship.release.answer_changes import Asked, all_calls, answer_changes

PRICE = Signature(
    inputs=(Column(name="km", dtype="float64"),),
    outputs=(Column(name="price", dtype="float64"),),
)


def case(number, *args, **kwargs):
    return {"case": number, "args": list(args), "kwargs": kwargs, "output": None}


def call(old, new, *, args=(3.0,), held_by="both", number=1):
    given = case(number, *args)
    return Asked(
        name=f"1.0.0 case {number}", case=given, held_by=held_by, old=old, new=new
    )


def answers(*values):
    return [Answered(answer=value) for value in values]


def frame(**columns):
    return {
        "$frame": {
            "columns": [
                {"name": name, "dtype": "float64", "values": values}
                for name, values in columns.items()
            ],
            "index": None,
        }
    }


def compared(*pairs, old=PRICE, new=PRICE):
    asked = [call(*answers(a, b), number=i) for i, (a, b) in enumerate(pairs, 1)]
    return answer_changes(asked, old, new)


def test_equal_calls_of_two_sets_of_golden_cases_are_asked_once():
    old = [case(1, 3.0), case(2, 4.0)]
    new = [case(1, 4.0), case(2, 5.0), case(3, km=3.0)]

    found = all_calls(old, new, titles=("1.0.0", "1.1.0"))

    assert [(name, held_by) for name, _, held_by in found] == [
        ("1.0.0 case 1", "old"),
        ("1.0.0 case 2", "both"),
        ("1.1.0 case 2", "new"),
        ("1.1.0 case 3", "new"),
    ]


def test_numbers_within_parity_are_equal_and_the_largest_difference_is_kept():
    found = compared((1.0, 1.0), (2.0, 2.0 + 1e-12), (4.0, 5.0))

    assert found == AnswerChanges(
        cases=3,
        old_cases=3,
        new_cases=3,
        outputs=(
            OutputComparison(
                name="price",
                rows=3,
                equal=2,
                identical=1,
                rtol=1e-9,
                largest_absolute=1.0,
                largest_relative=0.2,
                examples=(
                    AnswerExample(
                        case="1.0.0 case 3",
                        row=0,
                        inputs={"km": 3.0},
                        old=4.0,
                        new=5.0,
                    ),
                ),
            ),
        ),
    )
    assert not found.are_same


def test_a_declared_tolerance_holds_and_the_smaller_of_two_does():
    loose = Signature(
        inputs=PRICE.inputs,
        outputs=(Column(name="price", dtype="float64", rtol=1e-3),),
    )

    assert compared((1.0, 1.0005), old=loose, new=loose).are_same
    assert not compared((1.0, 1.0005), old=PRICE, new=loose).are_same


def test_labels_that_flip_are_counted_by_pair():
    found = compared(("cat", "dog"), ("cat", "dog"), ("dog", "cat"), ("cat", "cat"))
    (output,) = found.outputs

    assert (output.rows, output.equal, output.flipped) == (4, 1, 3)
    assert output.flips == (
        Flip(old="cat", new="dog", rows=2),
        Flip(old="dog", new="cat", rows=1),
    )
    assert output.largest_absolute is None


def test_nothing_that_is_no_number_hides_a_difference():
    nan, infinite = {"$float": "nan"}, {"$float": "inf"}

    assert compared((nan, nan), (infinite, infinite)).are_same
    (output,) = compared((nan, 1.0), (infinite, 1.0), (None, 1.0)).outputs
    assert (output.changed, output.largest_absolute) == (3, None)
    (output,) = compared((10**400, 10**400 + 1), (True, 1.0)).outputs
    assert (output.rows, output.changed) == (2, 1)


def test_frames_arrays_and_objects_are_compared_row_by_row():
    frames = compared(
        (frame(a=[1.0, 2.0], b=[3.0, 4.0]), frame(b=[3.0, 5.0], a=[1.0, 2.0]))
    )
    array = {
        "$array": {"dtype": "<f8", "shape": [2, 2], "values": [1.0, 2.0, 3.0, 4.0]}
    }
    other = {"$array": {**array["$array"], "values": [1.0, 2.0, 3.5, 4.5]}}
    matrix = compared((array, other))

    assert [(o.name, o.rows, o.equal) for o in frames.outputs] == [
        ("a", 2, 2),
        ("b", 2, 1),
    ]
    (output,) = matrix.outputs
    assert (output.name, output.rows, output.equal) == ("price", 2, 1)
    assert math.isclose(output.largest_absolute, 0.5)
    assert output.examples[0].row == 1


def test_every_part_of_a_row_counts_for_the_largest_difference():
    (output,) = compared(({"x": [1.0, 2.0]}, {"x": [1.5, 9.0]})).outputs

    assert output.largest_absolute == 7.0


def test_a_refusal_is_told_with_who_refuses_and_what():
    asked = [
        call(Answered(answer=1.0), Answered(raised="KeyError: 'B'"), number=1),
        call(Answered(answer=1.0), Answered(answer=1.0, refused="km: far"), number=2),
        call(Answered(raised="ValueError: no"), Answered(answer=1.0), number=3),
        call(Answered(raised="a"), Answered(raised="b"), number=4),
        # what no JSON can hold is refused by both checks: it says nothing
        call(
            Answered(answer=1.0, refused="x"),
            Answered(answer=1.0, refused="x"),
            number=5,
        ),
    ]

    found = answer_changes(asked, PRICE, PRICE)

    assert (found.refused_by_new, found.refused_by_old, found.refused_by_both) == (
        2,
        1,
        1,
    )
    assert found.refusals == (
        Refusal(
            by="new", case="1.0.0 case 1", message="KeyError: 'B'", inputs={"km": 3.0}
        ),
        Refusal(by="new", case="1.0.0 case 2", message="km: far", inputs={"km": 3.0}),
        Refusal(
            by="old", case="1.0.0 case 3", message="ValueError: no", inputs={"km": 3.0}
        ),
    )
    assert not found.are_same


def test_another_number_of_rows_cannot_be_compared():
    found = compared(
        (frame(a=[1.0]), frame(a=[1.0, 2.0])), (frame(a=[1.0]), frame(b=[1.0]))
    )

    assert found.incomparable == (
        "1.0.0 case 1: `a`: 2 rows where 1 were",
        "1.0.0 case 2: no output in common",
    )
    assert not found.are_same
