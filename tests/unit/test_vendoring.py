"""Modules beside the notebook: taken along, their imports of each other relative."""

from __future__ import annotations

import importlib
import json
import sys

import pytest

from nbship.errors import ExportError
from nbship.release.vendoring import LocalFile, vendored
from support.executed import ExecutedNotebook, replay

LOCAL = {"shop", "units"}


def find(files):
    return lambda name: (
        LocalFile(name=name, text=files[name], is_package=name == "shop")
        if name in files
        else None
    )


def texts(files, *names):
    found = vendored(
        names, is_local=lambda n: n in LOCAL, find_source=find(files), loaded={}
    )
    return {file.name: file.text for file in found.files}, found


IMPORTS = [
    ("units", "import units\n", "from . import units\n"),
    ("units", "import units as u, os\n", "from . import units as u; import os\n"),
    ("units", "from units import (a,\n    b)\n", "from .units import (a,\n    b)\n"),
    ("shop.tax", "import units\n", "from .. import units\n"),
    (
        "shop.tax",
        "def f():\n    import shop.rates as r; return r\n",
        "def f():\n    from ..shop import rates as r; return r\n",
    ),
    (
        "shop.tax",
        "import shop.rates\n",
        "from .. import shop; from ..shop import rates as _shop_rates\n",
    ),
    ("shop", "from shop.tax import t\n", "from ..shop.tax import t\n"),
    ("shop.tax", "from . import rates\n", "from . import rates\n"),
    ("shop.tax", "é = 1; from units import a\n", "é = 1; from ..units import a\n"),
]


@pytest.mark.parametrize(("name", "before", "after"), IMPORTS)
def test_imports_of_local_modules_become_relative(name, before, after):
    files = {"shop": "", "shop.rates": "", "shop.tax": "", "units": "", name: before}

    found, _ = texts(files, name)

    assert found[name] == after


def test_what_a_module_imports_is_taken_and_named():
    files = {
        "shop": "",
        "shop.tax": "from . import rates\nimport numpy.linalg\nfrom units import metre\n",
        "shop.rates": "import json\n",
        "units": "metre = 1\n",
        "shop.unused": "x = 1\n",
    }

    found, all_of_it = texts(files, "shop.tax")

    assert sorted(found) == ["shop", "shop.rates", "shop.tax", "units"]
    assert {"numpy.linalg", "json"} <= set(all_of_it.modules)
    assert [f.file for f in all_of_it.files][:2] == [
        "_local/shop/__init__.py",
        "_local/shop/rates.py",
    ]


def test_a_secret_in_a_module_is_refused():
    files = {"units": f"KEY = 'ghp_{'a' * 36}'\n"}

    with pytest.raises(ExportError, match="holds what looks like a secret"):
        texts(files, "units")


@pytest.fixture
def local(tmp_path, monkeypatch):
    """A folder on the path, whose modules are forgotten afterwards."""
    folder = tmp_path / "beside"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if name.startswith("beside_"):
            del sys.modules[name]


def test_a_package_beside_the_notebook_answers_the_same_elsewhere(tmp_path, local):
    package = local / "beside_shop"
    package.mkdir()
    (package / "__init__.py").write_text("from beside_shop.rates import RATE\n")
    (package / "rates.py").write_text(
        "from beside_units import metre\nRATE = metre(3)\n"
    )
    (local / "beside_units.py").write_text("def metre(x):\n    return x * 0.3048\n")
    notebook = ExecutedNotebook(
        "import beside_shop\nimport beside_shop.rates as rates\nfrom beside_units import metre\n",
        "def predict(x):\n    return beside_shop.RATE * x + rates.RATE + metre(x)\n",
        "predict(2)",
    )

    record = notebook.capture(tmp_path / "capture")
    found = replay(tmp_path / "capture", tmp_path / "fresh")

    assert found["differences"] == []
    assert [module.name for module in record.local_modules] == [
        "beside_shop",
        "beside_shop.rates",
        "beside_units",
    ]
    assert not {"beside_shop", "beside_units"} & set(found["modules"])
    assert record.requirements == {}


def test_a_module_that_was_edited_after_its_import_is_refused(tmp_path, local):
    (local / "beside_rate.py").write_text("def rate(x):\n    return x * 2\n")
    notebook = ExecutedNotebook(
        "from beside_rate import rate\n",
        "def predict(x):\n    return rate(x)\n",
        "predict(2)",
    )
    (local / "beside_rate.py").write_text("def rate(x):\n    return x * 3\n")

    with pytest.raises(ExportError, match="the file was edited since"):
        notebook.capture(tmp_path / "capture")


def test_what_a_capture_says_of_its_modules_is_in_its_record(tmp_path, local):
    (local / "beside_one.py").write_text("def one(x):\n    return x\n")
    importlib.invalidate_caches()
    notebook = ExecutedNotebook(
        "from beside_one import one\ndef predict(x):\n    return one(x)\n", "predict(2)"
    )
    notebook.capture(tmp_path / "capture")

    record = json.loads((tmp_path / "capture" / "capture.json").read_text())

    (module,) = record["local_modules"]
    assert (module["name"], module["file"]) == ("beside_one", "_local/beside_one.py")
