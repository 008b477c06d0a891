"""What a fork server imports ahead."""

import pytest

from nbship.adapters.kernels.forkserver.preloading import Preloads


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("numpy.linalg", True),
        ("torch", True),
        ("torch._dynamo", False),  # begun again in a kernel, it would register twice
        ("jax", False),
        ("jax.numpy", False),
    ],
)
def test_libraries_that_register_while_they_are_imported_come_whole_or_not(name, may):
    preloads = object.__new__(Preloads)
    preloads.banned = {"jax"}
    preloads._installed = dict.fromkeys(("numpy", "torch", "jax"), True)

    assert preloads.is_allowed(name) is may
