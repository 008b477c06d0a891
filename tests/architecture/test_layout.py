"""The limits and promises of the design that no linter holds."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import nbship

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    path
    for folder in ("kernel_magics", "extension/nbship_lab", "templates")
    for path in (ROOT / folder).rglob("*.py")
]
TYPESCRIPT = [
    *(ROOT / "extension" / "src").rglob("*.ts"),
    *(ROOT / "extension" / "src").rglob("*.tsx"),
]
#: every name that `import nbship` offers; a new one is a decision
PUBLIC_NAMES = [
    "NbshipError",
    "__version__",
    "golden",
    "load_ipython_extension",
    "log",
    "resource",
    "unload_ipython_extension",
]
HEAVY = {
    "mlflow",
    "wandb",
    "papermill",
    "pandas",
    "numpy",
    "nbconvert",
    "IPython",
    "sklearn",
    "pyarrow",
}


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_module_is_at_most_350_lines(path):
    assert len(path.read_text("utf-8").splitlines()) <= 350


@pytest.mark.parametrize("path", TYPESCRIPT, ids=_name)
def test_a_typescript_file_is_at_most_300_lines(path):
    assert len(path.read_text("utf-8").splitlines()) <= 300


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_function_has_at_most_40_lines_below_its_docstring(path):
    too_long = [
        f"{node.name}: {_body_lines(node)}"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and _body_lines(node) > 40
    ]

    assert too_long == []


def _body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = (
        node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
    )
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_module_has_a_name_of_the_design(path):
    assert path.stem not in {
        "utils",
        "util",
        "helpers",
        "common",
        "manager",
        "base",
        "misc",
    }


def test_the_source_roots_are_folders_and_no_packages():
    assert not (ROOT / "kernel_magics" / "__init__.py").exists()
    assert not (ROOT / "extension" / "__init__.py").exists()


def test_the_public_names_are_those_that_were_decided():
    assert sorted(nbship.__all__) == sorted(PUBLIC_NAMES)
    for name in PUBLIC_NAMES:
        assert getattr(nbship, name)


def test_importing_nbship_loads_nothing_heavy():
    code = (
        "import sys, nbship; print(*{name.partition('.')[0] for name in sys.modules})"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert HEAVY & set(loaded.stdout.split()) == set()


def test_the_version_stands_in_one_place():
    project = (ROOT / "pyproject.toml").read_text("utf-8")

    assert 'dynamic = ["version"]' in project
    assert f'version = "{nbship.__version__}"' not in project


def test_no_file_names_a_machine_or_a_registry_host():
    words = ("/work/", "/root/", "pythonhosted", "pypi.org/simple")
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    guilty = [
        f"{name}: {word}"
        for name in tracked
        if name.endswith(
            (".py", ".md", ".toml", ".ts", ".tsx", ".ipynb", ".sh", ".json", ".j2")
        )
        and name != "tests/architecture/test_layout.py"
        for word in words
        if word in (ROOT / name).read_text("utf-8")
    ]

    assert guilty == []


def test_what_the_demo_and_the_pages_need_is_in_version_control():
    needed = [
        *(ROOT / "binder" / "demo").iterdir(),
        *(ROOT / "docs").glob("*.md"),
        *SOURCES,
    ]

    ignored = subprocess.run(
        ["git", "check-ignore", "--stdin"],
        input="\n".join(str(path) for path in needed if path.is_file()),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()

    assert [name for name in ignored if "__pycache__" not in name] == []
