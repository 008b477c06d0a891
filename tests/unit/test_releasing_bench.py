"""What the settings of a project hand to a release."""

import json

import pytest

from nbship.adapters.bundles.model_seal import check_model_signature
from nbship.errors import ReleaseError
from nbship.workbench import Workbench
from support.releases import write_model_key


@pytest.fixture
def bench(tmp_path):
    def opened(**release):
        rows = "".join(f"{key} = {json.dumps(v)}\n" for key, v in release.items())
        (tmp_path / "mlops.toml").write_text(f"[release]\n{rows}")
        return Workbench.open(tmp_path)

    return opened


def test_paths_are_those_of_the_project(bench, tmp_path):
    write_model_key(tmp_path / "model.pem")
    record = {
        "id": "PYSEC-1",
        "modified": "2026-11-01T00:00:00Z",
        "affected": [{"package": {"ecosystem": "PyPI", "name": "six"}}],
    }
    (tmp_path / "osv.jsonl").write_text(json.dumps(record))

    opened = bench(model_key="model.pem", advisories="osv.jsonl")

    sealer, snapshot = opened.model_sealer, opened.advisories()
    signature = sealer.sign(b"bundle")
    check_model_signature(b"bundle", signature, public_key=sealer.public_key())
    assert snapshot is not None
    assert snapshot.day == "2026-11-01"


def test_without_settings_there_is_no_snapshot_and_the_sealer_only_checks(bench):
    opened = bench()

    assert opened.advisories() is None
    assert opened.model_sealer.key_path is None


def test_a_snapshot_that_is_not_there_is_named(bench):
    with pytest.raises(ReleaseError, match=r"none\.zip: cannot be read as a snapshot"):
        bench(advisories="none.zip").advisories()
