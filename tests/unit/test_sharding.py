"""Parts of a tree: equal on every machine, whole together, about equal in duration."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbship.errors import UsageError
from nbship.jobs.sharding import Shard, names_of_shard, read_shard

NAMES = st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=20)


@given(
    NAMES,
    st.dictionaries(st.text(min_size=1, max_size=8), st.floats(0.1, 1e4)),
    st.integers(1, 6),
)
def test_the_parts_are_the_whole_each_notebook_once(names, durations, count):
    parts = [
        names_of_shard(names, durations, Shard(index=i + 1, count=count))
        for i in range(count)
    ]

    assert sorted(name for part in parts for name in part) == sorted(names)


def test_the_longest_goes_where_least_is_to_do():
    durations = {"a": 100.0, "b": 60.0, "c": 50.0, "d": 1.0}

    parts = [
        names_of_shard(tuple("abcd"), durations, Shard(index=i, count=2))
        for i in (1, 2)
    ]

    assert parts == [("a", "d"), ("b", "c")]


def test_an_unknown_notebook_counts_as_the_median():
    durations = {"a": 10.0, "b": 30.0, "c": 20.0}

    parts = [
        names_of_shard(("a", "b", "c", "new"), durations, Shard(index=i, count=2))
        for i in (1, 2)
    ]

    assert parts == [("a", "b"), ("c", "new")]


def test_a_part_is_read():
    assert read_shard("2/4") == Shard(index=2, count=4)
    assert str(Shard(index=2, count=4)) == "2/4"


@pytest.mark.parametrize("text", ["0/4", "5/4", "2", "a/b", "2/0", ""])
def test_what_is_no_part_is_refused(text):
    with pytest.raises(UsageError, match="a part such as 2/4 was expected"):
        read_shard(text)
