"""The form of a notebook: its fields, what it answers, and how submit takes its values."""

from __future__ import annotations

import argparse

import pytest

from nbship.errors import UsageError
from nbship.jobs.contract import read_parameters
from nbship.records.parameters import ParameterContract
from nbship.verbs.params import given_texts
from nbship.widgets.parameter_form import form_answer, form_fields, make_form

SOURCE = """
class Mode(Enum):
    FAST = 1
    SLOW = 2
lr: Annotated[float, Gt(0)] = 0.1  # learning rate
wait: float = 2.0  # [s] pause
seed: int
how: Literal["mean", "a b"] | None = None
mode: Mode = Mode.FAST
flag = True
name: str = "x"
"""
CONTRACT = ParameterContract(cell_id="p", parameters=read_parameters(SOURCE))


def test_each_parameter_has_a_field():
    fields = {field["name"]: field for field in form_fields(CONTRACT)}

    assert fields["lr"] == {
        "name": "lr",
        "type": "float",
        "default": "0.1",
        "required": False,
        "unit": "",
        "about": "learning rate; above 0",
        "choices": [],
        "numeric": True,
    }
    assert (fields["wait"]["unit"], fields["wait"]["about"]) == ("s", "pause")
    assert (fields["seed"]["required"], fields["seed"]["default"]) == (True, "")
    assert fields["how"]["choices"] == ["mean", "a b", "None"]
    assert fields["mode"]["choices"] == ["FAST", "SLOW"]
    assert (fields["flag"]["type"], fields["flag"]["choices"]) == (
        "bool (inferred)",
        ["true", "false"],
    )


def test_the_form_answers_with_mistakes_and_the_line():
    texts = {"lr": "-1", "how": "a b"}

    assert form_answer(CONTRACT, texts, notebook="n.ipynb") == {
        "mistakes": {"lr": "above 0 was expected"},
        "missing": ["seed"],
        "command": "%mlops submit n.ipynb -p lr=-1 -p 'how=a b'",
    }


def taken(notebook: str, *values: str, form: bool = True) -> dict[str, str]:
    return given_texts(argparse.Namespace(values=list(values), form=form), notebook)


def test_submit_takes_the_values_of_the_form_and_the_line_counts_before_them(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    form = make_form(CONTRACT, "n.ipynb")
    form.texts = {"lr": "0.5", "seed": "x"}

    assert form.answer["mistakes"] == {"seed": "a whole number was expected"}
    assert taken("./n.ipynb", "seed=3") == {"lr": "0.5", "seed": "3"}
    assert taken("n.ipynb", "lr=1", form=False) == {"lr": "1"}


def test_a_form_that_was_not_shown_gives_no_values(tmp_path):
    with pytest.raises(UsageError, match="no form was shown"):
        taken(str(tmp_path / "other.ipynb"))
