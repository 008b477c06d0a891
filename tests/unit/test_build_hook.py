"""The build hook's decisions: which Node serves, and who may go without the panel."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

HOOK = Path(__file__).parents[2] / "extension" / "hatch_build.py"


@pytest.fixture(scope="module")
def hook():
    spec = importlib.util.spec_from_file_location("hatch_build", HOOK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("version", "serves"),
    [
        ((18, 20), False),
        ((20, 18), False),
        ((20, 19), True),
        ((21, 7), False),
        ((22, 11), False),
        ((22, 12), True),
        ((24, 0), True),
    ],
)
def test_node_serves_from_20_19_on(hook, version, serves):
    assert hook.node_serves(*version) is serves


@pytest.mark.parametrize(
    "line",
    [
        "/venv/bin/python /venv/bin/pip install .",
        "python -m pip install --quiet .[demo]",
        "/usr/bin/python3.12 -I -m pip --cert x install wheel",
        "pip3.11 install git+https://example.org/nbship",
        "uv pip install --python x .",
        "/home/ada/.local/bin/uv sync --no-editable",
    ],
)
def test_installers_may_lack_the_panel(hook, line):
    assert hook.is_installation(line.split())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "python -m pip wheel --no-deps .",
        "pip download .",
        "python -m build --wheel",
        "python -m build --installer uv",
        "uv build --wheel",
        "/usr/bin/hatch build",
        "bash install.sh",
    ],
)
def test_builders_for_others_may_not(hook, line):
    assert not hook.is_installation(line.split())


@pytest.mark.parametrize(("wish", "may"), [("optional", True), ("required", False)])
def test_the_variable_decides_by_hand(hook, monkeypatch, wish, may):
    monkeypatch.setenv("NBSHIP_PANEL", wish)
    assert hook.may_lack_panel("standard") is may


def test_an_editable_build_is_an_installation(hook, monkeypatch):
    monkeypatch.delenv("NBSHIP_PANEL", raising=False)
    assert hook.may_lack_panel("editable")


def test_the_source_digest_follows_names_and_bytes(hook, tmp_path):
    (tmp_path / "src").mkdir()
    source = tmp_path / "src" / "index.ts"
    source.write_bytes(b"a\n")
    digest = hook.source_digest(tmp_path)
    source.write_bytes(b"a\r\n")
    assert hook.source_digest(tmp_path) == digest
    source.write_bytes(b"b\n")
    assert hook.source_digest(tmp_path) != digest


def test_a_panel_as_it_lies_asks_for_no_tool(hook, monkeypatch, tmp_path):
    own = hook.FrontEndHook(str(tmp_path), {}, None, None, str(tmp_path), "wheel")

    monkeypatch.delenv("NBSHIP_PANEL", raising=False)
    assert own.dependencies() != []

    monkeypatch.setenv("NBSHIP_PANEL", "as-is")
    assert own.dependencies() == []
