"""The one parser: verbs, words and exit codes."""

import json
import shlex
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbship.errors import UsageError
from nbship.faces.cli import main
from nbship.verbs.answer import Context
from nbship.verbs.completing import complete
from nbship.verbs.parser import (
    all_verbs,
    find_verb,
    overview,
    run_words,
    split_line,
    verb_parser,
)
from nbship.workbench import Workbench


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "mlops.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_overview_names_every_verb_that_people_call():
    text = overview()

    assert [
        v.name for v in all_verbs().values() if not v.is_internal and v.name not in text
    ] == []
    assert [
        stage
        for stage in ("Setup", "Design", "Test", "Production")
        if f"{stage}:" not in text
    ] == []


@pytest.mark.parametrize("name", sorted(all_verbs()))
def test_every_verb_has_help_and_answers_as_json(name):
    parser = verb_parser(find_verb(name))

    assert "--json" in parser.format_help()
    assert find_verb(name).stage in {"Setup", "Design", "Test", "Production"}


@pytest.mark.parametrize("name", sorted(all_verbs()))
def test_every_verb_shows_its_help(project, name):
    answer, _ = run_words([name, "--help"], Context(workbench=Workbench.open(project)))

    assert answer.text.startswith(f"usage: mlops {name}")


def test_an_unknown_verb_gets_its_nearest_name(project, capsys):
    assert main(["confg"]) == 2
    assert (
        capsys.readouterr().err
        == "UsageError: mlops: no verb 'confg'\nhint: Did you mean 'config'?\n"
    )


def test_an_unknown_word_is_a_usage_error(project, capsys):
    assert main(["config", "--wrong"]) == 2
    assert "unrecognized arguments: --wrong" in capsys.readouterr().err


def test_a_wrong_setting_is_refused_with_its_nearest_name(project, capsys):
    (project / "mlops.toml").write_text("trakers = []\n")

    assert main(["config", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["message"] == (
        "mlops.toml: no setting 'trakers'; did you mean 'trackers'?"
    )


def test_config_answers_as_json_with_origins(project, capsys):
    (project / "mlops.toml").write_text('experiment = "churn"\n')

    assert main(["config", "--json"]) == 0
    rows = {row["key"]: row for row in json.loads(capsys.readouterr().out)["settings"]}
    assert (rows["experiment"]["value"], rows["experiment"]["from"]) == (
        "churn",
        "mlops.toml",
    )
    assert rows["trackers"]["from"] == "default"


def test_an_unclosed_quotation_is_a_usage_error():
    with pytest.raises(UsageError, match="No closing quotation"):
        split_line('note "half')


@given(st.lists(st.text(min_size=1)))
def test_words_survive_quoting(words):
    assert split_line(shlex.join(words)) == words


def test_completion_proposes_verbs_options_and_choices():
    assert complete(["comp"]) == ["completion"]
    assert complete(["completion", "z"]) == ["zsh"]
    assert complete(["config", "--j"]) == ["--json"]
    assert complete(["nothing", ""]) == []


def test_the_bash_script_completes_in_a_real_shell(project):
    script = subprocess.run(
        [sys.executable, "-m", "nbship.faces.cli", "completion", "bash"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    mlops = f'mlops() {{ {shlex.quote(sys.executable)} -m nbship.faces.cli "$@"; }}'
    ask = 'COMP_LINE="mlops comp"; COMP_POINT=10; _mlops; echo "${COMPREPLY[@]}"'

    shell = subprocess.run(
        ["bash", "-c", f"{mlops}\n{script}\n{ask}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert shell.stdout.split() == ["completion"]
