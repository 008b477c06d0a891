"""Everything that is changed in a bundle is named; here without a real replay."""

import json
import pickle
import shutil

import pytest

from nbship.adapters.bundles.ssh_keys import create_key
from nbship.adapters.bundles.wheel import read_wheel, zip_bytes
from nbship.errors import VerificationError
from nbship.workflow.bundle_files import regular_files
from nbship.workflow.pickle_scan import pickle_failures
from support.releases import Forger, ReleaseCase, ask

FILES = (
    "HANDOFF.md",
    "MODEL_CARD.md",
    "SHA256SUMS",
    "SHA256SUMS.sig",
    "dist/fares-1.0.0-py3-none-any.whl",
    "manifest.json",
    "notebook/executed.ipynb",
    "notebook/input.ipynb",
    "openapi.json",
    "provenance/capture.json",
    "provenance/job.json",
    "provenance/lock.json",
    "provenance/outcome.json",
    "reports/approvals/approval-20261123-093000-2b2b.json",
    "reports/notebook.html",
    "reports/parity.json",
    "reports/verdict.json",
    "requirements.lock",
    "schema/input.schema.json",
    "schema/output.schema.json",
    "signer.pub",
    "src/model.py",
    "src/sourcemap.json",
    "tests/golden.jsonl",
)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    case = ReleaseCase(tmp_path_factory.mktemp("audit"))
    case.approve()
    report = case.store.folder / "reports" / "report-20261123-092500-1a1a.html"
    report.parent.mkdir()
    report.write_text("<p>verdict-20261123-092000-4dfe</p>", "utf-8")
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
    for position in (0, size // 2, size - 1):
        _flip(bundle / name, position)

        found = ask(bundle)

        assert not found.passed
        assert any(name in failure for failure in found.failures), found.failures
        _flip(bundle / name, position)
    assert ask(bundle).passed


@pytest.mark.parametrize(("name", "step"), [("SHA256SUMS", 17), ("SHA256SUMS.sig", 3)])
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

    (failure,) = ask(forger.recompute(seal=False)).failures

    assert failure.startswith("SHA256SUMS.sig does not seal this SHA256SUMS")


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
