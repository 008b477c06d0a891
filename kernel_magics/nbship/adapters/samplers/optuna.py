"""Optuna: points that learn from earlier ones, and the median rule that ends jobs early.

The study lives in memory: the store knows every point and what came of it, so a study is made
again from those, and no database of Optuna's is kept.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from typing import TYPE_CHECKING, Any

from nbship.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nbship.records.domains import Domain
    from nbship.records.sweep import Sweep


class OptunaSearch:
    """A study of one sweep.

    Parameters
    ----------
    sweep
        Its space, its direction and its seed.
    direction
        ``maximize`` or ``minimize``.
    listed
        Points that are taken in their order; None where Optuna chooses.
    begun
        Number of points that stand already: a study that goes on draws anew.

    Raises
    ------
    JobError
        If Optuna is not installed.
    """

    def __init__(
        self,
        sweep: Sweep,
        *,
        direction: str,
        listed: Sequence[Mapping[str, Any]] | None = None,
        begun: int = 0,
    ) -> None:
        check_installed()
        self._samples = sweep.samples
        self._axes = [_Axis(domain) for domain in sweep.space]
        self._listed = listed
        self._trials: dict[int, Any] = {}
        self._study = _study(
            direction, seed=sweep.seed + begun, is_pruning=sweep.is_pruning
        )

    def ask(self, number: int) -> Mapping[str, Any] | None:
        """Choose the point of that number, from 1; None where there are no more."""
        if self._listed is not None:
            if number > len(self._listed):
                return None
            self.begin(number, self._listed[number - 1])
            return self._listed[number - 1]
        if number > self._samples:
            return None
        trial = self._ask(number)
        return {
            axis.name: axis.value_of(trial.params[axis.name]) for axis in self._axes
        }

    def begin(self, number: int, values: Mapping[str, Any]) -> None:
        """Take note of a point that was chosen already."""
        params = {axis.name: axis.param_of(values[axis.name]) for axis in self._axes}
        self._study.enqueue_trial(params)
        self._ask(number)

    def report(self, number: int, *, step: int, value: float) -> bool:
        """Take note of a running job's metric; True where the job falls behind."""
        trial = self._trials[number]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a step that is reported twice
            trial.report(value, step)
        return bool(trial.should_prune())

    def tell(
        self, number: int, value: float | None, *, is_pruned: bool = False
    ) -> None:
        """Take note of what a job gave; None where it gave nothing to compare."""
        from optuna.trial import TrialState

        trial = self._trials[number]
        if is_pruned:
            self._study.tell(trial, state=TrialState.PRUNED)
        elif value is None or not math.isfinite(value):
            self._study.tell(trial, state=TrialState.FAIL)
        else:
            self._study.tell(trial, value)

    def _ask(self, number: int) -> Any:  # noqa: ANN401  # a Trial
        distributions = {axis.name: axis.distribution for axis in self._axes}
        self._trials[number] = self._study.ask(distributions)
        return self._trials[number]


class _Axis:
    """One parameter as Optuna sees it: a number, or the place of a listed value."""

    def __init__(self, domain: Domain) -> None:
        from optuna import distributions

        self.name = domain.name
        self._values: tuple[Any, ...] = ()
        low, high = domain.low or 0, domain.high or 0
        is_every = domain.is_range and domain.step in {None, 1}
        self.distribution: distributions.BaseDistribution
        if domain.is_whole and is_every and _is_whole_range(domain):
            self.distribution = distributions.IntDistribution(
                int(low), int(high), log=domain.is_log
            )
        elif domain.is_finite:
            self._values, last = domain.values, len(domain.values) - 1
            self.distribution = (
                distributions.IntDistribution(0, last)
                if domain.is_range
                else distributions.CategoricalDistribution(range(last + 1))
            )
        else:
            self.distribution = distributions.FloatDistribution(
                low, high, log=domain.is_log
            )

    def value_of(self, param: Any) -> Any:  # noqa: ANN401  # a JSON value
        """Return the parameter's value for what Optuna chose."""
        return self._values[param] if self._values else param

    def param_of(self, value: Any) -> Any:  # noqa: ANN401  # a JSON value
        """Return what Optuna would have chosen for a value."""
        return self._values.index(value) if self._values else value


def _is_whole_range(domain: Domain) -> bool:
    """Tell whether every whole number from end to end is meant, not a few of them."""
    count = int(domain.high or 0) - int(domain.low or 0) + 1
    return not domain.values or len(domain.values) == count


def check_installed() -> None:
    """Make sure that Optuna is there.

    Raises
    ------
    JobError
        If it is not.
    """
    try:
        import optuna  # noqa: F401  # looks whether it is there
    except ImportError as error:
        raise JobError(
            f"Optuna is not installed in this environment: {error}",
            hint="Install it: `pip install 'nbship[optuna]'`.",
        ) from error


def _study(direction: str, *, seed: int, is_pruning: bool) -> Any:  # noqa: ANN401
    import optuna

    with warnings.catch_warnings(), _silence():
        # several points are under way at once: an experimental word of Optuna's
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        pruners = optuna.pruners
        pruner = pruners.MedianPruner() if is_pruning else pruners.NopPruner()
        return optuna.create_study(direction=direction, sampler=sampler, pruner=pruner)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep Optuna from telling on stderr that a study was made."""
    from optuna import logging

    level = logging.get_verbosity()
    logging.set_verbosity(logging.WARNING)
    try:
        yield
    finally:
        logging.set_verbosity(level)
