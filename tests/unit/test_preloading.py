"""What a fork server imports ahead."""

import pytest

from nbship.adapters.kernels.forkserver.preloading import Preloads


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("numpy.linalg", True),
        ("torch._dynamo", True),
        ("jax", False),
        ("jax.numpy", False),
    ],
)
def test_what_may_be_imported_ahead(name, may):
    preloads = object.__new__(Preloads)
    preloads.banned = {"jax"}
    preloads._installed = dict.fromkeys(("numpy", "torch", "jax"), True)

    assert preloads.is_allowed(name) is may
