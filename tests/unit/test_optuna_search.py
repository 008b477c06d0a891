"""Optuna chooses points, learns from what they gave, and says which jobs fall behind."""

from __future__ import annotations

import builtins

import pytest

from nbship.adapters.samplers.optuna import OptunaSearch
from nbship.errors import JobError
from nbship.jobs.sweeps import ListedSearch, grid_points
from nbship.records.domains import Domain
from nbship.records.sweep import Sampler
from support.sweep_case import DEPTH, HOW, LR, sweep_of

WIDE = Domain(name="lr", text="1e-4..1:log", low=1e-4, high=1.0, is_log=True)
MANY = Domain(
    name="n", text="1..5000:log", low=1, high=5000, is_log=True, is_whole=True
)
STEPS = Domain(name="s", text="0..1:0.1", values=tuple(i / 10 for i in range(11)), low=0.0, high=1.0, step=0.1)  # fmt: skip
TEXTS = Domain(name="t", text="[1],None", values=([1], None))


def search(*space, samples=20, listed=None, begun=0, **more):
    sweep = sweep_of(*space, sampler=Sampler.OPTUNA, samples=samples, seed=5, **more)
    return OptunaSearch(sweep, direction=sweep.direction, listed=listed, begun=begun)


def score(values):
    return 1 - (values["depth"] - 4) ** 2 / 9 - abs(values["lr"] - 0.01)


def test_points_lie_in_the_space_and_keep_their_types():
    found = search(WIDE, MANY, STEPS, TEXTS, DEPTH, HOW)
    for number in range(1, 21):
        point = found.ask(number)
        assert 1e-4 <= point["lr"] <= 1
        assert type(point["n"]) is int
        assert 1 <= point["n"] <= 5000
        assert point["s"] in STEPS.values
        assert point["t"] in TEXTS.values
        assert type(point["depth"]) is int
        assert point["depth"] in DEPTH.values
        found.tell(number, 0.5)
    assert found.ask(21) is None


def test_it_learns_where_the_metric_is_better():
    found = search(WIDE, DEPTH, samples=40)
    scores = []
    for number in range(1, 41):
        point = found.ask(number)
        scores.append(score(point))
        found.tell(number, scores[-1])
    assert sum(scores[20:]) > sum(scores[:20])


def test_a_study_is_made_again_from_its_points():
    first = search(LR, DEPTH)
    points = {number: first.ask(number) for number in range(1, 13)}
    for number, point in points.items():
        first.tell(number, score(point))

    again = search(LR, DEPTH, begun=12)
    for number, point in points.items():
        again.begin(number, point)
        again.tell(number, score(point))

    told = [
        [(t.params, t.value) for t in study._study.get_trials()]
        for study in (first, again)
    ]
    assert told[0] == told[1]
    assert again.ask(13).keys() == {"lr", "depth"}


def test_equal_seeds_choose_equal_points():
    chosen = []
    for _ in range(2):
        found = search(WIDE, DEPTH)
        points = []
        for number in range(1, 16):
            points.append(found.ask(number))
            found.tell(number, score(points[-1]))
        chosen.append(points)
    assert chosen[0] == chosen[1]


def test_a_job_behind_the_median_is_pruned_and_a_better_one_is_not():
    listed = grid_points((LR, DEPTH))
    found = search(LR, DEPTH, listed=listed, is_pruning=True)
    for number in range(1, 7):
        assert found.ask(number) == listed[number - 1]
        reports = [found.report(number, step=s, value=0.1 * number + s) for s in (1, 2)]
        assert reports == [False, False]
        found.tell(number, 0.1 * number + 2)
    found.ask(7)
    assert found.report(7, step=1, value=0.2)
    found.tell(7, None, is_pruned=True)
    found.ask(8)
    assert not found.report(8, step=1, value=1.9)
    found.tell(8, float("nan"))
    found.ask(9)
    found.tell(9, None)
    states = [trial.state.name for trial in found._study.get_trials()]
    assert states == ["COMPLETE"] * 6 + ["PRUNED", "FAIL", "FAIL"]


def test_smaller_is_better_where_the_sweep_says_so():
    listed = grid_points((LR, DEPTH))
    found = search(LR, DEPTH, listed=listed, is_pruning=True, direction="minimize")
    for number in range(1, 7):
        found.ask(number)
        found.report(number, step=1, value=0.5)
        found.tell(number, 0.5)
    found.ask(7)
    assert found.report(7, step=1, value=0.9)
    found.ask(8)
    assert not found.report(8, step=1, value=0.1)


def test_without_optuna_it_says_what_to_install(monkeypatch):
    plain = builtins.__import__

    def without(name, *rest, **more):
        if name.partition(".")[0] == "optuna":
            raise ModuleNotFoundError("No module named 'optuna'")
        return plain(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(JobError) as caught:
        search(LR)
    assert "Optuna is not installed" in caught.value.message
    assert "pip install 'nbship[optuna]'" in caught.value.hint


def test_nothing_is_told_on_stderr(capfd):
    search(LR).ask(1)
    assert capfd.readouterr() == ("", "")


def test_a_list_is_taken_in_its_order():
    listed = ListedSearch(grid_points((HOW,)))
    assert [listed.ask(n) for n in (1, 2, 3)] == [{"how": "mean"}, {"how": "max"}, None]
    assert not listed.report(1, step=1, value=-5.0)
