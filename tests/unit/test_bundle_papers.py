"""The papers of a bundle: the same bytes twice, valid by others' validators, holes shown."""

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from check_wheel_contents.__main__ import main as check_wheel_contents
from click.testing import CliRunner
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from kubernetes_validate import validate as validate_kubernetes

from nbship.adapters.bundles.wheel import WheelBuilder
from nbship.errors import ReleaseError
from nbship.records.digest import digest_file
from nbship.records.statements import STATEMENTS, statements_of
from nbship.release.advisories import Snapshot
from nbship.workflow.bundle_files import regular_files
from support.releases import FakeReplayer, ReleaseCase, ask

#: the newest Kubernetes that the validator has schemas of, and one that is still run
KUBERNETES = ("1.37", "1.30")
LOCK = (
    f"packaging==26.3 \\\n    --hash=sha256:{'a' * 64} \\\n    --hash=sha256:{'b' * 64}\n"
    f"six==1.17.0 \\\n    --hash=sha256:{'c' * 64}\n"
)
DIGEST = "0" * 64
ADVISORY = {
    "id": "PYSEC-2026-7",
    "modified": "2026-11-20T08:00:00Z",
    "aliases": ["CVE-2026-1234"],
    "summary": "six of it",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "Six"},
            "ranges": [
                {
                    "type": "ECOSYSTEM",
                    "events": [{"introduced": "0"}, {"fixed": "1.17.1"}],
                }
            ],
        }
    ],
}
SAID = tuple(f"{key}=we say {key} | <b>\n and more" for key in STATEMENTS)


class LockedBuilder(WheelBuilder):
    """Builds real wheels; its lock is the one above, so that no index is asked."""

    def lock(self, _requirements, **_asked):
        return LOCK


class ServingBuilder(LockedBuilder):
    """Builds wheels with an extra for serving, which needs ``six``."""

    base = LOCK.partition("six==")[0]

    def lock(self, requirements, **_asked):
        return LOCK if "six>=1" in requirements else self.base

    def read(self, wheel):
        files = super().read(wheel)
        name = next(name for name in files if name.endswith("/METADATA"))
        extra = b'\nProvides-Extra: serve\nRequires-Dist: six>=1; extra == "serve"\n\n'
        return files | {name: files[name].replace(b"\n\n", extra, 1)}


def _release(folder, **wish):
    case = ReleaseCase(folder).approve()
    case.sign_models()
    made = case.release(version="1.0.0", builder=LockedBuilder(), wish=wish)
    return Path(made.bundle)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A release about which nobody said anything."""
    return _release(tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A release with everything that its owner can say."""
    return _release(
        tmp_path_factory.mktemp("told"),
        said=statements_of(SAID),
        base_image=f"registry.example/python:3.11-slim@sha256:{DIGEST}",
        advisories=Snapshot(
            digest=DIGEST, dated=ADVISORY["modified"], records=(ADVISORY,)
        ),
    )


def _json(bundle, name):
    return json.loads((bundle / name).read_bytes())


def test_equal_inputs_give_equal_bytes_on_another_path_too(tmp_path):
    case = ReleaseCase(tmp_path / "here").approve()
    case.sign_models()
    made = Path(case.release(version="1.0.0", builder=LockedBuilder()).bundle)
    first = {name: digest_file(path) for name, path in regular_files(made).items()}
    shutil.rmtree(made)
    shutil.copytree(tmp_path / "here", tmp_path / "there" / "deeper")

    again = Path(case.release(version="1.0.0", builder=LockedBuilder()).bundle)
    elsewhere = ReleaseCase.reopen(tmp_path / "there" / "deeper")
    there = Path(elsewhere.release(version="1.0.0", builder=LockedBuilder()).bundle)

    for other in (again, there):
        found = {name: digest_file(path) for name, path in regular_files(other).items()}
        assert found == first


