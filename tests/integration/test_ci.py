"""``mlops ci`` over a tree of notebooks, with real kernels: what it says, writes and leaves out."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET  # what nbship wrote

import pytest

from support.notebook_files import write_notebook
from support.project import Project

pytestmark = pytest.mark.kernel

COUNT = (
    "from pathlib import Path\nwith open('{}.ran', 'a') as file:\n    file.write('x')"
)


@pytest.fixture
def project(tmp_path):
    project = Project(
        tmp_path / "project",
        settings='trackers = []\n[ci]\nexclude = ["drafts/*"]\n',
    )
    tree = project.folder / "nb"
    (tree / "deep").mkdir(parents=True)
    (tree / "drafts").mkdir()
    (tree / ".ipynb_checkpoints").mkdir()
    (project.folder / "drafts").mkdir()
    write_notebook(tree / "good.ipynb", COUNT.format("good"), "print(6 * 7)")
    write_notebook(
        tree / "deep" / "reads.ipynb",
        COUNT.format("reads"),
        "print(open('d.csv').read())",
        parameters="n: int = 2",
    )
    (tree / "deep" / "d.csv").write_text("1")
    for left_out in (tree / ".ipynb_checkpoints", project.folder / "drafts"):
        write_notebook(left_out / "left.ipynb", "1 / 0")
    project.environ |= {"GITHUB_ACTIONS": "", "GITHUB_STEP_SUMMARY": ""}
    return project


def ran(project):
    return {p.stem: len(p.read_text()) for p in sorted(project.folder.rglob("*.ran"))}


def test_a_tree_is_executed_once_and_again_only_where_it_changed(project):
    first = project.must("ci", "--workers", "2")

    assert first.splitlines()[-1].startswith("2 notebooks: 2 passed in ")
    assert ran(project) == {"good": 1, "reads": 1}

    second = project.must("ci", "--workers", "2")
    assert second.splitlines()[-1].startswith("2 notebooks: 2 passed, 2 unchanged in ")
    assert ran(project) == {"good": 1, "reads": 1}

    (project.folder / "nb" / "deep" / "d.csv").write_text("2")
    third = project.must("ci", "nb")
    assert "1 unchanged" in third
    assert ran(project) == {"good": 1, "reads": 2}

    project.must("ci", "nb/good.ipynb", "--all")
    assert ran(project) == {"good": 2, "reads": 2}


def test_what_fails_is_told_in_every_form(project):
    tree = project.folder / "nb"
    write_notebook(tree / "bad.ipynb", "print('before')", "1 / 0", "3")
    write_notebook(tree / "blocked.ipynb", "key = 'AKIA' + 'Q' * 4\n!pip install nothing-at-all", tags={1: ["skip-execution"]})  # fmt: skip
    write_notebook(tree / "refused.ipynb", "1", parameters="rate: float")
    project.environ |= {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(project.folder / "step.md"),
    }
    files = ("--junit", "j.xml", "--sarif", "s.json", "--code-quality", "q.json")
    more = ("--summary", "s.md", "--executed", "done")

    done = project.call("ci", "nb", *files, *more)

    assert done.returncode == 1, done.stderr
    assert "::error file=nb/bad.ipynb,line=" in done.stdout
    last = done.stdout.splitlines()[-1]
    assert last.startswith("5 notebooks: ")
    assert "2 passed" in last
    assert "1 failed" in last
    assert "1 blocked" in last
    assert "1 refused" in last
    root = ET.parse(project.folder / "j.xml").getroot()  # noqa: S314
    suites = {suite.get("name"): suite for suite in root}
    bad = {c.get("name"): c for c in suites["nb/bad.ipynb"].iter("testcase")}
    assert bad["cell 1: print('before')"].find("failure") is None
    assert "ZeroDivisionError" in bad["cell 2: 1 / 0"].find("failure").text
    assert bad["cell 3: 3"].find("skipped") is not None
    assert suites["nb/refused.ipynb"].get("errors") == "1"
    codes = {
        result["ruleId"]
        for result in json.loads((project.folder / "s.json").read_text())["runs"][0][
            "results"
        ]
    }
    assert {"NBSHIP-CI", "NB203", "NB209"} <= codes
    quality = json.loads((project.folder / "q.json").read_text())
    assert {entry["location"]["path"] for entry in quality} >= {
        "nb/bad.ipynb",
        "nb/blocked.ipynb",
        "nb/refused.ipynb",
    }
    assert (project.folder / "s.md").read_text() == (
        project.folder / "step.md"
    ).read_text()
    executed = json.loads((project.folder / "done/nb/bad.ipynb").read_text())
    assert "ZeroDivisionError" in json.dumps(executed)


def test_shards_share_by_recorded_durations_and_are_the_whole(project):
    project.must("ci", "nb")
    durations = json.loads((project.store / "ci-durations.json").read_text())
    assert sorted(durations) == ["nb/deep/reads.ipynb", "nb/good.ipynb"]
    (project.folder / "given.json").write_text(
        json.dumps({"nb/good.ipynb": 9.0, "nb/deep/reads.ipynb": 1.0})
    )

    parts = [
        json.loads(
            project.must(
                "ci", "nb", "--shard", f"{i}/2", "--durations", "given.json", "--json"
            )
        )
        for i in (1, 2)
    ]

    assert [[n["path"] for n in part["notebooks"]] for part in parts] == [
        ["nb/good.ipynb"],
        ["nb/deep/reads.ipynb"],
    ]


def test_a_notebook_that_only_knows_papermill_needs_nothing_of_ours(tmp_path):
    project = Project(tmp_path / "plain")
    (project.folder / "mlops.toml").unlink()
    project.environ |= {"MLOPS_TRACKERS": "", "GITHUB_ACTIONS": ""}
    write_notebook(
        project.folder / "in.ipynb", "print(alpha * 2)", parameters="alpha = 0.5"
    )

    text = project.must("ci", "in.ipynb")

    assert text.splitlines()[-1].startswith("1 notebook: 1 passed in ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ci", "nowhere"), "a notebook or a folder was expected"),
        (("ci", "nb", "--shard", "3/2"), "a part such as 2/4 was expected"),
        (("ci", "nb", "--durations", "no.json", "--shard", "1/2"), "no record"),
    ],
)
def test_what_is_not_there_is_refused(project, words, said):
    done = project.call(*words)

    assert done.returncode in {2, 3}
    assert said in done.stderr + done.stdout
    assert ran(project) == {}
