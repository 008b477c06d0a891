"""The wheel in a new environment, on a machine without Node, git, uv and gcc."""

from __future__ import annotations

import zipfile

import pytest

from nbship import __version__
from support.wheels import CHECKOUT, build_wheel, make_bare_environment

pytestmark = pytest.mark.full

DEMO_PACKAGES = ("matplotlib", "palmerpenguins", "pandas", "scikit-learn")
LOAD_MAGICS = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "nbship")
print(sorted(name for name in shell.magics_manager.magics["line"] if name == "mlops"))
"""
FIND_ENGINE = """
from papermill.engines import papermill_engines
papermill_engines.register_entry_points()
print(papermill_engines.get_engine("nbship").__name__)
"""
FIND_TEMPLATES = """
from nbship.resources import template_folder
print(*(template_folder(n) for n in ("report", "package", "deploy")), sep="\\n")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def bare(tmp_path_factory, wheel):
    return make_bare_environment(
        tmp_path_factory.mktemp("bare"), str(wheel), *DEMO_PACKAGES
    )


def test_the_wheel_holds_the_panel_its_server_and_the_templates(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    data = f"nbship-{__version__}.data/data"
    lab = f"{data}/share/jupyter/labextensions/nbship-lab"
    assert f"{lab}/package.json" in names
    assert f"{lab}/install.json" in names
    assert f"{lab}/schemas/nbship-lab/panel.json" in names
    assert any(name.startswith(f"{lab}/static/remoteEntry.") for name in names)
    assert f"{data}/etc/jupyter/jupyter_server_config.d/nbship_lab.json" in names
    assert any(name.startswith("nbship/_templates/report/") for name in names)
    assert not [name for name in names if "node_modules" in name or ".map" in name]


def test_the_command_lists_its_verbs(bare):
    assert "usage: mlops VERB" in bare.must("mlops", "--help")


def test_the_magics_load(bare):
    assert "['mlops']" in bare.must("python", "-c", LOAD_MAGICS)


def test_papermill_finds_the_engine(bare):
    assert "NbshipEngine" in bare.must("python", "-W", "ignore", "-c", FIND_ENGINE)


def test_nbconvert_finds_the_exporter(bare):
    find = (
        "from nbconvert.exporters import get_exporter as g; print(g('nbship-report'))"
    )
    assert "ReportExporter" in bare.must("python", "-c", find)


def test_the_templates_come_from_the_package(bare):
    found = bare.must("python", "-c", FIND_TEMPLATES).split()
    assert len(found) == 3
    assert all("site-packages/nbship/_templates" in line for line in found)


def test_jupyterlab_lists_the_panel(bare):
    listed = bare.must("jupyter", "labextension", "list")
    (line,) = (line for line in listed.splitlines() if "nbship-lab" in line)
    assert "enabled" in line
    assert "OK" in line


def test_the_server_lists_the_extension(bare):
    listed = bare.must("jupyter", "server", "extension", "list")
    assert "nbship_lab" in listed
    assert "OK" in listed[listed.index("Validating nbship_lab") :]


def test_the_demo_walks_its_path_from_the_wheel(bare, tmp_path):
    demo = str(CHECKOUT / "binder" / "demo.py")

    said = bare.must("python", demo, str(tmp_path / "project"), cwd=tmp_path)

    assert "Where things lie:" in said
    assert ": verified, digest" in said
    assert (
        len(list((tmp_path / "project" / ".mlops" / "releases").glob("*/*/SHA256SUMS")))
        == 1
    )
