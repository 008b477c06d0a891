"""What all tests share."""

import os

import pytest

from support.tools import need_module

# jobs of tests start no process that locks the whole environment; tests of locks ask for it
os.environ.setdefault("MLOPS_JOB_LOCK", "on-demand")


@pytest.hookimpl(tryfirst=True)  # before fixtures are made
def pytest_runtest_setup(item):
    """Let tests marked ``torch`` go on where it is installed; else skip, under CI fail."""
    if item.get_closest_marker("torch") is not None:
        need_module("torch")
