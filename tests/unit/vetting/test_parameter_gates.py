"""The gates of parameters read what the contract knows."""

from __future__ import annotations

from nbship.testing import make_cell, make_dossier, make_notebook
from nbship.vetting.gates.parameters import HasParametersCell, ParametersAreUsed

SOURCE = """
class Mode(Enum):
    FAST = 1
Layers = list[int]
mode: Mode = Mode.FAST
layers: Layers = [64]
wait: timedelta = timedelta(hours=1)
late = compute()
unused: int = 3
"""


def test_aliases_and_enum_members_are_no_objection():
    notebook = make_notebook(
        make_cell(SOURCE, tags=["parameters"]), "print(mode, layers, wait, late)"
    )
    dossier = make_dossier(notebook, lint=())

    assert [f.message for f in HasParametersCell().ask(dossier)] == [
        "the default of `late` is no literal"
    ]
    (finding,) = ParametersAreUsed().ask(dossier)
    assert "`unused`" in finding.message
