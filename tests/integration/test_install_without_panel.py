"""Installing a checkout where the npm registry cannot be reached."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv

import pytest

from support.tools import need_tool
from support.wheels import CHECKOUT

pytestmark = pytest.mark.full

LEFT_OUT = shutil.ignore_patterns(
    *(".git", "node_modules", "labextension", ".venv", ".mlops", "demo", "dist"),
    *("__pycache__", ".*_cache", "tests", "site"),
)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of this checkout in which nothing was built."""
    need_tool("npm")  # else Node would come from PyPI, and take long
    copy = tmp_path_factory.mktemp("checkout") / "nbship"
    return shutil.copytree(CHECKOUT, copy, ignore=LEFT_OUT)


@pytest.fixture
def pip(tmp_path, checkout):
    """Call pip for a new environment, the npm registry out of reach."""
    venv.create(tmp_path / "env", symlinks=True)
    python = tmp_path / "env" / "bin" / "python"
    environ = os.environ | {
        "npm_config_registry": "http://127.0.0.1:9/",
        "npm_config_cache": str(tmp_path / "npm"),
    }
    environ.pop("NBSHIP_PANEL", None)

    def pip(*words):
        command = [sys.executable, "-m", "pip", "--python", str(python), *words]
        return subprocess.run(
            command,
            cwd=checkout,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )

    return pip


def installed(folder, pattern):
    return [path.name for path in (folder / "env").glob(pattern)]


@pytest.mark.parametrize("how", [["."], ["--editable", "."]], ids=["plain", "editable"])
def test_it_installs_with_a_warning_and_without_the_panel(pip, tmp_path, how):
    done = pip("install", "--quiet", "--no-deps", *how)
    assert done.returncode == 0, done.stderr
    assert (
        "WARNING: nbship is installed WITHOUT its JupyterLab side panel" in done.stderr
    )
    assert "ECONNREFUSED" in done.stderr
    assert installed(tmp_path, "bin/mlops") == ["mlops"]
    assert installed(tmp_path, "etc/jupyter/*/nbship_lab.json") == ["nbship_lab.json"]
    assert installed(tmp_path, "share/jupyter/labextensions/*") == []


def test_a_wheel_is_never_built_without_the_panel(pip, tmp_path):
    done = pip("wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path / "w"), ".")
    assert done.returncode != 0
    assert "no wheel or sdist is built for others" in done.stderr
    assert not list(tmp_path.glob("w/*.whl"))
