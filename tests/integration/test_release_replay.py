"""Releases with real replays: fresh environments made by uv, without network."""

import json
import os
import subprocess
import sys

import pytest

from nbship.adapters.bundles import replay as replay_module
from nbship.adapters.bundles.lock import lock_requirements
from nbship.adapters.bundles.replay import UvReplayer, find_python, namespace
from nbship.adapters.bundles.uv import index_variables
from nbship.adapters.bundles.wheel import WheelBuilder, read_wheel
from nbship.errors import ApprovalError, JobError, ReleaseError, VerificationError
from nbship.records.digest import digest_file, digest_tree
from nbship.records.vetting import Decision
from nbship.release.lock_text import read_lock
from nbship.workflow.bundle_files import read_capture
from support.captures import FARE_MODULE, write_capture
from support.executed import ExecutedNotebook
from support.exports import exported
from support.releases import Forger, ReleaseCase, ask
from support.review_case import JOB_ID
from support.tools import lack

ORIGIN = {"name": "fares", "package": "fares", "version": "1.0.0"}


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    case = ReleaseCase(tmp_path_factory.mktemp("release"))
    case.approve()
    case.release(version="1.0.0", replayer=UvReplayer())
    return case


@pytest.fixture(scope="module")
def bundle(case):
    return case.store.folder / "releases" / "fares" / "1.0.0"


def _replay(folder, module=FARE_MODULE, **capture):
    place = write_capture(folder / "capture", module=module, **capture)
    record = read_capture(place)
    wheel = WheelBuilder().build(record, place, into=folder, origin=ORIGIN)
    lock = folder / "requirements.lock"
    lock.write_text("")
    return UvReplayer().replay(
        wheel, lock, package="fares", python_version=record.python_version
    )


def test_the_bundle_verifies_by_a_replay_of_its_own(bundle):
    found = ask(bundle, replayer=UvReplayer())

    assert found.failures == ()
    assert found.parity is not None
    assert (found.parity.cases, found.parity.is_proven) == (24, True)
    assert "24 golden cases, replayed twice" in found.checks


def test_what_ships_is_digest_for_digest_what_the_kernel_held(case, bundle):
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    wheel = read_wheel(bundle / manifest["wheel"])

    assert manifest["capture_digest"] == digest_tree(case.capture)
    for inside, outside in (
        ("model.py", "module.py"),
        ("golden.jsonl", "golden.jsonl"),
        ("capture.json", "capture.json"),
        ("state/RATES.json", "state/RATES.json"),
    ):
        assert wheel[f"fares/{inside}"] == (case.capture / outside).read_bytes()


def test_the_same_release_gives_the_same_wheel(case, bundle, tmp_path):
    again = WheelBuilder().build(
        read_capture(case.capture),
        case.capture,
        into=tmp_path,
        origin=json.loads(
            read_wheel(bundle / "dist/fares-1.0.0-py3-none-any.whl")[
                "fares/origin.json"
            ]
        ),
    )

    assert digest_file(again) == digest_file(bundle / "dist" / again.name)


def test_the_package_itself_decides_what_answers_and_the_wheel_tells(bundle):
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    wheel = read_wheel(bundle / manifest["wheel"])

    assert manifest["serving"] == {
        "form": "arguments",
        "answers": "the author's code",
        "why": "each call has arguments of its own",
        "row_by_row": False,
        "why_row_by_row": "each call has arguments of its own",
    }
    assert json.loads(wheel["fares/origin.json"])["serving"] == manifest["serving"]


@pytest.mark.full
def test_an_estimator_s_compiled_routines_are_proven_where_it_is_replayed(tmp_path):
    notebook = ExecutedNotebook(
        "import numpy as np\nfrom sklearn.linear_model import Ridge\n"
        "from sklearn.preprocessing import StandardScaler\n"
        "from sklearn.pipeline import make_pipeline\n"
        "X = np.random.default_rng(1).normal(size=(80, 3))",
        "model = make_pipeline(StandardScaler(), Ridge()).fit(X, X[:, 0])",
        "X_test = X[:40]",
        roots=(),
    )
    notebook.capture(tmp_path / "capture", "model")
    export = exported(
        tmp_path / "capture",
        tmp_path / "export",
        package="ridge",
    )

    wheel = read_wheel(tmp_path / "export" / export.wheel)

    assert export.parity.passed
    assert json.loads(wheel["ridge/origin.json"])["serving"] == {
        "form": "array",
        "answers": "compiled routines",
        "why": "320 golden and generated rows agree bit by bit",
        "row_by_row": True,
        "why_row_by_row": "64 golden rows get the same answers alone and together",
    }