def test_times_are_measured_once_for_a_wheel(tmp_path):
    class Slower(FakeReplayer):
        def inspect(self, wheel, lock, **asked):
            return dataclasses.replace(
                super().inspect(wheel, lock, **asked), latency_p50_ms=99.0
            )

    case = ReleaseCase(tmp_path).approve()
    made = Path(case.release(version="1.0.0").bundle)
    before = (made / "SHA256SUMS").read_bytes()
    shutil.rmtree(made)

    again = Path(case.release(version="1.0.0", replayer=Slower()).bundle)

    assert (again / "SHA256SUMS").read_bytes() == before
    other = Path(case.release(version="1.1.0", replayer=Slower()).bundle)
    assert _json(other, "reports/performance.json")["latency_p50_ms"] == 99.0


def test_the_bill_of_materials_is_valid_cyclonedx_and_holds_the_whole_lock(
    bundle, told
):
    for each in (bundle, told):
        text = (each / "sbom.cdx.json").read_text("utf-8")
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None

    bill = _json(bundle, "sbom.cdx.json")
    kinds = [item["type"] for item in bill["components"]]
    assert kinds == ["machine-learning-model", "data", "library", "library"]
    library = bill["components"][2]
    assert library["purl"] == "pkg:pypi/packaging@26.3"
    assert library["licenses"] == [{"expression": "Apache-2.0 OR BSD-2-Clause"}]
    hashes = library["externalReferences"][0]["hashes"]
    assert [item["content"] for item in hashes] == ["a" * 64, "b" * 64]
    model = bill["components"][0]
    metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert {"type": "accuracy", "value": "0.9837"} in metrics
    assert "useCases" not in model["modelCard"]["considerations"]
    card = _json(told, "sbom.cdx.json")["components"][0]["modelCard"]
    assert card["considerations"]["useCases"][0].startswith("we say intended_use")


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_manifests_are_valid_by_the_official_schemas(bundle, version):
    kinds = []
    for path in sorted((bundle / "deploy" / "kubernetes").glob("*.yaml")):
        document = yaml.safe_load(path.read_text("utf-8"))
        validate_kubernetes(document, version, strict=True)
        kinds.append(document["kind"])

    assert sorted(kinds) == [
        "Deployment",
        "HorizontalPodAutoscaler",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Service",
    ]


