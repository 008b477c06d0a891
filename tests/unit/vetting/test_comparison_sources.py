"""What the code of a notebook says about its outputs."""

from __future__ import annotations

import pytest

from nbship.vetting.comparison.sources import (
    clock_cells,
    dependents,
    names_of,
    reads_clock,
    reads_process,
)


@pytest.mark.parametrize(
    "source",
    [
        "t = time.time()",
        "from time import time\nt = time()",
        "%%time\nfit()",
        "%timeit fit()",
        "begun = perf_counter()",
        "print(datetime.now())",
        "for x in tqdm(items): pass",
    ],
)
def test_clocks_are_seen(source):
    assert reads_clock(source)


@pytest.mark.parametrize("source", ["runtime = 3", "x.time_of_day", "half_time(3)"])
def test_other_times_are_none(source):
    assert not reads_clock(source)


def test_processes_are_seen():
    assert reads_process("print(os.getpid())")
    assert reads_process("print(id(x))")
    assert not reads_process("grid(x)\nvalid = 3")


def test_what_was_read_from_a_clock_is_followed_through_names_and_sums():
    sources = [
        "t = time.time()",
        "rows = 3",
        "d = t - 1",
        "print(d)",
        "d = 2",
        "print(d)",
    ]
    assert clock_cells(sources) == (True, False, True, True, False, False)


def test_what_rests_on_a_cell_is_followed_through_names_methods_and_items():
    sources = [
        "x = draw()",
        "import numpy as np\nrows = 3",
        "model.fit(x)",
        "table['y'] = model.predict(rows)",
        "print(table)",
        "print(rows)",
        "x = 2",
        "print(x)",
    ]
    assert dependents(sources, [0]) == {2: 0, 3: 0, 4: 0}


def test_a_cell_that_is_no_python_has_no_names():
    assert names_of("%%bash\nls").loads == frozenset()
