"""`mlops vet` after `mlops submit`, with a real kernel and the real ruff."""

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET  # what we wrote ourselves

import pytest

from support.project import Project

GATES = Path(__file__).resolve().parents[1] / "notebooks" / "gates"
SETTINGS = """
trackers = []
[vet]
skip = ["NB102"]
[vet.metrics.spread]
maximum = 2.0
direction = "minimize"
"""
WAIVED = """
[[vet.waivers]]
code = "NB205"
reason = "drawn for a plot alone"
person = "ada"
expires_on = 2099-01-01
"""
GOOD = """
import numpy as np
%load_ext nbship
%mlops start spread
values = np.random.default_rng(seed).normal(size=rows)
%mlops log spread=values.std()
"""


def notebook(path, *sources):
    cells = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {"tags": ["parameters"]} if number == 0 else {},
            "source": source.strip(),
            "execution_count": None,
            "outputs": [],
        }
        for number, source in enumerate(("rows = 20\nseed = 7", *sources))
    ]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": spec, "language_info": {"name": "python"}}
    document = {
        "cells": cells,
        "metadata": metadata,
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(document, indent=1))


@pytest.mark.kernel
def test_a_good_job_passes_and_an_unseeded_one_is_blocked_until_it_is_waived(tmp_path):
    project = Project(tmp_path, settings=SETTINGS)
    notebook(tmp_path / "good.ipynb", GOOD)
    project.must("submit", "good.ipynb")
    assert project.must("vet", "last").startswith("PASSED  good.ipynb")

    notebook(tmp_path / "bad.ipynb", GOOD.replace("rng(seed)", "rng()"))
    project.must("submit", "bad.ipynb")
    blocked = project.call("vet", "last", "--junit", "j.xml", "--sarif", "s.json")
    assert blocked.returncode == 1, blocked.stderr
    assert "NB205   `default_rng` makes a generator without a seed" in blocked.stdout
    suite = ET.fromstring((tmp_path / "j.xml").read_text())[0]  # noqa: S314
    assert suite.get("failures") == "1"
    [run] = json.loads((tmp_path / "s.json").read_text())["runs"]
    assert "NB205" in {result["ruleId"] for result in run["results"]}

    (tmp_path / "mlops.toml").write_text(SETTINGS + WAIVED)
    verdict = json.loads(project.must("vet", "last", "--json"))
    assert verdict["passed"]
    assert {f["code"] for f in verdict["findings"] if f["waiver"]} == {"NB205"}
    assert len(project.records("verdicts/*.json")) == 3


@pytest.mark.kernel
def test_a_failed_job_is_blocked_with_its_cause_and_its_cell(tmp_path):
    project = Project(tmp_path, settings="trackers = []\n")
    shutil.copy(GATES / "NB106-undefined-name.ipynb", tmp_path / "n.ipynb")
    assert project.call("submit", "n.ipynb").returncode == 1
    done = project.call("vet", "last", "--json")
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)["findings"]
    assert [(f["code"], f["cell_id"]) for f in found if f["severity"] == "blocker"] == [
        ("NB203", "scale"),
        ("NB106", "scale"),
        ("NB106", "scale"),
    ]
    assert "NameError" in found[0]["message"]


def test_the_gates_are_listed_with_their_codes(tmp_path):
    rows = json.loads(Project(tmp_path).must("gates", "--json"))
    assert {
        "code": "NB501",
        "severity": "blocker",
        "title": "a secret lies open",
    } in rows