def test_a_forged_golden_number_is_named_although_all_is_recomputed(bundle, tmp_path):
    forger = Forger(bundle, tmp_path)
    before = json.loads((bundle / "provenance/capture.json").read_bytes())

    def change(data):
        lines = data.splitlines(keepends=True)
        case = json.loads(lines[4])
        case["output"]["price"] += 0.001
        lines[4] = json.dumps(case).encode() + b"\n"
        return b"".join(lines)

    forger.rewrite("tests/golden.jsonl", change)
    forger.rewrite_wheel("golden.jsonl", change)
    forger.rewrite_capture(
        golden_digest=digest_file(forger.bundle / "tests/golden.jsonl")
    )

    found = ask(forger.recompute(), replayer=UvReplayer())

    replayed = [text for text in found.failures if text.startswith("replay:")]
    assert len(replayed) == 1, found.failures
    assert replayed[0].startswith("replay: case 5: ")
    assert "price" in replayed[0]
    assert before["golden_digest"] != digest_file(forger.bundle / "tests/golden.jsonl")


def test_a_changed_table_is_named_by_the_replay(bundle, tmp_path):
    forger = Forger(bundle, tmp_path)
    forger.rewrite_wheel("state/RATES.json", lambda data: data.replace(b"2.5", b"2.6"))

    found = ask(forger.recompute(), replayer=UvReplayer())

    assert "replay: state/RATES.json: changed since the capture" in found.failures
    assert any("state/RATES.json" in f and "2.6" not in f for f in found.failures)


def test_a_second_release_is_the_next_version_and_none_is_overwritten(case, bundle):
    before = digest_tree(bundle)

    made = case.release()

    assert made.version == "1.1.0"
    handoff = (bundle.parent / "1.1.0" / "HANDOFF.md").read_text()
    assert "To 1.0.0 (bundle digest" in handoff
    with pytest.raises(ReleaseError, match=r"1\.0\.0 is released already"):
        case.release(version="1.0.0")
    assert digest_tree(bundle) == before
    assert sorted(p.name for p in bundle.parent.iterdir()) == ["1.0.0", "1.1.0"]


def test_a_captured_state_that_was_changed_is_refused(tmp_path):
    case = ReleaseCase(tmp_path).approve()
    (case.capture / "state" / "RATES.json").write_text("{}")

    with pytest.raises(ReleaseError, match="where the job captured"):
        case.release()
    assert not (case.store.folder / "releases").exists()


def test_an_answer_that_differs_is_never_released(tmp_path):
    wrong = FARE_MODULE.replace("* km", "* km + 0.01")
    case = ReleaseCase(tmp_path, module=wrong).approve()

    with pytest.raises(ReleaseError, match=r"case 1: .*price"):
        case.release(replayer=UvReplayer())
    assert list((case.store.folder / "releases" / "fares").iterdir()) == []


def test_without_capture_verdict_or_approval_nothing_is_released(tmp_path):
    case = ReleaseCase(tmp_path)
    case.finish(roots=())
    with pytest.raises(JobError, match="captured no root"):
        case.release()
    case.finish(roots=(case.captured(),))
    with pytest.raises(ReleaseError, match="never vetted"):
        case.release()
    verdict = case.vet()
    with pytest.raises(ApprovalError, match="0 valid approvals, 1 wanted"):
        case.release()
    case.decide(verdict, Decision.REJECTED)
    with pytest.raises(ApprovalError, match="rejected"):
        case.release(approvals=0)
    assert not (case.store.folder / "releases").exists()


def test_an_outcome_that_changed_after_the_verdict_is_refused(tmp_path):
    case = ReleaseCase(tmp_path).approve()
    case.finish(roots=(case.captured(),), metrics={"accuracy": 1.0})

    with pytest.raises(ReleaseError, match="outcome changed since"):
        case.release()


