"""What init and config say, and when a store made on the spot is told."""

import subprocess

from nbship.faces.cli import main


def test_init_makes_a_project_and_does_not_say_that_there_is_none(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)

    assert main(["init"]) == 0

    said = capsys.readouterr()
    assert (said.out, said.err) == (
        "mlops.toml: written\n.gitignore: added .mlops/\n",
        "",
    )


def test_a_store_made_on_the_spot_is_told_once(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert main(["runs"]) == 0
    assert main(["runs"]) == 0

    assert capsys.readouterr().err.count("no project found") == 1


def test_config_writes_whole_values_in_narrow_lines(tmp_path, monkeypatch, capsys):
    (tmp_path / "mlops.toml").write_text(
        '[vet.metrics]\nr2 = { minimum = 0.3, direction = "maximize" }\n'
    )
    monkeypatch.chdir(tmp_path)

    assert main(["config"]) == 0

    text = capsys.readouterr().out
    assert "vet.metrics = name=r2 minimum=0.3" in text
    assert "(mlops.toml)\n    what each metric must reach\n" in text


def test_bash_is_offered_verbs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main(["completion", "bash"])
    script = capsys.readouterr().out

    done = subprocess.run(
        ["bash", "-n"], input=script, text=True, capture_output=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert main(["complete", "--", "su"]) == 0
    assert capsys.readouterr().out == "submit\n"
