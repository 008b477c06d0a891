"""Tests of the routes need pytest-jupyter, which must not meet Playwright in one process.

They run by ``python -m pytest -p pytest_jupyter.jupyter_server tests/lab/server``; every other
invocation passes them by.
"""

from __future__ import annotations


def pytest_ignore_collect(config):
    plugin = "pytest_jupyter.jupyter_server"
    return None if config.pluginmanager.hasplugin(plugin) else True