def test_an_answer_that_changes_between_replays_is_no_proof(tmp_path):
    module = FARE_MODULE.replace(
        "    rate = RATES[zone]\n",
        "    import os\n    rate = dict(RATES[zone])\n"
        '    rate["base"] *= 1 + int.from_bytes(os.urandom(2)) * 1e-15\n',
    )

    parity = _replay(tmp_path, module=module)

    line = 1 + module.split("\n").index(
        '    rate["base"] *= 1 + int.from_bytes(os.urandom(2)) * 1e-15'
    )
    assert not parity.passed
    assert [place.line for place in parity.draws] == [line]
    assert any(
        f"another answer when it was replayed again: model.py:{line}" in text
        for text in parity.differences
    )


def test_an_answer_that_depends_on_earlier_calls_is_no_proof(tmp_path):
    module = FARE_MODULE.replace("    rate = RATES[zone]\n", _COUNTED).replace(
        "\n\n\n# what", "\nCALLS = []\n\n\n# what"
    )

    parity = _replay(tmp_path, module=module)

    assert not parity.passed
    assert [change.name for change in parity.changed_state] == ["CALLS"]
    assert any("the calls before it changed CALLS" in d for d in parity.differences)


_COUNTED = """    CALLS.append(zone)
    rate = {**RATES[zone], "base": RATES[zone]["base"] + len(CALLS) * 1e-13}
"""
_SWALLOWED = """
    import socket
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=2)
    except OSError:
        pass
    rate = RATES[zone]
"""
_CALL = """
import socket
socket.create_connection(("127.0.0.1", 9), timeout=2)
"""


@pytest.mark.parametrize("isolation", ["namespace", "guard"])
def test_a_package_that_calls_home_finds_no_network(tmp_path, monkeypatch, isolation):
    if isolation == "namespace" and not namespace():
        lack("no network namespaces on this machine")
    if isolation == "guard":
        monkeypatch.setattr(replay_module, "namespace", tuple)

    parity = _replay(tmp_path, module=_CALL + FARE_MODULE)

    assert parity.isolation == isolation
    assert not parity.passed
    (difference,) = parity.differences
    assert "cannot be loaded" in difference
    reason = "unreachable" if isolation == "namespace" else "a replay has no network"
    assert reason in difference


@pytest.mark.parametrize("isolation", ["namespace", "guard"])
def test_a_call_home_that_the_code_swallows_is_told(tmp_path, monkeypatch, isolation):
    if isolation == "namespace" and not namespace():
        lack("no network namespaces on this machine")
    if isolation == "guard":
        monkeypatch.setattr(replay_module, "namespace", tuple)
    module = FARE_MODULE.replace("\n    rate = RATES[zone]\n", _SWALLOWED)

    parity = _replay(tmp_path, module=module)

    (found,) = parity.accesses
    assert parity.passed
    assert not parity.is_proven
    assert (found.kind, found.target) == ("network", "127.0.0.1:9")
    assert found.place.line == 12
    assert "it calls the network: 127.0.0.1:9 (model.py:12)" in parity.unproven[0]
    assert [place.line for place in parity.coverage.missed] == []


def test_the_guard_lets_a_quiet_package_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(replay_module, "namespace", tuple)

    parity = _replay(tmp_path)

    assert (parity.passed, parity.isolation) == (True, "guard")


