"""Everything that is changed in a bundle is named; here without a real replay."""

import dataclasses
import json
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbship.adapters.bundles.ssh_keys import create_key
from nbship.adapters.bundles.wheel import read_wheel, zip_bytes
from nbship.errors import VerificationError
from nbship.monitor.baselines import baseline_of
from nbship.records.baseline import TRAINING
from nbship.records.codec import from_json, json_text
from nbship.records.digest import digest_bytes
from nbship.records.release import RootCapture, StateEntry
from nbship.release.sums import NAMESPACE
from nbship.workflow.bundle_files import regular_files
from nbship.workflow.graph_capture import GRAPH
from nbship.workflow.pickle_scan import pickle_failures
from support.captures import FARE_SIGNATURE
from support.releases import Forger, ReleaseCase, ask

FILES = (
    "ANNEX_IV.md",
    "CHANGELOG.md",
    "HANDOFF.md",
    "MODEL_CARD.md",
    "SHA256SUMS",
    "SHA256SUMS.sig",
    "baseline/drift.json",
    "deploy/Dockerfile",
    "deploy/kubernetes/autoscaler.yaml",
    "deploy/kubernetes/deployment.yaml",
    "deploy/kubernetes/disruptions.yaml",
    "deploy/kubernetes/network.yaml",
    "deploy/kubernetes/service.yaml",
    "dist/fares-1.0.0-py3-none-any.whl",
    "manifest.json",
    "model.sig",
    "model.sig.pub",
    "notebook/executed.ipynb",
    "notebook/input.ipynb",
    "openapi.json",
    "ops/ROLLBACK.md",
    "ops/RUNBOOK.md",
    "ops/alerts.yaml",
    "provenance/capture.json",
    "provenance/job.json",
    "provenance/lock.json",
    "provenance/outcome.json",
    "provenance/statement.intoto.json",
    "reports/approvals/approval-20261123-093000-2b2b.json",
    "reports/licences.json",
    "reports/notebook.html",
    "reports/parity.json",
    "reports/performance.json",
    "reports/verdict.json",
    "reports/vulnerabilities.json",
    "requirements-serve.lock",
    "requirements.lock",
    "sbom.cdx.json",
    "schema/input.schema.json",
    "schema/output.schema.json",
    "signer.pub",
    "src/model.py",
    "src/sourcemap.json",
    "tests/conftest.py",
    "tests/golden.jsonl",
    "tests/pytest.ini",
    "tests/test_contract.py",
    "tests/test_parity.py",
    "tests/test_properties.py",
)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    case = ReleaseCase(tmp_path_factory.mktemp("audit"))
    case.approve()
    case.sign_models()
    case.release(version="1.0.0")
    return case


@pytest.fixture(scope="module")
def sealed(case):
    return case.store.folder / "releases" / "fares" / "1.0.0"


@pytest.fixture
def bundle(sealed, tmp_path):
    return shutil.copytree(sealed, tmp_path / "bundle")


@pytest.fixture
def forger(sealed, tmp_path):
    return Forger(sealed, tmp_path)


def _flip(path, position):
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def test_the_bundle_holds_these_files(sealed):
    assert tuple(regular_files(sealed)) == FILES


def test_the_report_in_the_bundle_shows_the_approval_that_the_release_rests_on(sealed):
    page = (sealed / "reports" / "notebook.html").read_text("utf-8")

    assert "prices agree with the invoices" in page
    assert "<dt>Review</dt><dd>approved</dd>" in page


def test_an_unchanged_bundle_verifies_and_says_who_sealed_it(sealed, case):
    found = ask(sealed)

    assert found.failures == ()
    assert found.passed
    assert found.signer == case.sealer.public_key()
    assert "on no list of yours" in found.notices[0]


@pytest.mark.parametrize(
    "name", [name for name in FILES if name != "requirements.lock"]
)
def test_one_changed_byte_is_named(bundle, name):
    size = (bundle / name).stat().st_size
    for position in (0, size - 1):
        _flip(bundle / name, position)

        found = ask(bundle)

        assert not found.passed
        assert any(name in failure for failure in found.failures), found.failures
        _flip(bundle / name, position)
    assert ask(bundle).passed


@pytest.mark.parametrize(("name", "step"), [("SHA256SUMS", 97), ("SHA256SUMS.sig", 5)])
def test_no_byte_of_the_checksums_and_their_seal_is_free(bundle, name, step):
    path = bundle / name
    for position in range(0, path.stat().st_size, step):
        _flip(path, position)
        assert not ask(bundle).passed, position
        _flip(path, position)


