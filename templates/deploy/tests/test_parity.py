"""The package answers as the notebook did."""

from __future__ import annotations

from typing import Any


def test_an_answer_is_the_recorded_one(package: Any, case: dict[str, Any]) -> None:
    arguments, named = package.arguments(case)

    answer = package.predict(*arguments, **named)

    assert package.values.compare(case["output"], answer) == []


def test_the_package_finds_its_own_files_unchanged(package: Any) -> None:
    assert package.command("verify") == 0


def test_the_installed_version_is_the_one_of_the_bundle(package: Any) -> None:
    assert package.module.__version__ == package.manifest["version"]
