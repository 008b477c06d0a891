"""What a package may weigh: each limit that is exceeded is named, with what weighs most."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest

from nbship.adapters.bundles.inspecting import import_times
from nbship.errors import ReleaseError
from nbship.records.inspection import Distribution, ImportTime
from nbship.records.release import Export
from nbship.release.budgets import Budget, over_budget
from nbship.workflow.bundle_files import read_record
from support.captures import write_capture
from support.exports import exported
from support.releases import FakeReplayer, ReleaseCase

MIB = 1 << 20
REPORT = """\
import time: self [us] | cumulative | imported package
import time:       110 |        110 |   _io
import time:      2000 |       4500 |   numpy.linalg
import time:       900 |        900 |     numpy
an author's warning: import time: never
import time:        40 |         40 | sklearn
"""


def distribution(name, size_bytes):
    return Distribution(name=name, version="1", licence="MIT", size_bytes=size_bytes)


def inspection():
    return dataclasses.replace(
        FakeReplayer().inspect(None, None, package="p", python_version="3.11.7"),
        distributions=(
            distribution("small", 1),
            distribution("scipy", 90 * MIB),
            distribution("numpy", 40 * MIB),
            distribution("pandas", 60 * MIB),
        ),
        installed_bytes=200 * MIB,
        load_ms=2500.0,
        imports=(
            ImportTime(name="scipy", self_ms=1200.0),
            ImportTime(name="fares", self_ms=300.0),
        ),
    )


CAPTURE = SimpleNamespace(
    state=(
        SimpleNamespace(name="model", size_bytes=3 * MIB),
        SimpleNamespace(name="table", size_bytes=MIB // 2),
    )
)


def found(**limits):
    return over_budget(
        Budget(**limits), wheel_bytes=4 * MIB, capture=CAPTURE, inspection=inspection()
    )


def test_without_limits_nothing_is_too_much():
    assert found() == ()
    assert not Budget().is_set
    assert found(wheel_mib=4, install_mib=200, import_s=2.5) == ()


def test_each_limit_is_told_with_what_has_the_largest_part():
    wheel, installed, imported = found(wheel_mib=1.5, install_mib=100, import_s=1)

    assert wheel == (
        "the wheel has 4 MiB, more than export.wheel_mib = 1.5; most of it: state of model "
        "3 MiB, state of table 0.5 MiB"
    )
    assert installed == (
        "all that is installed has 200 MiB, more than export.install_mib = 100; most of it: "
        "scipy 90 MiB, pandas 60 MiB, numpy 40 MiB"
    )
    assert imported == (
        "the import takes 2.5 s, more than export.import_s = 1; most of it: scipy 1.2 s, "
        "fares 0.3 s"
    )


def test_import_times_are_added_up_by_top_level_name():
    assert import_times(REPORT) == (
        ImportTime(name="numpy", self_ms=2.9),
        ImportTime(name="_io", self_ms=0.11),
        ImportTime(name="sklearn", self_ms=0.04),
    )


def test_a_package_over_its_budget_is_not_released(tmp_path):
    case = ReleaseCase(tmp_path).approve()

    with pytest.raises(ReleaseError) as caught:
        case.release(
            version="1.0.0",
            wish={"budget": Budget(install_mib=0.01, import_s=0.01)},
        )

    assert caught.value.message == (
        "fare is over its budget:\n"
        "all that is installed has 0.0381 MiB, more than export.install_mib = 0.01; most of "
        "it: packaging 0.191 MiB, six 0.000858 MiB\n"
        "the import takes 0.0125 s, more than export.import_s = 0.01"
    )
    assert list(case.store.releases.glob("fares/*")) == []
    case.release(version="1.0.0", wish={"budget": Budget(install_mib=1, import_s=1)})


def test_an_export_over_its_budget_is_made_and_told(tmp_path):
    export = exported(
        write_capture(tmp_path / "capture", requirements={}),
        tmp_path / "export",
        package="fares",
        replayer=FakeReplayer(),
        budget=Budget(import_s=0.001),
    )

    assert export.over_budget == (
        "the import takes 0.0125 s, more than export.import_s = 0.001",
    )
    assert read_record(Export, tmp_path / "export" / "export.json") == export
