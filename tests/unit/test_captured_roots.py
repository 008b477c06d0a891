"""What the kernel leaves of a root is found again by its name."""

import dataclasses

import pytest

from nbship.adapters.store.files import FileStore
from nbship.faces.roots import capture_roots
from nbship.records.job import CapturedRoot
from nbship.testing import make_dossier, make_notebook
from nbship.workflow.attempts import captured_roots


@pytest.mark.parametrize("name", ["predict", "größe"])
def test_a_refusal_is_read_where_the_kernel_wrote_it(tmp_path, name):
    job = dataclasses.replace(
        make_dossier(make_notebook("1"), lint=()).job, roots=(name,)
    )

    capture_roots([name], tmp_path / "roots")

    assert captured_roots(FileStore(tmp_path), job, tmp_path / "roots") == (
        CapturedRoot(
            name=name,
            digest="",
            refusal=f"the notebook has no {name!r}",
            hint=f"Run the cell that makes {name}.",
        ),
    )