def test_the_replay_sees_no_variable_of_the_caller(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    module = 'import os\nassert "SECRET_TOKEN" not in os.environ\n' + FARE_MODULE

    assert _replay(tmp_path, module=module).passed


def test_a_missing_python_is_said_in_words():
    with pytest.raises(VerificationError, match=r"Python 3\.2 is not installed"):
        find_python("3.2.0")


def test_an_export_is_proven_and_saved(tmp_path):
    capture = write_capture(tmp_path / "roots" / "fare")
    folder = tmp_path / "export"

    export = exported(
        capture,
        folder,
        package="fares",
        version="0.1.0",
    )

    assert export.parity.passed
    assert (
        export.capture_digest == digest_tree(capture) == digest_tree(folder / "capture")
    )
    assert export.wheel_digest == digest_file(folder / export.wheel)
    assert sorted(p.name for p in folder.iterdir()) == [
        "capture",
        "dist",
        "export.json",
        "parity.json",
        "requirements.lock",
    ]


def test_a_lock_keeps_to_what_is_installed_and_names_no_index(monkeypatch):
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", os.environ.get("PIP_EXTRA_INDEX_URL", ""))
    import packaging

    lock = lock_requirements(
        [f"packaging=={packaging.__version__}"],
        python_version="3.11.7",
        installed=None,
    )

    assert read_lock(lock) == {"packaging": packaging.__version__}
    assert "--hash=sha256:" in lock
    assert "http" not in lock
    assert "file:" not in lock


def test_a_lock_that_cannot_be_made_says_why():
    with pytest.raises(ReleaseError, match="no lock of wheels"):
        lock_requirements(["packaging==0.0.0.1"], python_version="3.11.7", installed={})


def test_the_command_verifies_where_there_is_no_project(bundle, tmp_path):
    command = [sys.executable, "-m", "nbship.faces.cli", "verify", str(bundle)]
    environ = {k: v for k, v in os.environ.items() if not k.startswith("MLOPS_")}
    good = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    bad = subprocess.run(
        [*command, "--expect", "0" * 64, "--json"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (good.returncode, good.stderr) == (0, "")
    assert "24 golden cases equal" in good.stdout
    assert bad.returncode == 1
    assert "0" * 64 in json.loads(bad.stdout)["failures"][0]
    assert list(tmp_path.iterdir()) == []


def test_sha256sum_agrees(bundle):
    done = subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=bundle, check=False
    )

    assert done.returncode == 0


def test_the_verdict_answers_for_the_job_that_is_released(case, bundle):
    manifest = json.loads((bundle / "manifest.json").read_bytes())

    assert manifest["job_id"] == JOB_ID
    assert manifest["git"]["commit"] == "0f" * 20
    assert manifest["approvals"] == ["approval-20261123-093000-2b2b"]


@pytest.fixture
def own_index(monkeypatch):
    """Read pip's configuration anew, before and after."""
    for name in list(os.environ):
        if name.startswith(("UV_INDEX", "UV_DEFAULT_INDEX", "UV_FIND_LINKS")):
            monkeypatch.delenv(name)
    index_variables.cache_clear()
    yield
    index_variables.cache_clear()


def test_a_wheel_that_only_pips_find_links_know_is_locked_and_replayed(
    tmp_path, monkeypatch, own_index
):
    links, work = tmp_path / "links", tmp_path / "work"
    place = write_capture(tmp_path / "needed")
    needed = {**ORIGIN, "name": "own-needed", "package": "own_needed"}
    WheelBuilder().build(read_capture(place), place, into=links, origin=needed)
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    module = "import own_needed\n\n" + FARE_MODULE
    pins = {"own_needed": "own-needed==1.0.0"}

    export = exported(
        write_capture(tmp_path / "capture", module=module, requirements=pins),
        work,
        package="fares",
    )

    lock = (work / "requirements.lock").read_text()
    assert export.parity.passed
    assert read_lock(lock) == {"own-needed": "1.0.0"}
    assert str(links) not in lock


def test_an_empty_cache_without_network_is_said_in_words(tmp_path, monkeypatch):
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    place = write_capture(tmp_path / "capture")
    record = read_capture(place)
    wheel = WheelBuilder().build(record, place, into=tmp_path, origin=ORIGIN)
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"packaging==26.3 \\\n    --hash=sha256:{'0' * 64}\n")

    with pytest.raises(VerificationError) as refused:
        UvReplayer().replay(
            wheel, lock, package="fares", python_version=record.python_version
        )

    assert "requirements.lock cannot be installed" in refused.value.message
    assert "Run it once with access to your package index" in refused.value.hint


def test_a_lock_that_leads_elsewhere_reaches_no_installer(bundle, tmp_path):
    forger = Forger(bundle, tmp_path)
    forger.rewrite(
        "requirements.lock", lambda data: data + b"--index-url http://127.0.0.1:9/\n"
    )

    found = ask(forger.recompute(), replayer=UvReplayer())

    assert found.parity is None
    assert any("'--index-url http://127.0.0.1:9/'" in text for text in found.failures)
