"""Code beside a notebook is found by reading, however it is imported."""

import pytest

from nbship.adapters.probes.code_files import find_code_files
from nbship.records.capsule import LocalModule
from nbship.records.digest import digest_bytes


def _write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _paths(project, *sources, folder="nb", **options):
    place = project / folder
    place.mkdir(exist_ok=True)
    found = find_code_files(sources, folder=place, project=project, **options)
    return [module.path for module, _ in found]


def test_a_module_is_told_with_its_bytes_and_its_folder(tmp_path):
    _write(tmp_path, {"nb/helper.py": "x = 1\n"})

    ((module, data),) = find_code_files(
        ["import helper"], folder=tmp_path / "nb", project=tmp_path
    )

    assert data == b"x = 1\n"
    assert module == LocalModule(
        path="nb/helper.py",
        copy="nb/helper.py",
        root="nb",
        digest=digest_bytes(b"x = 1\n"),
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import helper", ["nb/deep.py", "nb/helper.py"]),
        ("from helper import x", ["nb/deep.py", "nb/helper.py"]),
        ("if 1:\n    import helper as h", ["nb/deep.py", "nb/helper.py"]),
        ("%load_ext helper", ["nb/deep.py", "nb/helper.py"]),
        ("%run helper.py", ["nb/deep.py", "nb/helper.py"]),
        ("%run -i 'helper.py' --x 3", ["nb/deep.py", "nb/helper.py"]),
        ("import importlib; importlib.import_module('deep')", ["nb/deep.py", "nb/helper.py"]),
        ("import pack.part", ["nb/pack/__init__.py", "nb/pack/other.py", "nb/pack/part.py"]),
        ("from pack import part", ["nb/pack/__init__.py", "nb/pack/other.py", "nb/pack/part.py"]),
        ("import space.inner", ["nb/deep.py", "nb/helper.py", "nb/space/inner.py"]),
        ("from space import inner", ["nb/deep.py", "nb/helper.py", "nb/space/inner.py"]),
        ("import numpy, json, missing", []),
        ("# import helper", []),
        ("!python helper.py", []),
    ],
)  # fmt: skip
def test_imports_are_followed(tmp_path, source, expected):
    _write(
        tmp_path,
        {
            "nb/helper.py": "import deep\n",
            "nb/deep.py": "import helper\n",
            "nb/pack/__init__.py": "",
            "nb/pack/part.py": "from . import other\n",
            "nb/pack/other.py": "",
            "nb/space/inner.py": "import deep\n",
            "nb/unused.py": "",
        },
    )

    assert _paths(tmp_path, source) == expected


@pytest.mark.parametrize(
    "line",
    [
        "sys.path.append('../src')",
        "sys.path.insert(0, '../src')",
        "sys.path.append(os.path.join('..', 'src'))",
        "sys.path.extend(['../lib', '../src'])",
        "sys.path.append(str(Path('..') / 'src'))",
    ],
)
def test_folders_that_the_notebook_puts_on_the_path_are_searched(tmp_path, line):
    _write(tmp_path, {"src/helper.py": ""})

    assert _paths(tmp_path, line, "import helper") == ["src/helper.py"]


def test_relative_imports_lead_to_siblings_of_a_package_too_large_to_take(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("nbship.adapters.probes.code_files._MOST_FILES", 2)
    _write(
        tmp_path,
        {
            "nb/pack/__init__.py": "",
            "nb/pack/a/deep.py": "from .. import b\nfrom ..c import d\n",
            "nb/pack/a/__init__.py": "",
            "nb/pack/b.py": "",
            "nb/pack/c/d.py": "",
            "nb/pack/unused.py": "",
        },
    )

    assert _paths(tmp_path, "import pack.a.deep") == [
        "nb/pack/__init__.py",
        "nb/pack/a/__init__.py",
        "nb/pack/a/deep.py",
        "nb/pack/b.py",
        "nb/pack/c/d.py",
    ]


def test_code_outside_of_the_project_has_a_place_of_its_own(tmp_path):
    _write(tmp_path, {"elsewhere/helper.py": "x = 1\n"})
    project = tmp_path / "project"
    project.mkdir()
    outside = str(tmp_path / "elsewhere")

    ((module, _),) = find_code_files(
        ["import helper"], folder=project, project=project, more=[outside]
    )

    assert module.path == f"{outside}/helper.py"
    assert module.copy == f"{module.root}/helper.py"
    assert module.root.startswith(".outside/")
    locked = _paths(project, "import helper", more=[outside], locked=[outside])
    assert locked == []


def test_what_is_no_python_is_copied_and_not_read(tmp_path):
    _write(tmp_path, {"nb/helper.py": "import (\n"})

    assert _paths(tmp_path, "import helper") == ["nb/helper.py"]
