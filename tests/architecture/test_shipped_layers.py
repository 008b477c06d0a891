"""What ships inside exported packages has layers of its own, which import-linter cannot see."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "templates" / "package"
#: folder -> folders that it may import from; modules beside them know no folder, but one
BELOW = {
    "parity": set(),
    "inputs": {"parity"},
    "answering": {"inputs", "parity"},
    "batch": {"answering", "inputs", "parity"},
    "serving": {"answering", "batch", "inputs", "parity"},
}
#: the command, which knows them all
COMMAND = "__main__.py"
#: what only the extra ``serve`` installs
EXTRA = {"httptools", "msgspec", "uvicorn", "uvloop"}


def _imports(path):
    """Return the parts of this package, and the foreign modules, that a module imports."""
    own, foreign = set(), set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            is_deep = path.parent != PACKAGE
            outside = node.level == (2 if is_deep else 1)
            names = [node.module] if node.module else [a.name for a in node.names]
            own |= {name.partition(".")[0] for name in names} if outside else set()
        elif isinstance(node, ast.ImportFrom):
            foreign.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.Import):
            foreign |= {alias.name.partition(".")[0] for alias in node.names}
    return own & BELOW.keys(), foreign


def test_each_folder_has_a_place():
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}

    assert folders == BELOW.keys()


@pytest.mark.parametrize("folder", BELOW)
def test_a_folder_imports_only_what_lies_below_it(folder):
    found = {
        f"{path.name}: {name}"
        for path in (PACKAGE / folder).glob("*.py")
        for name in _imports(path)[0] - BELOW[folder]
    }

    assert found == set()


def test_what_reads_state_and_values_knows_no_folder():
    found = {
        f"{path.name}: {name}"
        for path in PACKAGE.glob("*.py")
        if path.name != COMMAND
        for name in _imports(path)[0]
    }

    assert found == set()


def test_only_the_server_needs_what_the_extra_installs():
    found = {
        f"{path.relative_to(PACKAGE)}: {name}"
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "serving"
        for name in _imports(path)[1] & EXTRA
    }

    assert found == set()
