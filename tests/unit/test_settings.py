"""Settings: default < file < environment < call."""

import pytest

from nbship.errors import SettingsError
from nbship.records.policy import MetricRule
from nbship.records.statements import STATEMENTS, statements_of
from nbship.records.vetting import Waiver
from nbship.settings import find_project, read_settings, setting_fields
from nbship.workflow.project import make_project


def _read(folder, text, environ=None, call=None):
    (folder / "mlops.toml").write_text(text)
    return read_settings(folder, environ=environ or {}, call=call)


def test_each_value_knows_where_it_came_from(tmp_path):
    settings = _read(
        tmp_path,
        'experiment = "a"\ntrackers = []\n[job]\ntimeout_s = 5\n',
        environ={"MLOPS_EXPORT_ROOTS": "predict, model", "MLOPS_JOB_TIMEOUT_S": "7"},
        call={"experiment": "b"},
    )

    assert (
        settings.experiment,
        settings.trackers,
        settings.timeout_s,
        settings.roots,
    ) == (
        "b",
        (),
        7.0,
        ("predict", "model"),
    )
    assert settings.origins == {
        "experiment": "call",
        "trackers": "mlops.toml",
        "job.timeout_s": "MLOPS_JOB_TIMEOUT_S",
        "export.roots": "MLOPS_EXPORT_ROOTS",
    }


def test_policy_tables_become_records(tmp_path):
    settings = _read(
        tmp_path,
        "[vet.metrics]\naccuracy = { minimum = 0.9 }\n"
        '[[vet.waivers]]\ncode = "NB205"\nreason = "r"\nperson = "p"\nexpires_on = 2027-01-31\n',
    )

    assert settings.policy.metrics == (MetricRule(name="accuracy", minimum=0.9),)
    assert settings.policy.waivers == (
        Waiver(code="NB205", reason="r", person="p", expires_on="2027-01-31"),
    )


def test_every_mistake_is_reported_at_once_with_the_nearest_name(tmp_path):
    with pytest.raises(SettingsError) as caught:
        _read(tmp_path, 'experimnt = "a"\n[job]\ntimeout_s = "soon"\n[zoo]\nx = 1\n')

    assert caught.value.message.splitlines() == [
        "mlops.toml: no setting 'experimnt'; did you mean 'experiment'?",
        "mlops.toml: job.timeout_s is 'soon': could not convert string to float: 'soon'",
        "mlops.toml: no setting 'zoo'",
    ]


def test_a_file_that_is_no_toml_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"mlops\.toml: not TOML"):
        _read(tmp_path, "experiment =")


def test_the_nearest_ancestor_with_a_store_or_settings_is_the_project(tmp_path):
    (tmp_path / "outer" / "inner" / "deep").mkdir(parents=True)
    (tmp_path / "outer" / "pyproject.toml").write_text("[tool.mlops]\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")

    assert find_project(tmp_path / "outer" / "inner" / "deep") == tmp_path / "outer"
    (tmp_path / "outer" / "inner" / ".mlops").mkdir()
    assert (
        find_project(tmp_path / "outer" / "inner" / "deep")
        == tmp_path / "outer" / "inner"
    )


@pytest.mark.parametrize("name", ["mlops.toml", "pyproject.toml"])
def test_init_writes_settings_that_can_be_read_and_changes_nothing_twice(
    tmp_path, name
):
    if name == "pyproject.toml":
        (tmp_path / name).write_text('[project]\nname = "x"\n')
    (tmp_path / ".gitignore").write_text("data")

    def write(text, path):
        path.write_text(text)

    make_project(tmp_path, write)
    first = {p.name: p.read_text() for p in tmp_path.iterdir()}
    make_project(tmp_path, write)

    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == first
    assert first[".gitignore"] == "data\n.mlops/\n"
    assert read_settings(tmp_path, environ={}).origins == {}


def test_every_line_that_init_comments_out_is_valid_when_it_is_set(tmp_path):
    make_project(tmp_path, lambda text, path: path.write_text(text))
    lines = (tmp_path / "mlops.toml").read_text().splitlines()[1:]
    uncommented = "\n".join(line.removeprefix("# ") for line in lines)

    settings = _read(tmp_path, uncommented)

    assert set(settings.origins) == set(setting_fields())


def test_what_the_owner_says_is_read_by_key_with_its_commas(tmp_path):
    settings = _read(
        tmp_path,
        "[release]\nwheelhouse = true\n[release.statements]\n"
        'on_call = "fares@example.org, day and night"\nrisks = "none = few"\n',
    )

    said = statements_of(settings.statements)

    assert settings.with_wheelhouse is True
    assert said["on_call"] == "fares@example.org, day and night"
    assert said["risks"] == "none = few"
    assert said["licence"].startswith("MISSING: owner: licence of the model")
    assert list(said) == list(STATEMENTS)


def test_a_statement_that_nobody_asks_for_is_refused_with_the_nearest_one(tmp_path):
    with pytest.raises(SettingsError, match="no statement 'on_cal'; there is on_call"):
        _read(tmp_path, '[release.statements]\non_cal = "Ann"\n')


def test_the_variable_of_the_environment_holds_one_statement(tmp_path):
    environ = {"MLOPS_RELEASE_STATEMENTS": "objectives=99.9 %, 50 ms"}

    settings = _read(tmp_path, "", environ=environ)

    assert settings.statements == ("objectives=99.9 %, 50 ms",)
