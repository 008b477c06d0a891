"""The pieces of an environment's lock: what uv says, what is compared, wheels from files."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from nbship.adapters.bundles.built import pack_source
from nbship.adapters.bundles.environment_lock import (
    blocks_of,
    complained_about,
    lock_environment,
)
from nbship.adapters.bundles.installed import Installed, read_installation
from nbship.adapters.bundles.packed import pack_installed
from nbship.adapters.bundles.rebuilt import install_lock, placed_lock
from nbship.adapters.probes.environment import probe_environment
from nbship.errors import ReleaseError
from nbship.records.digest import digest_file
from nbship.records.job import Lock
from nbship.records.locks import lock_differences, lock_of, with_sources
from nbship.release.lock_text import read_lock
from support.small_environment import make_environment, write_project, write_wheel


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """An environment without any package of an index."""
    folder = tmp_path_factory.mktemp("small")
    wheel, project = write_wheel(folder / "wheels"), write_project(folder / "helping")
    return make_environment(folder / "env", wheel, "-e", project)


def _package(python, name):
    installation = read_installation(python)
    found = next(p for p in installation.packages if p.name == name)
    return found, installation


def _installed(folder, *tags):
    info = folder / "x.dist-info"
    info.mkdir()
    (info / "WHEEL").write_text("".join(f"Tag: {tag}\n" for tag in tags))
    return Installed(name="x", version="5", info=info)


UV_LOCK = """
[[packages]]
name = "X"
version = "5"
wheels = [
  { url = "https://h/x-5-cp38-abi3-manylinux_2_28_x86_64.whl", hashes = { sha256 = "aa" } },
  { url = "https://h/x-5-cp39-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", hashes = { sha256 = "bb" } },
]
"""


@pytest.mark.parametrize(
    ("tag", "digests"),
    [
        ("cp39-abi3-manylinux_2_17_x86_64", ["bb"]),
        ("cp38-abi3-manylinux_2_28_x86_64", ["aa"]),
        ("cp39-abi3-linux_x86_64", ["bb"]),
        ("cp40-abi3-manylinux_2_17_x86_64", []),
    ],
)
def test_the_wheel_that_is_installed_is_pinned_by_its_tags(tmp_path, tag, digests):
    blocks = blocks_of(UV_LOCK, {"x": _installed(tmp_path, tag)})

    hashes = " \\\n".join(f"    --hash=sha256:{digest}" for digest in digests)
    assert blocks == ({"x": f"x==5 \\\n{hashes}\n"} if digests else {})


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        (
            "Because there is no version of our-tool==3.1 and you require it",
            {"our-tool"},
        ),
        ("Because our_tool was not found in the package registry", {"our-tool"}),
        ("Because numpy==9 has no wheels, and our-tool==3.1", {"numpy", "our-tool"}),
        ("error sending request for url", set()),
    ],
)
def test_the_packages_that_uv_complains_about_are_found(errors, expected):
    assert complained_about(errors, ["numpy", "our-tool"]) == expected


def test_an_installed_wheel_is_packed_so_that_it_installs_the_same_files(
    small, tmp_path
):
    scaling, installation = _package(small, "scaling")

    wheel = pack_installed(scaling, installation, tmp_path)

    assert wheel.name == "scaling-1.5+cpu-py3-none-any.whl"
    original = next(Path(small).parents[2].glob("wheels/*.whl"))
    with zipfile.ZipFile(wheel) as packed, zipfile.ZipFile(original) as first:
        names = set(first.namelist())
        assert set(packed.namelist()) == names
        assert all(packed.read(n) == first.read(n) for n in names if "RECORD" not in n)
        script = packed.getinfo("scaling-1.5+cpu.data/scripts/scaling-tool")
        assert script.external_attr >> 16 == 0o100755
    again = make_environment(tmp_path / "again", wheel)
    planned, found = (lock_of(probe_environment(p)) for p in (small, again))
    assert lock_differences(planned, found, built=set()) == ["helping is missing"]


def test_a_wheel_is_packed_into_the_same_bytes_every_time(small, tmp_path):
    scaling, installation = _package(small, "scaling")

    digests = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        wheel = pack_installed(scaling, installation, tmp_path / name)
        digests.add(digest_file(wheel))

    assert len(digests) == 1


def test_a_distribution_with_a_file_gone_is_not_packed(tmp_path):
    python = make_environment(tmp_path / "env", write_wheel(tmp_path / "wheels"))
    scaling, installation = _package(python, "scaling")
    (scaling.info.parent / "scaling" / "table.txt").unlink()

    with pytest.raises(ReleaseError, match=r"scaling/table.txt is gone"):
        pack_installed(scaling, installation, tmp_path)


def test_an_editable_source_is_packed_as_it_lies(small, tmp_path):
    helping, installation = _package(small, "helping")

    wheel = pack_source(helping, installation, tmp_path)

    again = make_environment(tmp_path / "again", wheel)
    code = "import helping; from importlib.metadata import version as v; print(helping.ANSWER, v('helping'))"
    done = subprocess.run(
        [again, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "42 0.3.1\n"


def test_editing_an_editable_source_changes_the_lock(tmp_path):
    project = write_project(tmp_path / "helping")
    python = make_environment(tmp_path / "env", "-e", project)
    first = lock_of(probe_environment(python))

    (project / "src" / "helping" / "__init__.py").write_text("ANSWER = 43\n")
    second = lock_of(probe_environment(python))

    assert first.packages.keys() == second.packages.keys() == {"helping"}
    changed = [
        k
        for k, v in first.packages["helping"].items()
        if v != second.packages["helping"][k]
    ]
    assert changed == ["source_digest"]


def test_a_path_in_front_of_an_editable_source_is_what_counts(tmp_path, monkeypatch):
    project = write_project(tmp_path / "helping")
    python = make_environment(tmp_path / "env", "-e", project)
    other = write_project(tmp_path / "other", answer=43)
    monkeypatch.setenv("PYTHONPATH", str(other / "src"))

    (package,) = probe_environment(python).packages

    assert package.source_folders == (str(other / "src"),)


def test_what_cannot_be_locked_is_named(tmp_path):
    python = make_environment(tmp_path / "env", write_wheel(tmp_path / "wheels"))
    scaling, _ = _package(python, "scaling")
    (scaling.info.parent / "scaling" / "table.txt").unlink()
    (tmp_path / "wheelhouse").mkdir()

    locked = lock_environment(python, tmp_path / "wheelhouse")

    assert (locked.requirements, locked.wheels) == ("", ())
    assert locked.missing == ("scaling",)
    assert "scaling/table.txt is gone" in locked.remarks[0]


def test_a_lock_of_wheels_alone_holds_pins_with_hashes(small, tmp_path):
    locked = lock_environment(small, tmp_path)

    assert read_lock(locked.requirements) == {"helping": "0.3.1", "scaling": "1.5+cpu"}
    assert [(w.name, w.reason) for w in locked.wheels] == [
        ("helping", "editable"),
        ("scaling", "local"),
    ]
    assert all(digest_file(tmp_path / w.file) == w.digest for w in locked.wheels)


def test_versions_are_compared_and_contents_where_they_can_be():
    def lock(**packages):
        return Lock(python_version="3.11.7", packages=packages)

    planned = lock(
        a={"version": "1", "content_digest": "x"},
        b={"version": "1", "content_digest": "x"},
        c={"version": "1"},
        d={"version": "1"},
        e={"version": "1", "content_digest": "x"},
    )
    found = lock(
        a={"version": "1", "content_digest": "y"},
        b={"version": "2", "content_digest": "x"},
        c={"version": "1", "content_digest": "y"},
        e={"version": "1", "content_digest": "y"},
        f={"version": "1"},
    )

    assert lock_differences(planned, found, built={"e"}) == [
        "a 1: its files differ",
        "b 2, was 1",
        "d is missing",
        "f was not there",
    ]


def test_an_editable_source_counts_as_it_was_when_the_kernel_began():
    def lock(version, source):
        entries = {"a": {"version": version, "source_digest": source}, "b": {}}
        return Lock(python_version="3.11.7", packages=entries)

    assert with_sources(lock("1", "new"), lock("1", "old")) == lock("1", "old")
    assert with_sources(lock("2", "new"), lock("1", "old")) == lock("2", "old")
    assert with_sources(lock("1", "x"), Lock(python_version="")) == lock("1", "x")


def test_a_carried_wheel_is_taken_from_its_place_and_not_from_an_index(tmp_path):
    wheel = write_wheel(tmp_path)
    lock = "a-scaling==1 \\\n    --hash=sha256:aa\nscaling==1.5+cpu \\\n    --hash=sha256:bb\n"

    placed = placed_lock(lock, tmp_path)

    assert placed == lock.replace("scaling==1.5+cpu", f"scaling @ {wheel.as_uri()}")


def test_a_lock_of_wheels_alone_is_rebuilt(small, tmp_path):
    locked = lock_environment(small, tmp_path)
    requirements = tmp_path / "requirements.lock"
    requirements.write_text(locked.requirements)
    planned = lock_of(probe_environment(small))

    python = install_lock(
        requirements,
        tmp_path,
        into=tmp_path / "env",
        python_version=planned.python_version,
    )

    found = lock_of(probe_environment(python))
    assert lock_differences(planned, found, built={"helping"}) == []
