"""Search spaces: from ``-p`` texts to domains, and from domains to points."""

from __future__ import annotations

import difflib
import itertools
import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbship.errors import ParameterError, UnknownParameterError
from nbship.jobs.domains import read_domain, value_at
from nbship.records.digest import canonical_json
from nbship.records.sweep import Sampler

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nbship.records.domains import Domain
    from nbship.records.parameters import ParameterContract
    from nbship.records.sweep import Sweep

#: a grid of more points is taken for a mistake
POINTS_AT_MOST = 10_000
#: draws for each point that is wanted, where most are twins
_DRAWS_AT_MOST = 100
MAXIMIZE, MINIMIZE = "maximize", "minimize"
_DIRECTIONS = {
    "max": MAXIMIZE,
    "maximize": MAXIMIZE,
    "min": MINIMIZE,
    "minimize": MINIMIZE,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """What a person says about a sweep, beside its space."""

    sampler: Sampler = Sampler.GRID
    #: number of points; None where nothing was said
    samples: int | None = None
    metric: str = ""
    direction: str = ""
    is_pruning: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """What each parameter is set to."""

    #: parameters that differ from job to job, in the order they were given
    swept: tuple[Domain, ...]
    #: values of those that do not
    fixed: Mapping[str, Any]


def read_space(
    contract: ParameterContract, texts: Mapping[str, str], *, ask: Ask, where: str
) -> Space:
    """Read and check everything that was said; all mistakes are told together.

    Parameters
    ----------
    contract
        What the notebook declares.
    texts
        Text of each domain, by parameter.
    ask
        What else was said.
    where
        The notebook, for messages.

    Raises
    ------
    UnknownParameterError
        If a name is not declared.
    ParameterError
        If a text is no domain of its parameter, a required parameter is left out, or the
        words do not go together.
    """
    known = {parameter.name: parameter for parameter in contract.parameters}
    unknown = [_unknown(name, known) for name in texts if name not in known]
    mistakes = list(unknown)
    domains: list[Domain] = []
    for name in texts:
        if name in known:
            try:
                domains.append(read_domain(known[name], texts[name]))
            except ParameterError as error:
                mistakes.append(error.message)
    mistakes += [
        f"{parameter.name}: a value is required"
        for parameter in contract.parameters
        if parameter.is_required and parameter.name not in texts
    ]
    space = _space(domains)
    mistakes += _mistakes_of(space, ask, is_whole=len(domains) == len(texts))
    if mistakes:
        kind = UnknownParameterError if unknown else ParameterError
        raise kind(
            f"{where}: " + "\n".join(mistakes),
            hint="`mlops params NOTEBOOK` shows what the notebook takes;"
            " `mlops sweep --help` how a space is written.",
        )
    return space


class ListedSearch:
    """Takes points in their order and learns nothing.

    Parameters
    ----------
    points
        Every point, from number 1 on.
    """

    def __init__(self, points: Sequence[Mapping[str, Any]]) -> None:
        self._points = points

    def ask(self, number: int) -> Mapping[str, Any] | None:
        """Return the point of that number, from 1; None where there are no more."""
        return self._points[number - 1] if number <= len(self._points) else None

    def begin(self, number: int, values: Mapping[str, Any]) -> None:
        """Take note of nothing."""

    def report(self, number: int, *, step: int, value: float) -> bool:  # noqa: ARG002
        """Let every job go on."""
        return False

    def tell(self, number: int, value: float | None, *, is_pruned: bool) -> None:
        """Take note of nothing."""


def listed_points(sweep: Sweep) -> list[dict[str, Any]] | None:
    """List the points of a grid or of a random sweep; None where each depends on earlier ones."""
    if sweep.sampler is Sampler.GRID:
        return grid_points(sweep.space)
    if sweep.sampler is Sampler.RANDOM:
        return random_points(sweep.space, samples=sweep.samples, seed=sweep.seed)
    return None


def direction_of(text: str) -> str:
    """Return ``maximize`` or ``minimize`` for what was written, "" for anything else."""
    return _DIRECTIONS.get(text, "")


def grid_points(space: Sequence[Domain]) -> list[dict[str, Any]]:
    """List every point of a finite space; the last parameter changes fastest."""
    names = [domain.name for domain in space]
    products = itertools.product(*(domain.values for domain in space))
    return [dict(zip(names, values, strict=True)) for values in products]


def random_points(
    space: Sequence[Domain], *, samples: int, seed: int
) -> list[dict[str, Any]]:
    """Draw points at random, none of them twice; equal seeds draw equal points.

    Parameters
    ----------
    space
        Domains; each share of a range is as likely as any other.
    samples
        How many; a finite space with fewer points is listed as a whole, shuffled.
    seed
        Any whole number.
    """
    # not numpy's: the standard library keeps `random()` and `shuffle` the same for a seed
    generator = random.Random(seed)  # noqa: S311  # draws a search, no secret
    count = size_of(space)
    if count is not None and count <= max(2 * samples, 64):
        points = grid_points(space)
        generator.shuffle(points)
        return points[:samples]
    drawn: dict[str, dict[str, Any]] = {}
    for _ in range(_DRAWS_AT_MOST * samples):
        if len(drawn) == samples:
            break
        point = {d.name: value_at(d, generator.random()) for d in space}
        drawn.setdefault(canonical_json(point), point)
    return list(drawn.values())


def size_of(space: Sequence[Domain]) -> int | None:
    """Count the points of a space; None where it has no end."""
    sizes = [_count(domain) for domain in space]
    finite = [size for size in sizes if size is not None]
    return math.prod(finite) if len(finite) == len(sizes) else None


def _count(domain: Domain) -> int | None:
    if domain.is_finite:
        return len(domain.values)
    if domain.is_whole:
        return int(domain.high or 0) - int(domain.low or 0) + 1
    return None


def _unknown(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return f"no parameter {name!r}{meant}"


def _space(domains: Sequence[Domain]) -> Space:
    fixed = {d.name: d.values[0] for d in domains if len(d.values) == 1}
    swept = tuple(domain for domain in domains if domain.name not in fixed)
    return Space(swept=swept, fixed=fixed)


def _mistakes_of(space: Space, ask: Ask, *, is_whole: bool) -> Iterator[str]:
    if is_whole and not space.swept:
        yield "nothing is swept: give a parameter several values, such as -p lr=0.1,0.01"
    if ask.sampler is Sampler.GRID:
        yield from _grid_mistakes(space, ask)
    elif ask.samples is None:
        yield f"--sampler {ask.sampler}: --samples says how many jobs"
    elif ask.samples < 1:
        yield f"--samples {ask.samples}: at least 1 was expected"
    learns = ask.sampler is Sampler.OPTUNA or ask.is_pruning
    why = "--prune" if ask.is_pruning else f"--sampler {ask.sampler}"
    if learns and not ask.metric:
        yield f"{why}: --metric says which metric is compared"
    elif learns and not ask.direction:
        yield (
            f"{why}: nothing says which way {ask.metric} is better; add --direction max or min"
        )


def _grid_mistakes(space: Space, ask: Ask) -> Iterator[str]:
    if ask.samples is not None:
        yield "--samples: a grid takes every point; add --sampler random to draw some"
    for domain in space.swept:
        if not domain.is_finite:
            yield (
                f"{domain.name} = {domain.text}: a grid needs listed values, such as"
                f" {domain.text}:x5; or add --sampler random"
            )
    count = size_of(space.swept)
    if count is not None and count > POINTS_AT_MOST:
        yield f"the grid has {count} points; at most {POINTS_AT_MOST} are planned"
