"""Gates that other distributions add, installed for real in a temporary folder."""

import importlib
import sys

import pytest

from nbship.errors import VettingError
from nbship.plugins import all_gates
from nbship.testing import ask_gate, make_dossier, make_notebook
from nbship.vetting.gates import BUILT_IN

GOOD = """
from nbship.records.vetting import Severity
from nbship.vetting.gate import Gate


class NoPrint(Gate):
    code = "ACME1"
    title = "a cell prints"
    severity = Severity.NOTE
    fix = "Show a frame instead."

    def ask(self, dossier):
        for cell in dossier.snapshot.code_cells:
            if "print(" in cell.source:
                yield self.finding("the cell prints", cell_id=cell.id)


ready = NoPrint()
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a distribution `acme-gates` with one module and one entry point."""

    def put(module_text, *, value="acme_gates:NoPrint"):
        info = tmp_path / "acme_gates-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: acme-gates\nVersion: 1.0\n"
        )
        (info / "entry_points.txt").write_text(f"[nbship.gates]\nno-print = {value}\n")
        (tmp_path / "acme_gates.py").write_text(module_text)
        monkeypatch.syspath_prepend(tmp_path)
        importlib.invalidate_caches()

    yield put
    sys.modules.pop("acme_gates", None)


def test_without_plug_ins_there_are_the_built_in_gates():
    assert all_gates(BUILT_IN) == BUILT_IN


@pytest.mark.parametrize("value", ["acme_gates:NoPrint", "acme_gates:ready"])
def test_a_plug_in_gate_joins_the_others_and_is_asked(install, value):
    install(GOOD, value=value)
    *built_in, plugged_in = all_gates(BUILT_IN)
    assert tuple(built_in) == BUILT_IN
    findings = ask_gate(plugged_in, make_dossier(make_notebook("print(1)", "2")))
    assert [(f.code, f.cell_id) for f in findings] == [("ACME1", "cell-0")]


@pytest.mark.parametrize(
    ("module", "value", "problem"),
    [
        ("import nowhere_to_be_found", "acme_gates:x", "ModuleNotFoundError"),
        ("x = 1 / 0", "acme_gates:x", "ZeroDivisionError"),
        (GOOD, "acme_gates:Missing", "AttributeError"),
        ("class X:\n    def __init__(self, a): ...", "acme_gates:X", "TypeError"),
        ("x = object()", "acme_gates:x", "its code is None"),
        (
            GOOD.replace('"ACME1"', '"no code"'),
            "acme_gates:ready",
            "its code is 'no code'",
        ),
        (GOOD.replace('"ACME1"', '"NB205"'), "acme_gates:ready", "belongs to nbship"),
        (GOOD.replace("Severity.NOTE", '"note"'), "acme_gates:ready", "its severity"),
        (
            GOOD.replace("    title", "    _title"),
            "acme_gates:ready",
            "it has no title",
        ),
    ],
)
def test_a_broken_plug_in_is_an_error_that_names_it(install, module, value, problem):
    install(module, value=value)
    with pytest.raises(VettingError) as refused:
        all_gates(BUILT_IN)
    assert refused.value.message.startswith(
        f"plug-in 'no-print' of acme-gates ({value}): "
    )
    assert problem in refused.value.message
    assert refused.value.hint == "Mend or uninstall that plug-in."


def test_ask_gate_holds_a_gate_to_its_code_and_its_cells(install):
    install(GOOD.replace("cell_id=cell.id", 'cell_id="elsewhere"'))
    gate = all_gates(BUILT_IN)[-1]
    with pytest.raises(VettingError, match="'elsewhere', which is no cell"):
        ask_gate(gate, make_dossier(make_notebook("print(1)")))
