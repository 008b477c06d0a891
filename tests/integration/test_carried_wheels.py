"""What no index has travels as a wheel: editable, local and local-version distributions."""

import os
from pathlib import Path

import packaging
import pytest

from nbship.adapters.bundles.carried import carried_wheels, carry_local
from nbship.adapters.bundles.replay import UvReplayer
from nbship.adapters.bundles.wheel import WheelBuilder
from nbship.errors import NoWheelsError
from nbship.records.digest import digest_file
from nbship.release.lock_text import lock_hashes, with_hashes
from nbship.workflow.bundle_files import regular_files
from support.captures import FARE_MODULE, write_capture
from support.exports import exported
from support.releases import ReleaseCase, ask
from support.review_case import JOB_ID
from support.small_environment import make_environment, write_project, write_wheel

PACKAGING = f"packaging=={packaging.__version__}"
PINS = ("scaling==1.5+cpu", "helping==0.3.1", "six==1.17.0", PACKAGING)
MODULE = f"import helping\nimport packaging\nimport scaling\nimport six\n\nassert (six.FACTOR, scaling.FACTOR) == (7, 3)\n{FARE_MODULE}"
REQUIREMENTS = {pin.partition("==")[0]: pin for pin in PINS}


@pytest.fixture(scope="module")
def carried(tmp_path_factory):
    """Wheels carried from an environment with a local version, a project, and a false `six`."""
    folder = tmp_path_factory.mktemp("carried")
    own = write_wheel(folder / "wheels")
    false = write_wheel(
        folder / "wheels", name="six", version="1.17.0", factor=7, script=False
    )
    project = write_project(folder / "helping")
    python = make_environment(folder / "env", own, false, "-e", project)
    (folder / "house").mkdir()
    carry_local(PINS, folder / "house", python=python)
    return folder / "house"


def test_what_is_installed_from_no_index_is_carried_and_nothing_else(carried):
    found = carried_wheels(carried)

    assert {name: version for name, (version, _) in found.items()} == {
        "scaling": "1.5+cpu",
        "helping": "0.3.1",
        "six": "1.17.0",
    }


def test_an_index_cannot_slip_in_another_file_of_the_same_name_and_version(carried):
    lock = WheelBuilder().lock(
        PINS, python_version="3.11.7", installed={}, carried=carried
    )
    hashes, own = lock_hashes(lock), carried_wheels(carried)

    assert {name: hashes[name] for name in own} == {
        name: (digest,) for name, (_, digest) in own.items()
    }
    assert "packaging" in hashes
    assert str(carried) not in lock
    assert "://" not in lock


def test_without_the_wheels_there_is_no_lock():
    with pytest.raises(NoWheelsError, match=r"scaling==1\.5\+cpu"):
        WheelBuilder().lock(
            ("scaling==1.5+cpu",), python_version="3.11.7", installed={}
        )


def test_an_export_with_carried_wheels_is_replayed_from_its_own_wheelhouse(
    carried, tmp_path, monkeypatch
):
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))  # empty

    export = exported(
        write_capture(tmp_path / "capture", module=MODULE, requirements=REQUIREMENTS),
        tmp_path / "export",
        package="carries",
        installed={},
        carried=carried,
    )

    house = tmp_path / "export" / "wheelhouse"
    assert export.parity.passed, export.parity.differences
    assert {path.name.partition("-")[0] for path in house.iterdir()} == set(
        REQUIREMENTS
    )


@pytest.fixture(scope="module")
def bundle(carried, tmp_path_factory):
    case = ReleaseCase(
        tmp_path_factory.mktemp("case"), module=MODULE, requirements=REQUIREMENTS
    )
    house = case.store.job_folder(JOB_ID) / "wheelhouse"
    house.mkdir()
    for wheel in carried.iterdir():
        os.link(wheel, house / wheel.name)
    case.approve()
    return case, Path(case.release(version="1.0.0", replayer=UvReplayer()).bundle)


def test_a_bundle_takes_the_carried_wheels_of_its_job_along(bundle):
    _, folder = bundle
    names = {path.name.partition("-")[0] for path in (folder / "wheelhouse").iterdir()}
    text = (folder / "HANDOFF.md").read_text()

    assert set(REQUIREMENTS) <= names
    assert "--no-index --find-links wheelhouse --require-hashes" in text
    assert ask(folder).failures == ()


def test_a_bundle_with_carried_wheels_is_made_twice_alike(bundle):
    case, folder = bundle
    first = {name: digest_file(path) for name, path in regular_files(folder).items()}
    folder.rename(folder.with_name("first"))

    again = Path(case.release(version="1.0.0", replayer=UvReplayer()).bundle)

    assert {n: digest_file(p) for n, p in regular_files(again).items()} == first


def test_only_the_named_blocks_of_a_lock_are_changed():
    lock = (
        "a==1 \\\n    --hash=sha256:"
        + "1" * 64
        + " \\\n    --hash=sha256:"
        + "2" * 64
        + "\nb==2 ; python_version < '4' \\\n    --hash=sha256:"
        + "3" * 64
        + "\n"
    )

    changed = with_hashes(lock, {"b": "9" * 64})

    assert with_hashes(lock, {}) == lock
    assert lock_hashes(changed) == {"a": ("1" * 64, "2" * 64), "b": ("9" * 64,)}
    assert "b==2 ; python_version < '4' \\\n" in changed
