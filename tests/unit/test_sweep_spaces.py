"""Search spaces: what is said about a sweep is checked at once, and points follow from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbship.errors import ParameterError, UnknownParameterError
from nbship.jobs.contract import read_parameters
from nbship.jobs.directions import declared_direction
from nbship.jobs.sweeps import (
    Ask,
    grid_points,
    listed_points,
    random_points,
    read_space,
    size_of,
)
from nbship.records.parameters import ParameterContract
from nbship.records.sweep import Sampler
from support.sweep_case import DEPTH, HOW, LR, sweep_of

SOURCE = """
lr: float = 0.1
depth: int = 3
how: str = "mean"
count: int
"""


def contract(source=SOURCE):
    return ParameterContract(cell_id="p", parameters=read_parameters(source))


def space(*, ask=None, **texts):
    return read_space(
        contract(), {"count": "5", **texts}, ask=ask or Ask(), where="n.ipynb"
    )


def test_one_value_is_fixed_and_several_are_swept():
    found = space(lr="0.1,0.01", depth="2..4", how="max")
    assert [domain.name for domain in found.swept] == ["lr", "depth"]
    assert found.swept[0].values == (0.1, 0.01)
    assert found.swept[1].values == (2, 3, 4)
    assert found.fixed == {"count": 5, "how": "max"}


def test_all_mistakes_are_told_together():
    with pytest.raises(UnknownParameterError) as caught:
        read_space(
            contract(),
            {"lrr": "1,2", "depth": "2..x", "lr": "0..1"},
            ask=Ask(samples=3, is_pruning=True),
            where="n.ipynb",
        )
    said = caught.value.message
    assert "no parameter 'lrr'; did you mean 'lr'?" in said
    assert "depth = 2..x" in said
    assert "count: a value is required" in said
    assert "--samples: a grid takes every point" in said
    assert "lr = 0..1: a grid needs listed values" in said
    assert "--prune: --metric says which metric is compared" in said


@pytest.mark.parametrize(
    ("ask", "texts", "said"),
    [
        (Ask(), {"lr": "0.1"}, "nothing is swept"),
        (Ask(sampler=Sampler.RANDOM), {"lr": "1,2"}, "--samples says how many jobs"),
        (
            Ask(sampler=Sampler.RANDOM, samples=0),
            {"lr": "1,2"},
            "--samples 0: at least 1",
        ),
        (
            Ask(sampler=Sampler.OPTUNA, samples=3),
            {"lr": "1,2"},
            "--sampler optuna: --metric says",
        ),
        (
            Ask(sampler=Sampler.OPTUNA, samples=3, metric="acc"),
            {"lr": "1,2"},
            "nothing says which way acc is better; add --direction max or min",
        ),
        (Ask(), {"depth": "1..500", "lr": "0..1:x100"}, "50000 points; at most 10000"),
    ],
)
def test_words_that_do_not_go_together_are_refused(ask, texts, said):
    with pytest.raises(ParameterError) as caught:
        space(ask=ask, **texts)
    assert said in caught.value.message


def test_a_grid_is_every_point_and_the_last_parameter_changes_fastest():
    points = grid_points((LR, HOW))
    assert points[:3] == [
        {"lr": 0.001, "how": "mean"},
        {"lr": 0.001, "how": "max"},
        {"lr": 0.01, "how": "mean"},
    ]
    assert len(points) == size_of((LR, HOW)) == 6


@given(seed=st.integers(), samples=st.integers(1, 40))
def test_a_seed_draws_the_same_points_and_none_twice(seed, samples):
    wide = space(
        lr="1e-4..1e-1:log", depth="1..9", ask=Ask(sampler=Sampler.RANDOM, samples=1)
    )
    drawn = random_points(wide.swept, samples=samples, seed=seed)
    assert drawn == random_points(wide.swept, samples=samples, seed=seed)
    assert len({repr(point) for point in drawn}) == samples
    assert all(1e-4 <= p["lr"] <= 1e-1 and 1 <= p["depth"] <= 9 for p in drawn)


def test_other_seeds_draw_other_points():
    one, two = (random_points((LR, DEPTH), samples=5, seed=s) for s in (1, 2))
    assert one != two


@given(seed=st.integers(), samples=st.integers(1, 30))
def test_a_small_space_is_drawn_without_repetition_until_it_is_used_up(seed, samples):
    drawn = random_points((LR, HOW), samples=samples, seed=seed)
    assert len(drawn) == min(samples, 6)
    assert all(point in grid_points((LR, HOW)) for point in drawn)
    assert len({repr(point) for point in drawn}) == len(drawn)


def test_fewer_drawn_points_are_the_first_of_more():
    few = random_points((LR, DEPTH), samples=3, seed=4)
    assert random_points((LR, DEPTH), samples=9, seed=4)[:3] == few


def test_points_of_grid_and_random_follow_from_the_record():
    grid = sweep_of(LR, DEPTH)
    drawn = sweep_of(LR, DEPTH, sampler=Sampler.RANDOM, samples=4, seed=9)
    assert listed_points(grid) == grid_points((LR, DEPTH))
    assert listed_points(drawn) == random_points((LR, DEPTH), samples=4, seed=9)
    assert listed_points(sweep_of(LR, sampler=Sampler.OPTUNA, samples=4)) is None


@pytest.mark.parametrize(
    ("source", "direction"),
    [
        ("%mlops log acc=0.5 --direction maximize", "maximize"),
        ("for i in x:\n    %mlops log acc=i loss=1 --direction=minimize", "minimize"),
        ("import nbship\nnbship.log(acc=1, direction='maximize')", "maximize"),
        ("nbship.log({'acc': 1}, step=3, direction='minimize')", "minimize"),
        ("%mlops log acc=0.5", ""),
        ("%mlops log accuracy=0.5 --direction maximize", ""),
        ("nbship.log(acc=1, direction=which)", ""),
        ("nbship.log(acc=1, direction='up')", ""),
        ("this is no Python", ""),
    ],
)
def test_the_notebook_says_which_way_its_metric_is_better(source, direction):
    assert declared_direction([source], "acc") == direction


def test_lines_that_disagree_say_nothing():
    lines = [f"%mlops log acc=1 --direction {way}" for way in ("maximize", "minimize")]
    assert declared_direction(lines, "acc") == ""
