"""A second notebook, different from the demo's: plain functions, tables, a closure, arrays."""

import json
import shutil

import pytest

from nbship.records.digest import digest_tree
from support.project import Project

pytestmark = [pytest.mark.full, pytest.mark.kernel, pytest.mark.xdist_group("second")]
SETTINGS = """
trackers = []
experiment = "tariff"
[export]
roots = ["predict"]
package = "tariff"
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(
        tmp_path_factory.mktemp("second"), settings=SETTINGS, notebook="tariff.ipynb"
    )
    project.must("key", "reviewer")
    project.must(
        "submit", "tariff.ipynb", "-p", "parcels=500", "-p", "as_of=2026-02-28"
    )
    project.must("vet", "last")
    project.must("report", "last")
    return project


@pytest.fixture(scope="module")
def bundle(project):
    project.must("approve", "last", "--reason", "prices agree with the invoices")
    project.must("release", "last", "--name", "tariff", "--version", "1.0.0")
    return project.store / "releases" / "tariff" / "1.0.0"


def _copy(bundle, tmp_path):
    return shutil.copytree(bundle, tmp_path / "copy")


def test_a_release_without_an_approval_is_refused(project):
    refused = project.call("release", "last", "--name", "early", "--version", "1.0.0")

    assert refused.returncode == 3
    assert "approval" in refused.stderr
    assert not (project.store / "releases" / "early").exists()


def test_the_bundle_verifies(project, bundle):
    assert "equal" in project.must("verify", bundle)


def test_the_values_that_were_asked_for_are_the_values_that_ran(project, bundle):
    (job,) = project.records("jobs/*/job.json")

    assert job["values"] == {"parcels": 500, "as_of": "2026-02-28"}


def test_what_ships_is_digest_for_digest_what_the_kernel_held(project, bundle):
    (outcome,) = project.records("jobs/*/outcome.json")
    attempt = (
        project.store
        / "jobs"
        / outcome["job_id"]
        / "attempts"
        / str(outcome["attempt"])
    )
    manifest = json.loads((bundle / "manifest.json").read_text())

    assert [root["name"] for root in outcome["roots"]] == ["predict"]
    assert (
        outcome["roots"][0]["digest"]
        == digest_tree(attempt / "roots" / "predict")
        == manifest["capture_digest"]
    )


def test_one_changed_byte_of_any_file_is_named(project, bundle, tmp_path):
    copy = _copy(bundle, tmp_path)
    names = [p.relative_to(copy) for p in copy.rglob("*") if p.is_file()]
    for name in names:
        data = bytearray((copy / name).read_bytes())
        data[len(data) // 2] ^= 1
        (copy / name).write_bytes(data)

    done = project.call("verify", copy)

    assert done.returncode == 1
    said = done.stdout + done.stderr
    # the manifest's own list and the seal are unreadable here too: each is named by itself
    assert [str(name) for name in names if name.name not in said] == []


def test_a_missing_file_is_named(project, bundle, tmp_path):
    copy = _copy(bundle, tmp_path)
    (copy / "requirements.lock").unlink()

    done = project.call("verify", copy)

    assert done.returncode == 1
    assert "requirements.lock" in done.stdout + done.stderr


def test_another_digest_than_the_expected_one_fails(project, bundle):
    done = project.call("verify", bundle, "--expect", "0" * 64)

    assert done.returncode == 1
    assert "0" * 8 in done.stdout + done.stderr


def test_an_approved_verdict_that_was_changed_is_refused_by_release(project, bundle):
    path = max((project.store / "verdicts").glob("*.json"))
    text = path.read_text()
    path.write_text(json.dumps({**json.loads(text), "metrics": {"x": 1}}))
    try:
        refused = project.call(
            "release", "last", "--name", "forged", "--version", "1.0.0"
        )
    finally:
        path.write_text(text)

    assert refused.returncode == 3
    assert not (project.store / "releases" / "forged").exists()


def test_a_job_without_captured_roots_is_refused(tmp_path):
    other = Project(tmp_path, settings="trackers = []\n", notebook="tariff.ipynb")
    other.must("key", "reviewer")
    other.must("submit", "tariff.ipynb")
    other.must("vet", "last")
    other.must("approve", "last", "--reason", "fine")

    refused = other.call("release", "last")

    assert refused.returncode == 3
    assert "roots" in refused.stderr
    assert not (other.store / "releases").exists()
