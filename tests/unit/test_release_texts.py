"""Pins, locks, checksums, names: the texts of a bundle."""

import pytest

from nbship.adapters.bundles.uv import uv_variables
from nbship.errors import ReleaseError, VerificationError
from nbship.records.ssh import is_canonical
from nbship.release.lock_text import read_lock
from nbship.release.names import (
    check_name,
    check_package,
    check_version,
    default_package,
    next_version,
)
from nbship.release.parity import parity_of
from nbship.release.requirements import compatible_range, requires_python
from nbship.release.sums import read_sums, sums_text

HASH = "sha256:" + "a1" * 32


@pytest.mark.parametrize(
    ("pin", "range_"),
    [
        ("scikit-learn==1.9.1", "scikit-learn~=1.9.1"),
        ("tzdata==2026.6", "tzdata~=2026.6"),
        ("torch==2.13.0+cpu", "torch~=2.13.0"),
        ("six==5", "six>=5,<6"),
        ("numpy==2.4.0rc1", "numpy~=2.4.0rc1"),
    ],
)
def test_a_pin_becomes_a_range_of_bug_fixes(pin, range_):
    assert compatible_range(pin) == range_


def test_only_the_tested_minor_version_is_declared():
    assert requires_python("3.11.7") == ">=3.11,<3.12"


def test_a_lock_of_pins_with_hashes_is_read():
    text = f"numpy==2.4.6 \\\n    --hash={HASH} \\\n    --hash={HASH}\nPandas==3.1.1 ; python_version < '3.12' \\\n    --hash={HASH}\n"

    assert read_lock(text) == {"numpy": "2.4.6", "pandas": "3.1.1"}


@pytest.mark.parametrize(
    "line",
    [
        "numpy==2.4.6",
        "--index-url https://elsewhere",
        f"--extra-index-url https://elsewhere\nnumpy==2.4.6 --hash={HASH}",
        f"numpy @ https://elsewhere/numpy.whl --hash={HASH}",
        f"numpy>=2 --hash={HASH}",
        f"-e . --hash={HASH}",
        f"numpy==2.4.6 --hash={HASH} --config-settings x=y",
    ],
)
def test_a_lock_with_anything_else_in_it_is_refused(line):
    with pytest.raises(VerificationError, match=r"requirements\.lock"):
        read_lock(line)


def test_checksums_are_read_as_far_as_they_can_be():
    text = sums_text({"b": "2" * 64, "a": "1" * 64})

    assert read_sums(text) == ({"a": "1" * 64, "b": "2" * 64}, [])
    assert read_sums(text.replace("1" * 64, "x")) == (
        {"b": "2" * 64},
        ["SHA256SUMS: line 1 is no checksum of a file"],
    )


@pytest.mark.parametrize("path", ["/etc/passwd", "../a", "a/../../b", "a\\b"])
def test_checksums_name_no_file_outside_of_the_bundle(path):
    assert read_sums(f"{'1' * 64}  {path}\n")[0] == {}


def test_checksums_out_of_order_are_no_checksums_of_ours():
    assert read_sums(f"{'1' * 64}  b\n{'1' * 64}  a\n")[1] == [
        "SHA256SUMS: its lines are not in order"
    ]


def test_a_seal_with_another_blank_is_not_canonical():
    seal = (
        "-----BEGIN SSH SIGNATURE-----\n" + "QUJD" * 17 + "QU\nJD"
    )  # 70 characters a line
    whole = seal + "\n-----END SSH SIGNATURE-----\n"

    assert is_canonical(whole)
    assert not is_canonical(whole + "\n")
    assert not is_canonical(whole.replace("\n", "\x0b", 1))
    assert not is_canonical("")


@pytest.mark.parametrize(
    "package", ["json", "two words", "1st", "class", "pandas", "../up", ""]
)
def test_a_name_that_python_cannot_import_is_refused(package):
    with pytest.raises(ReleaseError, match=r"name|module|package"):
        check_package(package, {"pandas": "pandas==3.1.1"})


@pytest.mark.parametrize("version", ["1", "1.0.0", "2.1rc1", "1.0.post2"])
def test_versions_are_versions(version):
    check_version(version)


@pytest.mark.parametrize("version", ["", "v1", "1.0-beta", "../1", "01.2", "1.0+cpu"])
def test_other_words_are_no_versions(version):
    with pytest.raises(ReleaseError, match="version"):
        check_version(version)


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden"])
def test_a_release_is_named_as_a_folder_is(name):
    with pytest.raises(ReleaseError, match="name"):
        check_name(name)


def test_a_package_is_named_after_its_notebook():
    assert default_package("models/Penguin mass (v2).ipynb") == "penguin_mass_v2"
    assert default_package("2026-11.ipynb") == "model_2026_11"


def test_the_next_version_follows_the_highest():
    assert next_version([]) == "1.0.0"
    assert next_version(["1.9.0", "1.10.3", ".tmp"]) == "1.11.0"


def test_two_replays_must_agree_to_the_last_bit():
    first = {
        "changed": [],
        "differences": [],
        "answers": {"1": "a", "2": "b"},
        "cases": 2,
        "rows": 24,
        "python": "3.11.7",
    }

    same = parity_of([first, first], isolation="namespace", duration_s=1.0)
    other = parity_of(
        [first, {**first, "answers": {"1": "a", "2": "c"}}],
        isolation="namespace",
        duration_s=1.0,
    )

    assert same.passed
    assert same.is_proven
    assert not other.passed
    assert other.differences == ("case 2: another answer when it was replayed again",)


def test_a_replay_of_nothing_proves_nothing():
    nothing = {
        "changed": [],
        "differences": [],
        "answers": {},
        "cases": 0,
        "rows": 0,
        "python": "3.11.7",
    }

    assert not parity_of([nothing], isolation="guard", duration_s=0.1).passed


def test_pips_configuration_becomes_uvs():
    pip = {
        "index-url": "https://mirror/simple",
        "extra-index-url": "file:///opt/a\nfile:///opt/b",
        "find-links": "/opt/wheels /opt/more",
        "no-index": "true",
        "trusted-host": "mirror",
    }

    assert uv_variables(pip) == {
        "UV_DEFAULT_INDEX": "https://mirror/simple",
        "UV_INDEX": "file:///opt/a file:///opt/b",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/opt/wheels,/opt/more",
        "UV_NO_INDEX": "1",
        "UV_INSECURE_HOST": "mirror",
    }
