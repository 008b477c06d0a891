"""papermill's own tests and nbclient's own notebooks, through the engine as a user gets it.

Both run in an environment of their own, made for this test; nothing but the choice of the
engine is set.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from support.conformance import Environment, make_environment, nbclient_files

pytestmark = [pytest.mark.full, pytest.mark.kernel]

#: without those that need extras or a network: abs, adl, gcs, hdfs
MODULES = (
    "autosave",
    "cli",
    "clientwrap",
    "conf",
    "engines",
    "exceptions",
    "execute",
    "inspect",
    "iorw",
    "parameterize",
    "s3",
    "translators",
    "utils",
)
#: they put a mock in the place of papermill's own client, and look whether it was called
WHITE_BOX = {
    "TestNotebookHelpers::test_start_timeout",
    "TestNotebookHelpers::test_default_start_timeout",
    "TestNBClientEngine::test_nb_convert_engine",
}
_LIMIT_S = 1200


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    return make_environment(tmp_path_factory.mktemp("conformance"))


class Run:
    """papermill's tests, on their way in a process of their own."""

    def __init__(self, environment: Environment, folder: Path, **told: str) -> None:
        folder.mkdir()
        self.report = folder / "report.xml"
        modules = [f"papermill.tests.test_{name}" for name in MODULES]
        own = ("-q", "-p", "no:cacheprovider", f"--junitxml={self.report}")
        self.process = subprocess.Popen(
            [environment.python, "-m", "pytest", *own, "--pyargs", *modules],
            cwd=folder,
            env=environment.variables(**told),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def outcomes(self) -> dict[str, bool]:
        """Wait for the end; tell for each test whether it passed."""
        try:
            said, _ = self.process.communicate(timeout=_LIMIT_S)
        finally:
            self.process.kill()
        assert self.report.is_file(), said
        cases = ET.parse(self.report).iter("testcase")  # noqa: S314  # pytest wrote it
        return {
            f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}": (
                case.find("failure") is None and case.find("error") is None
            )
            for case in cases
        }


def test_papermills_own_tests_fail_in_nothing_that_papermill_passes(
    environment, tmp_path
):
    stock = Run(environment, tmp_path / "stock")
    default = Run(environment, tmp_path / "ours", MLOPS_PAPERMILL_DEFAULT="1")
    by_stock, by_ours = stock.outcomes(), default.outcomes()

    failed = {
        whose: {name for name, is_passed in outcomes.items() if not is_passed}
        for whose, outcomes in (("papermill", by_stock), ("nbship", by_ours))
    }
    for whose, names in failed.items():
        print(f"{whose}: {len(by_stock)} tests, {len(names)} failed", *sorted(names))  # noqa: T201
    assert len(by_stock) > 400
    assert by_ours.keys() == by_stock.keys()
    assert failed["nbship"] <= failed["papermill"] | WHITE_BOX
    assert failed["nbship"] & WHITE_BOX, "the engine was not used"


def test_nbclients_own_notebooks_become_the_same(environment, tmp_path):
    files = nbclient_files(environment, tmp_path)
    script = Path(__file__).with_name("differential.py")
    done = subprocess.run(
        [environment.python, script, files],
        env=environment.variables(),
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)

    for name, made in found.items():
        print(f"{name}: {'same' if _is_same(name, made) else 'different'}")  # noqa: T201
    different = {name: made for name, made in found.items() if not _is_same(name, made)}
    assert len(found) == 23
    assert different == {}


def _is_same(name, made):
    theirs, ours = made["nbclient"], made["nbship"]
    if (
        name == "Autokill"
    ):  # the kernel kills itself; only ours says so in the cell, and
        # how much nbclient hears of the cell before it looks at the process is chance
        ours = {**ours, "outputs": [outputs[:-1] for outputs in ours["outputs"]]}
        told = ("raised", "outputs", "widgets", "language")
        return [theirs[key] for key in told] == [ours[key] for key in told]
    return theirs == ours