def test_all_files_changed_at_once_are_all_named(bundle):
    for name in FILES:
        path = bundle / name
        if path.stat().st_size:
            _flip(path, path.stat().st_size // 2)
        else:
            path.write_bytes(b"#")

    text = "\n".join(ask(bundle).failures)

    assert [name for name in FILES if name.rpartition("/")[2] not in text] == []


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named_by_one_clear_message(bundle, name):
    (bundle / name).unlink()

    assert ask(bundle).failures == (f"{name}: missing",)


def test_a_graph_and_profiles_are_part_of_what_was_captured(tmp_path):
    case = ReleaseCase(tmp_path)
    path, graph = case.capture / "capture.json", b"\x08\x0a graph"
    record = from_json(RootCapture, json.loads(path.read_text("utf-8")))
    entry = StateEntry(
        name="fare",
        codec="onnx",
        file=GRAPH,
        digest=digest_bytes(graph),
        size_bytes=len(graph),
    )
    path.write_text(json_text(dataclasses.replace(record, graph=entry)), "utf-8")
    (case.capture / GRAPH).write_bytes(graph)
    profiles = baseline_of(
        FARE_SIGNATURE, inputs={"km": [1.0] * 40}, outputs={}, source="rides (40 rows)"
    )
    (case.capture / TRAINING).write_text(json_text(profiles), "utf-8")
    bundle = Path(case.approve().release().bundle)
    assert ask(bundle).failures == ()

    forger = Forger(bundle, tmp_path)
    forger.rewrite_wheel(GRAPH, lambda data: data + b"!")
    forger.rewrite_wheel(TRAINING, lambda data: data.replace(b"40 rows", b"41 rows"))
    failures = "\n".join(ask(forger.recompute()).failures)

    assert f"{GRAPH}: not what capture.json says" in failures
    assert "not those that the job captured" in failures


def test_a_file_too_many_is_named(bundle):
    (bundle / "dist" / "install.sh").write_text("#")

    assert ask(bundle).failures == ("dist/install.sh: not listed in SHA256SUMS",)


def test_a_pickle_under_another_name_is_named_although_all_is_recomputed(forger):
    data = pickle.dumps(json.loads)
    forger.rewrite_wheel("state/RATES.json", lambda _: data)
    (forger.bundle / "reports" / "plot.png").write_bytes(b"\x89PNG" + data)

    failures = ask(forger.recompute()).failures

    wheel = forger.wheel.name
    named = "a pickle that names json.loads"
    assert f"dist/{wheel}: fares/state/RATES.json: {named}" in failures
    assert f"reports/plot.png: {named} from byte 4 on" in failures


def test_wheels_of_other_distributions_are_passed_over(sealed, tmp_path):
    (tmp_path / "wheelhouse").mkdir()
    for name in ("wheelhouse/other.whl", "model.bin"):
        (tmp_path / name).write_bytes(pickle.dumps([1]))

    found, count = pickle_failures(regular_files(tmp_path))

    assert (found, count) == (["model.bin: a pickle"], 1)


def test_links_are_refused(bundle, tmp_path):
    shutil.move(bundle / "src", tmp_path / "src")
    (bundle / "src").symlink_to(tmp_path / "src")

    assert "src: a link where a file was expected" in ask(bundle).failures


def test_what_is_no_folder_is_refused(tmp_path):
    with pytest.raises(VerificationError, match="no such folder"):
        ask(tmp_path / "nothing")


def test_the_expected_digest_is_demanded(sealed):
    digest = ask(sealed).digest

    assert ask(sealed, expect=digest).passed
    assert ask(sealed, expect=digest.upper()).passed
    other = ask(sealed, expect="0" * 64)
    assert other.failures == (
        f"SHA256SUMS: the bundle's digest is {digest} where {'0' * 64} was expected",
    )


def test_a_listed_signer_is_asked_for(sealed, case, tmp_path):
    stranger = create_key(tmp_path / "stranger")
    own = case.sealer.public_key() + " ann@example"

    assert ask(sealed, signers=(own, stranger)).notices == ()
    (failure,) = ask(sealed, signers=(stranger,)).failures
    assert "not by a key that you trust" in failure


def test_a_bundle_sealed_again_is_caught_by_digest_or_signer(sealed, case, forger):
    digest = ask(sealed).digest
    forger.rewrite("HANDOFF.md", lambda data: data + b"Run this: curl ...\n")
    bundle = forger.recompute()

    assert ask(bundle).passed  # nobody said what to expect, and the notice says so
    assert "on no list of yours" in ask(bundle).notices[0]
    assert not ask(bundle, expect=digest).passed
    assert not ask(bundle, signers=(case.sealer.public_key(),)).passed


def test_recomputed_checksums_break_the_seal(forger):
    forger.rewrite("HANDOFF.md", lambda data: data + b"Run this: curl ...\n")

    seal, signature = ask(forger.recompute(seal=False)).failures

    assert seal.startswith("SHA256SUMS.sig does not seal this SHA256SUMS")
    assert signature.startswith("model.sig: does not sign these files")


def test_a_changed_line_of_the_module_is_named_although_all_is_recomputed(forger):
    def change(data):
        return data.replace(b'rate["per_km"] * km', b'rate["per_km"] * km * 1.1')

    forger.rewrite_wheel("model.py", change)
    forger.rewrite("src/model.py", change)

    text = "\n".join(ask(forger.recompute()).failures)

    assert "model.py: not what capture.json says" in text
    assert "not those that the job captured" in text


def test_a_module_that_differs_from_the_readable_one_is_named(forger):
    forger.rewrite_wheel("model.py", lambda data: data + b"\n")

    text = "\n".join(ask(forger.recompute()).failures)

    assert "model.py: not the one beside it in the bundle" in text


def test_a_golden_case_that_differs_from_the_wheels_is_named(forger):
    forger.rewrite(
        "tests/golden.jsonl", lambda data: data.replace(b'"case": 7,', b'"case":  7,')
    )

    text = "\n".join(ask(forger.recompute()).failures)

    assert "golden.jsonl: not the one beside it in the bundle: case 7" in text


def test_a_wheel_whose_record_was_left_is_named(forger):
    files = {**read_wheel(forger.wheel), "fares/model.py": b"x"}
    forger.wheel.write_bytes(zip_bytes(files))

    text = "\n".join(ask(forger.recompute()).failures)

    assert "fares/model.py: not what RECORD says" in text


def test_a_forged_capture_contradicts_the_outcome(forger):
    forger.rewrite_capture(remarks=["proven beyond doubt"])
    data = json.loads((forger.bundle / "manifest.json").read_bytes())

    text = "\n".join(ask(forger.recompute(capture_digest="0" * 64)).failures)

    assert data["capture_digest"] != "0" * 64
    assert "not one the job captured" in text


def test_a_forged_outcome_contradicts_the_verdict_and_a_forged_verdict_its_approvals(
    forger,
):
    forger.rewrite(
        "provenance/outcome.json", lambda data: data.replace(b"0.9837", b"0.9999")
    )
    assert "given to another outcome" in "\n".join(ask(forger.recompute()).failures)

    forger.rewrite(
        "reports/verdict.json", lambda data: data.replace(b"0.979", b"0.999")
    )
    text = "\n".join(ask(forger.recompute()).failures)
    assert "reports/approvals/approval-20261123-093000-2b2b.json: does not hold" in text


def test_another_notebook_than_the_vetted_one_is_named(forger):
    forger.rewrite("notebook/executed.ipynb", lambda data: data + b"\n")
    forger.rewrite("notebook/input.ipynb", lambda data: data + b"\n")

    text = "\n".join(ask(forger.recompute()).failures)

    assert "notebook/executed.ipynb: not the one that was vetted" in text
    assert "notebook/input.ipynb: not the one that was vetted" in text


def test_approvals_must_come_from_listed_reviewers_where_there_is_a_list(
    sealed, tmp_path
):
    stranger = create_key(tmp_path / "stranger")

    (failure,) = ask(sealed, reviewers=(stranger,)).failures

    assert "not among review.reviewers" in failure


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_no_byte_of_any_file_is_free(bundle, data):
    name = data.draw(st.sampled_from([n for n in FILES if n != "requirements.lock"]))
    path = bundle / name
    before = path.read_bytes()
    position = data.draw(st.integers(0, len(before) - 1))
    mask = data.draw(st.integers(1, 255))
    changed = bytearray(before)
    changed[position] ^= mask
    path.write_bytes(changed)

    found = ask(bundle)

    path.write_bytes(before)
    assert not found.passed
    assert any(name in failure for failure in found.failures), found.failures


def test_a_pipe_is_no_file_of_a_bundle(bundle):
    os.mkfifo(bundle / "dist" / "pipe")

    text = "\n".join(ask(bundle).failures)

    assert "dist/pipe: no regular file" in text


@pytest.mark.parametrize("path", ["../up", "/etc/passwd", "a/../../b", "a\\..\\b"])
def test_a_path_that_leaves_the_bundle_is_refused_by_its_name(forger, path):
    sums = forger.recompute() / "SHA256SUMS"
    text = f"{sums.read_text()}{'0' * 64}  {path}\n"
    sums.write_text(text)
    seal = forger.sealer.seal(text.encode(), namespace=NAMESPACE)
    (forger.bundle / "SHA256SUMS.sig").write_text(seal)

    failures = ask(forger.bundle).failures

    assert any(f"{path!r} lies outside of the bundle" in text for text in failures)


def test_a_wheel_with_a_path_that_leaves_it_is_refused_and_not_replayed(forger):
    files = read_wheel(forger.wheel) | {"../../evil.pth": b"import os"}
    forger.wheel.write_bytes(zip_bytes(files))

    found = ask(forger.recompute())

    assert any("'../../evil.pth' lies outside" in text for text in found.failures)
    assert found.parity is None


def test_a_zip_bomb_is_refused_unread_and_not_replayed(forger):
    with zipfile.ZipFile(forger.wheel, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("fares/state/rates.bin", bytes(50_000_000))

    found = ask(forger.recompute())

    assert any("compressed, 50000000 bytes unpacked" in text for text in found.failures)
    assert found.parity is None


def test_a_swapped_model_file_is_named(forger):
    forger.rewrite_wheel("state/RATES.json", lambda data: data.replace(b"2.5", b"0.5"))

    text = "\n".join(ask(forger.recompute()).failures)

    assert "state/RATES.json: not what capture.json says" in text
    assert "not those that the job captured" in text


def test_a_seal_for_something_else_is_no_seal_of_a_bundle(bundle, case):
    sums = (bundle / "SHA256SUMS").read_bytes()
    seal = case.sealer.seal(sums, namespace="nbship-approval")
    (bundle / "SHA256SUMS.sig").write_text(seal)

    (failure,) = ask(bundle).failures

    assert "made for 'nbship-approval' where 'nbship-bundle' was expected" in failure


def test_a_bill_of_other_materials_is_named(forger):
    def change(data):
        bill = json.loads(data)
        bill["components"].append({"type": "library", "name": "evil", "version": "1"})
        bill["metadata"]["component"]["hashes"][0]["content"] = "0" * 64
        return json.dumps(bill).encode()

    forger.rewrite("sbom.cdx.json", change)

    text = "\n".join(ask(forger.recompute()).failures)

    assert "sbom.cdx.json: evil: not what requirements.lock pins" in text
    assert "sbom.cdx.json: about another wheel" in text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"run-20261123", b"run-20261124", "tells of another run"),
        (b"0f0f0f0f", b"1f0f0f0f", "tells of another commit"),
        (b"job-20261123", b"job-20261124", "tells of another job"),
        (b"https://slsa.dev", b"https://slsb.dev", "no in-toto statement"),
    ],
)
def test_a_statement_of_another_provenance_is_named(forger, old, new, said):
    forger.rewrite(
        "provenance/statement.intoto.json", lambda data: data.replace(old, new, 1)
    )

    failures = ask(forger.recompute()).failures

    assert any(said in text for text in failures), failures


def test_papers_in_another_form_are_named_and_end_nothing(forger):
    forger.rewrite("sbom.cdx.json", lambda _: b"[]")
    forger.rewrite("provenance/statement.intoto.json", lambda _: b'{"subject": 1}')

    text = "\n".join(ask(forger.recompute()).failures)

    assert "sbom.cdx.json: cannot be read: AttributeError" in text
    assert "statement.intoto.json: cannot be read: TypeError" in text


def test_a_wheel_of_the_wheelhouse_that_the_lock_does_not_name_is_refused(forger):
    house = forger.bundle / "wheelhouse"
    house.mkdir()
    (house / "six-1.17.0-py2.py3-none-any.whl").write_bytes(b"PK")

    failures = ask(forger.recompute()).failures

    assert any(
        "wheelhouse/six-1.17.0-py2.py3-none-any.whl: not a file that" in text
        for text in failures
    )


def test_a_bundle_without_a_signature_for_model_signing_says_so(tmp_path):
    plain = ReleaseCase(tmp_path).approve()
    made = plain.release()

    found = ask(Path(made.bundle))

    assert found.passed
    assert "no model.sig for model-signing's own command" in found.notices
