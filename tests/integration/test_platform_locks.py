"""Locks for platforms on which nothing is run: resolved by uv, and told as no more than that."""

import json
import re
from pathlib import Path

import pytest

from nbship.adapters.bundles.wheel import WheelBuilder
from nbship.errors import NoWheelsError, ReleaseError
from nbship.records.digest import digest_file
from nbship.records.release import PlatformLock
from nbship.release.lock_text import lock_hashes, read_lock
from nbship.workflow.bundle_files import regular_files
from nbship.workflow.platform_locks import lock_platforms
from support.captures import FARE_MODULE
from support.releases import ReleaseCase, ask

ARM = "aarch64-unknown-linux-gnu"
WINDOWS = "x86_64-pc-windows-msvc"
PINS = ("tqdm==4.67.1", "uvloop==0.21.0")


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """Locks of a package that has a wheel for all, and one that Windows lacks."""
    folder = tmp_path_factory.mktemp("locks")
    replayed = folder / "requirements.lock"
    builder = WheelBuilder()
    text = builder.lock(PINS, python_version="3.11.7", installed={})
    replayed.write_text(text)
    found = lock_platforms(
        folder,
        (WINDOWS, builder.platform, ARM),
        requirements=PINS,
        replayed=replayed,
        python_version="3.11.7",
        builder=builder,
    )
    return folder, found


def test_a_platform_without_a_wheel_is_told_with_the_package(locked):
    folder, found = locked

    assert [(e.platform, e.state, e.lock) for e in found] == [
        (WheelBuilder().platform, "replayed", "requirements.lock"),
        (ARM, "resolved", f"requirements-{ARM}.lock"),
        (WINDOWS, "unresolved", ""),
    ]
    assert "uvloop==0.21.0 has no usable wheels" in found[2].reason
    assert sorted(path.name for path in folder.iterdir()) == [
        f"requirements-{ARM}.lock",
        "requirements.lock",
    ]


def test_a_lock_of_another_platform_holds_pins_with_hashes_and_no_address(locked):
    folder, found = locked
    text = (folder / found[1].lock).read_text()

    assert read_lock(text) == {"tqdm": "4.67.1", "uvloop": "0.21.0"}
    assert all(lock_hashes(text).values())
    assert "://" not in text
    assert found[1].differences == ()


def test_what_another_platform_needs_besides_is_told(tmp_path):
    replayed = tmp_path / "requirements.lock"
    builder, pins = WheelBuilder(), ("tqdm==4.67.1",)
    replayed.write_text(builder.lock(pins, python_version="3.11.7", installed={}))

    _, windows = lock_platforms(
        tmp_path,
        (WINDOWS,),
        requirements=pins,
        replayed=replayed,
        python_version="3.11.7",
        builder=builder,
    )

    (difference,) = windows.differences
    assert re.fullmatch(r"colorama [\d.]+ where nothing was replayed", difference)


def test_a_platform_that_uv_does_not_know_is_refused_by_name():
    with pytest.raises(ReleaseError, match="no platform 'amiga'") as caught:
        WheelBuilder().lock(
            PINS, python_version="3.11.7", installed={}, platform="amiga"
        )

    assert not isinstance(caught.value, NoWheelsError)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    case = ReleaseCase(
        tmp_path_factory.mktemp("made"),
        module=f"import uvloop\n\n{FARE_MODULE}",
        requirements={"uvloop": "uvloop==0.21.0"},
    ).approve()
    return case, _release(case)


def _release(case):
    return Path(
        case.release(version="1.0.0", wish={"platforms": (ARM, WINDOWS)}).bundle
    )


def test_a_bundle_never_calls_a_platform_tested_that_was_only_resolved(made):
    _, bundle = made
    manifest = json.loads((bundle / "manifest.json").read_text())
    page = (bundle / "HANDOFF.md").read_text()
    own, arm, windows = manifest["platforms"]

    assert (own["state"], arm["state"], windows["state"]) == (
        "replayed",
        "resolved",
        "unresolved",
    )
    assert arm["lock"] in manifest["files"]
    assert f"`{own['platform']}`: replayed here" in page
    assert f"`{arm['lock']}` was resolved, NOTHING WAS RUN there" in page
    assert f"`{WINDOWS}`: NO LOCK: " in page
    assert page.count("uvloop==0.21.0 has no usable wheels") == 1


def test_a_bundle_with_several_locks_verifies_and_is_made_twice_alike(made):
    case, bundle = made
    first = {name: digest_file(path) for name, path in regular_files(bundle).items()}
    found = ask(bundle)
    bundle.rename(bundle.with_name("first"))

    again = _release(case)

    assert found.failures == ()
    assert "1 lock of a platform without a replay" in found.checks
    assert {n: digest_file(p) for n, p in regular_files(again).items()} == first


def test_a_lock_that_pins_something_else_than_the_manifest_tells_is_found():
    from nbship.release.platforms import platform_failures

    platforms = (
        PlatformLock(platform="here", state="replayed", lock="a"),
        PlatformLock(platform="there", state="resolved", lock="b"),
    )

    assert platform_failures(platforms, {"a": {"x": "1"}, "b": {"x": "1"}}) == []
    assert platform_failures(platforms, {"a": {"x": "1"}, "b": {"x": "2"}}) == [
        "b: pins other versions than the manifest tells of there"
    ]
