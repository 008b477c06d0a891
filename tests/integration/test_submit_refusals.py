"""Bad input, a read-only store and a full disk: one clear message, and nothing changed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from support.notebook_files import tree, write_notebook
from support.project import Project
from support.tools import need_namespaces

PARAMETERS = "lr: float = 0.1\ndepth: int = 3"


@pytest.fixture
def project(tmp_path):
    project = Project(tmp_path / "project", settings="trackers = []\n")
    write_notebook(project.folder / "good.ipynb", "1", parameters=PARAMETERS)
    write_notebook(project.folder / "bare.ipynb", "1")
    write_notebook(project.folder / "tag.ipynb", "1", tags={1: ["mlops:nosie"]})
    write_notebook(project.folder / "kernel.ipynb", "1", kernel="no-such-kernel")
    (project.folder / "text.ipynb").write_text("print('no notebook')")
    (project.folder / "broken.ipynb").write_text('{"nbformat": 4')
    return project


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["text.ipynb"], 3, "text.ipynb: not a notebook: not JSON"),
        (["broken.ipynb"], 3, "broken.ipynb: not a notebook: not JSON"),
        (["missing.ipynb"], 3, "missing.ipynb: cannot be read"),
        (["kernel.ipynb"], 3, "no kernel 'no-such-kernel' is installed; there are: "),
        (["tag.ipynb"], 3, "cell c1 has the unknown tag 'mlops:nosie'"),
        (["good.ipynb", "--kernel", "nope"], 3, "no kernel 'nope' is installed"),
        (["good.ipynb", "-p", "dpeth=3"], 3, "did you mean 'depth'?"),
        (["good.ipynb", "-p", "lr=fast"], 3, "lr = fast: a number was expected"),
        (["good.ipynb", "-p", "lr"], 3, "name=value was expected"),
        (["bare.ipynb", "-p", "lr=1"], 3, "no cell is tagged 'parameters'"),
        (["good.ipynb", "--timeout-s", "soon"], 2, "invalid float value"),
    ],
)
def test_bad_input_gives_one_message_and_changes_nothing(project, words, code, said):
    before = tree(project.folder)

    done = project.call("submit", *words)

    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert done.stderr.count("hint: ") == 1
    assert "Traceback" not in done.stderr
    assert tree(project.folder) == before
    assert not project.store.exists()


def test_several_mistakes_are_told_at_once(project):
    done = project.call("submit", "good.ipynb", "-p", "dpeth=3", "-p", "lr=fast")

    assert "no parameter 'dpeth'" in done.stderr
    assert "lr = fast" in done.stderr


IN_NAMESPACE = """
set -e
mount -t tmpfs -o size={size} tmpfs "$1"
{prepare}
shift
exec "$@"
"""


def in_namespace(project, *, size, prepare, words):
    """Run a verb where the store is a small file system of its own; print what it holds."""
    need_namespaces()
    project.store.mkdir()
    listing = f"; code=$?; find {project.store} -type f; exit $code"
    command = [sys.executable, "-m", "nbship.faces.cli", *words]
    shown = " ".join(command) + listing
    script = IN_NAMESPACE.format(size=size, prepare=prepare)
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", project.store, "sh", "-c", shown],
        cwd=project.folder,
        env=project.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.full
@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        ('mount -o remount,ro "$1"', "Read-only file system"),
        ('dd if=/dev/zero of="$1/filler" bs=4096 2>/dev/null || true', "No space left"),
    ],
)
def test_a_store_that_takes_nothing_gives_one_message_and_no_file(
    project, prepare, reason
):
    done = in_namespace(
        project, size="64k", prepare=prepare, words=["submit", "good.ipynb"]
    )

    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("StoreError: ")
    assert reason in done.stderr
    assert done.stderr.count("hint: ") == 1
    assert "Traceback" not in done.stderr
    files = [line for line in done.stdout.split() if not line.endswith("filler")]
    assert files == []


@pytest.mark.full
@pytest.mark.kernel
@pytest.mark.parametrize(("size", "code"), [("128k", 3), ("400k", 1)])
def test_a_disk_that_fills_before_or_in_a_job_is_named_and_leaves_whole_files(
    project, size, code
):
    big = (
        "for i in range(400):\n    print('x' * 1000)\n    __import__('time').sleep(.01)"
    )
    write_notebook(project.folder / "good.ipynb", big, parameters=PARAMETERS)

    done = in_namespace(
        project, size=size, prepare="true", words=["submit", "good.ipynb"]
    )

    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert "No space left" in (done.stderr if code == 3 else done.stdout)
    names = {line.rsplit("/", 1)[-1] for line in done.stdout.split() if "/" in line}
    assert not any(name.startswith(".") and "lock" not in name for name in names)
    assert ("outcome.json" in names) == (code == 1)