def test_manifests_fit_together_and_ask_for_no_rights(bundle):
    manifests = {
        path.stem: yaml.safe_load(path.read_text("utf-8"))
        for path in (bundle / "deploy" / "kubernetes").glob("*.yaml")
    }
    pod = manifests["deployment"]["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    labels = pod["metadata"]["labels"]

    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["readinessProbe"]["httpGet"]["path"] == "/v2/health/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == "/v2/health/live"
    for selector in (
        manifests["service"]["spec"]["selector"],
        manifests["disruptions"]["spec"]["selector"]["matchLabels"],
        manifests["network"]["spec"]["podSelector"]["matchLabels"],
        manifests["deployment"]["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
    assert manifests["autoscaler"]["spec"]["scaleTargetRef"]["name"] == "fares"
    assert manifests["network"]["spec"]["egress"] == []


def test_alerts_are_rules_that_point_to_the_runbook(bundle):
    rules = yaml.safe_load((bundle / "ops/alerts.yaml").read_text("utf-8"))
    (group,) = rules["groups"]

    assert {rule["alert"] for rule in group["rules"]} == {
        "FaresAbsent",
        "FaresErrors",
        "FaresRefusals",
        "FaresSlow",
    }
    assert {rule["annotations"]["runbook"] for rule in group["rules"]} == {
        "ops/RUNBOOK.md"
    }
    assert all('job="fares"' in rule["expr"] for rule in group["rules"])


def test_the_wheel_passes_twine_and_check_wheel_contents(bundle):
    (wheel,) = (bundle / "dist").glob("*.whl")

    twine = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", str(wheel)],
        capture_output=True,
        text=True,
        check=False,
    )
    contents = CliRunner().invoke(check_wheel_contents, [str(wheel)])

    assert twine.returncode == 0, twine.stdout
    assert contents.exit_code == 0, contents.output


def test_model_signings_own_command_verifies_the_bundle_and_sees_a_change(
    bundle, tmp_path
):
    def ask(folder):
        words = ["verify", "key", str(folder), "--signature", str(folder / "model.sig")]
        return subprocess.run(
            [
                *(sys.executable, "-m", "model_signing", *words),
                *("--public_key", str(bundle / "model.sig.pub")),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )

    good = ask(bundle)
    changed = shutil.copytree(bundle, tmp_path / "changed")
    (changed / "src" / "model.py").write_text("import evil\n")
    bad = ask(changed)

    assert good.returncode == 0, good.stderr
    assert "succeeded" in good.stderr + good.stdout
    assert bad.returncode != 0
    assert "src/model.py" in bad.stderr


def test_what_only_the_owner_can_say_is_shown_as_a_hole(bundle):
    for page in ("HANDOFF.md", "MODEL_CARD.md", "ANNEX_IV.md", "deploy/Dockerfile"):
        assert "MISSING: owner" in (bundle / page).read_text("utf-8"), page
    annex = (bundle / "ANNEX_IV.md").read_text("utf-8")
    assert [key for key in STATEMENTS if f"MISSING: owner: {key}" not in annex] == [
        "objectives",
        "licence",
    ]
    report = _json(bundle, "reports/vulnerabilities.json")
    assert report["found"] is None
    assert report["snapshot"].startswith("MISSING: owner")
    dockerfile = (bundle / "deploy/Dockerfile").read_text("utf-8")
    assert "sha256:" not in dockerfile.replace("@sha256:DIGEST", "")
    assert "FROM ${BASE_IMAGE}" in dockerfile


def test_what_the_owner_said_leaves_no_hole_and_breaks_no_table(told):
    for path in (*told.glob("*.md"), *told.glob("ops/*"), *told.glob("deploy/**/*")):
        if path.is_file():
            assert "MISSING: owner:" not in path.read_text("utf-8"), path
    handoff = (told / "HANDOFF.md").read_text("utf-8")
    assert "| on call | we say on_call \\| &lt;b> and more |" in handoff
    assert "Nothing that only the owner can say is missing." in handoff
    yaml.safe_load((told / "ops/alerts.yaml").read_text("utf-8"))


def test_the_image_is_built_from_the_digest_and_runs_as_nobody(told):
    text = (told / "deploy/Dockerfile").read_text("utf-8")

    assert text.count(f"FROM registry.example/python:3.11-slim@sha256:{DIGEST}") == 2
    assert "\nUSER 10001:10001\n" in text
    assert "--require-hashes" in text
    assert re.search(r'ENTRYPOINT \[.*"-m", "fares", "serve"', text)


def test_a_base_image_without_a_digest_is_refused(tmp_path):
    case = ReleaseCase(tmp_path).approve()

    with pytest.raises(ReleaseError, match="NAME:TAG@sha256:DIGEST was expected"):
        case.release(wish={"base_image": "python:3.11-slim"})


def test_known_vulnerabilities_are_named_with_the_day_they_were_known(told):
    report = _json(told, "reports/vulnerabilities.json")

    assert report["snapshot"]["dated"] == "2026-11-20T08:00:00Z"
    assert [(f["id"], f["package"], f["fixed_in"]) for f in report["found"]] == [
        ("PYSEC-2026-7", "six", ["1.17.1"])
    ]
    handoff = (told / "HANDOFF.md").read_text("utf-8")
    assert "1 of the 1 advisories of the snapshot of 2026-11-20 name" in handoff
    pages = "".join(path.read_text("utf-8") for path in told.glob("**/*.md"))
    assert "no vulnerability" not in pages.lower()


def test_licences_are_those_of_the_installed_metadata(bundle):
    report = _json(bundle, "reports/licences.json")

    assert [(item["name"], item["licence"]) for item in report["distributions"]] == [
        ("packaging", "Apache-2.0 OR BSD-2-Clause"),
        ("six", "MIT License"),
    ]
    assert report["model"].startswith("MISSING: owner")


def test_the_statement_leads_from_the_notebook_to_the_wheel(bundle):
    statement = _json(bundle, "provenance/statement.intoto.json")
    manifest = _json(bundle, "manifest.json")
    build = statement["predicate"]["buildDefinition"]
    materials = {item["name"]: item for item in build["resolvedDependencies"]}

    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    built = {item["name"]: item["digest"]["sha256"] for item in statement["subject"]}
    assert built[manifest["wheel"]] == digest_file(bundle / manifest["wheel"])
    assert materials["notebook/input.ipynb"]["digest"] == {
        "sha256": digest_file(bundle / "notebook/input.ipynb")
    }
    assert materials["repository"]["digest"] == {"gitCommit": "0f" * 20}
    assert materials["repository"]["annotations"] == {"uncommitted_changes": True}
    assert build["externalParameters"]["values"] == {"test_size": 0.3}


def test_the_baseline_profiles_what_the_golden_cases_held(bundle):
    baseline = _json(bundle, "baseline/drift.json")

    assert (baseline["source"], baseline["rows"]) == ("golden cases", 24)
    kinds = {name: p["kind"] for name, p in baseline["inputs"].items()}
    assert kinds == {"zone": "category", "km": "number"}
    assert baseline["inputs"]["zone"]["counts"] == {"A": 12, "B": 12}
    assert baseline["outputs"]["price"]["count"] == 24
    assert "24 rows are few" in baseline["remarks"][0]


def test_the_handoff_is_one_page(bundle, told):
    for each in (bundle, told):
        lines = (each / "HANDOFF.md").read_text("utf-8").splitlines()
        assert len(lines) <= 90


def test_the_handoff_shows_the_first_recorded_call_as_a_request(bundle):
    text = (bundle / "HANDOFF.md").read_text("utf-8")
    first = json.loads((bundle / "tests" / "golden.jsonl").read_text().splitlines()[0])

    (line,) = (line for line in text.splitlines() if line.startswith("  -d "))
    call = {**dict(zip(("zone", "km"), first["args"], strict=False)), **first["kwargs"]}
    assert json.loads(line.removeprefix("  -d '").removesuffix("'")) == {
        "instances": [call]
    }


def test_the_changelog_says_what_changed_since_the_release_before(tmp_path):
    class Smaller(LockedBuilder):
        def lock(self, _requirements, **_asked):
            return ServingBuilder.base

    case = ReleaseCase(tmp_path).approve()
    first = Path(case.release(version="1.0.0", builder=Smaller()).bundle)
    case.release(builder=LockedBuilder())

    second = (first.parent / "1.1.0" / "CHANGELOG.md").read_text("utf-8")

    assert (first / "CHANGELOG.md").read_text("utf-8") == (
        "# Changelog\n\n## [1.0.0] - 2026-11-23\n\n### Added\n\n- First release.\n"
    )
    assert second == (
        "# Changelog\n\n## [1.1.0] - 2026-11-23\n"
        f"\nFollows 1.0.0, bundle digest `{digest_file(first / 'SHA256SUMS')}`.\n"
        "\n### Added\n\n"
        "- Requirement six 1.17.0.\n"
        "\n### Changed\n\n"
        "- Answers: the same (24 golden cases, 24 rows).\n"
        "- Captured state and code: the same bytes.\n"
        "\n## [1.0.0] - 2026-11-23\n\n### Added\n\n- First release.\n"
    )
    rollback = (first.parent / "1.1.0" / "ops/ROLLBACK.md").read_text("utf-8")
    assert "Back to 1.0.0 (bundle digest" in rollback


def test_a_server_is_installed_from_a_lock_of_its_own(tmp_path):
    case = ReleaseCase(tmp_path).approve()
    made = Path(case.release(version="1.0.0", builder=ServingBuilder()).bundle)

    dockerfile = (made / "deploy/Dockerfile").read_text("utf-8")
    names = [item["name"] for item in _json(made, "sbom.cdx.json")["components"]]
    found = ask(made)

    assert (made / "requirements.lock").read_text("utf-8") == ServingBuilder.base
    assert (made / "requirements-serve.lock").read_text("utf-8") == LOCK
    assert "--require-hashes -r /bundle/requirements-serve.lock" in dockerfile
    assert names[-2:] == ["packaging", "six"]
    assert found.failures == ()


def test_a_server_that_needs_other_versions_than_were_proven_is_refused(tmp_path):
    class Other(ServingBuilder):
        base = ServingBuilder.base.replace("26.3", "26.2")

    case = ReleaseCase(tmp_path).approve()

    with pytest.raises(ReleaseError, match=r"packaging 26\.3 where requirements\.lock"):
        case.release(builder=Other())
