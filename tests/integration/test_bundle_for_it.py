"""What IT does with a bundle: run its tests, look at its numbers, install it without network."""

import json
import os
import subprocess
import sys
from pathlib import Path

import packaging
import pytest

from nbship.adapters.bundles.replay import UvReplayer, namespace
from nbship.adapters.bundles.wheel import WheelBuilder
from nbship.errors import ReleaseError
from nbship.release.lock_text import lock_hashes
from nbship.workflow.bundle_files import read_capture, regular_files
from support.captures import FARE_MODULE, write_capture, write_frame_capture
from support.for_it import lay_out, run_pytest
from support.releases import ReleaseCase, ask
from support.tools import need_namespaces

PACKAGING = f"packaging=={packaging.__version__}"


@pytest.mark.parametrize("write", [write_capture, write_frame_capture])
def test_the_tests_of_a_bundle_pass_against_its_wheel(tmp_path, write):
    lay_out(tmp_path / "it", write(tmp_path / "capture"))

    before = sorted(regular_files(tmp_path / "it" / "tests"))

    code, output = run_pytest(tmp_path / "it")

    assert code == 0, output
    assert sorted(regular_files(tmp_path / "it" / "tests")) == before
    takes_no_frame = "predict takes no data frame" in output
    assert takes_no_frame is (write is write_capture)


def test_the_tests_of_a_bundle_fail_where_a_recorded_answer_is_another(tmp_path):
    lay_out(tmp_path / "it", write_capture(tmp_path / "capture"))
    golden = tmp_path / "it" / "tests" / "golden.jsonl"
    first, *others = golden.read_text().splitlines()
    case = json.loads(first)
    case["output"]["price"] += 0.001
    golden.write_text("\n".join([json.dumps(case), *others]))

    code, output = run_pytest(tmp_path / "it")

    assert code == 1
    assert "test_an_answer_is_the_recorded_one[case-1]" in output


def test_the_tests_of_a_bundle_notice_a_model_that_remembers(tmp_path):
    module = (
        "SEEN = []\n\n\ndef fare(zone, km):\n    SEEN.append(km)\n"
        '    rate = {"A": (2.5, 1.1), "B": (3.0, 0.9)}[zone]\n'
        '    return {"zone": zone, "price": rate[0] + rate[1] * km + len(SEEN) // 30}\n'
    )
    place = write_capture(tmp_path / "capture", module=module)
    lay_out(tmp_path / "it", place)

    code, output = run_pytest(tmp_path / "it")

    assert code == 1
    assert "test_answers_do_not_depend_on_what_was_asked_before" in output


def test_a_package_is_looked_at_where_it_is_installed(tmp_path):
    place = write_capture(tmp_path / "capture", requirements={})
    record = read_capture(place)
    origin = {"name": "it", "package": "it_model", "version": "1.0.0"}
    wheel = WheelBuilder().build(record, place, into=tmp_path, origin=origin)
    lock = tmp_path / "requirements.lock"
    lock.write_text("")

    found = UvReplayer().inspect(
        wheel, lock, package="it_model", python_version=record.python_version
    )

    assert found.python_version == record.python_version
    assert found.distributions == ()
    assert found.installed_bytes > wheel.stat().st_size / 2
    assert found.calls == 200
    assert 0 < found.latency_p50_ms <= found.latency_p99_ms <= found.latency_max_ms
    assert found.memory_peak_mib > 5
    assert "it_model" in {item.name for item in found.imports}
    assert [i.self_ms for i in found.imports] == sorted(
        (i.self_ms for i in found.imports), reverse=True
    )


@pytest.fixture(scope="module")
def carried(tmp_path_factory):
    """A bundle that carries the wheels of its lock."""
    case = ReleaseCase(
        tmp_path_factory.mktemp("carried"),
        module=f"import packaging\n\n{FARE_MODULE}",
        requirements={"packaging": PACKAGING},
    ).approve()
    made = case.release(
        version="1.0.0", replayer=UvReplayer(), wish={"with_wheelhouse": True}
    )
    return Path(made.bundle)


@pytest.mark.full
def test_a_bundle_with_its_wheels_is_installed_and_verified_without_network(
    carried, tmp_path, monkeypatch
):
    need_namespaces()
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))  # empty
    wheels = [path.name for path in (carried / "wheelhouse").iterdir()]
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True)
    lines = (
        "pip install --no-index --find-links wheelhouse --require-hashes -r requirements.lock",
        "pip install --no-index --no-deps dist/fares-1.0.0-py3-none-any.whl",
        "fares verify",
    )
    ended = [
        subprocess.run(
            [*namespace(), str(python), "-m", *line.split()],
            cwd=carried,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        for line in lines
    ]
    found = ask(carried, replayer=UvReplayer())

    names = {name.partition("-")[0] for name in wheels}
    assert {"packaging", "uvicorn"} <= names  # what serves comes along
    assert [one.returncode for one in ended] == [0, 0, 0], ended
    assert "24 cases equal" in ended[-1].stdout
    assert found.failures == ()
    assert f"{len(wheels)} wheels against the lock" in found.checks


@pytest.mark.full
def test_licences_and_sizes_are_those_of_the_installed_files(carried):
    performance = json.loads((carried / "reports/performance.json").read_bytes())
    licences = json.loads((carried / "reports/licences.json").read_bytes())

    found = {
        f"{one['name']}=={one['version']}": one["size_bytes"]
        for one in performance["distributions"]
    }
    assert found[PACKAGING] > 50_000
    named = {one["name"]: one["licence"] for one in licences["distributions"]}
    assert "Apache" in named["packaging"]


def test_wheels_that_no_index_has_are_said_in_words(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    lock = f"packaging==0.0.0.1 \\\n    --hash=sha256:{'0' * 64}\n"

    with pytest.raises(
        ReleaseError, match=r"wheels of requirements\.lock cannot be had"
    ):
        WheelBuilder().collect(lock, tmp_path / "house", python_version="3.11.7")
    assert lock_hashes(lock) == {"packaging": ("0" * 64,)}
