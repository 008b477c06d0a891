"""What the tests of a bundle share: its package, as it is installed where they run.

Install the lock and the wheel, add pytest, and run ``python -B -m pytest tests`` in the bundle's
folder: ``-B`` leaves no file behind, which `mlops verify` would name. Nothing of nbship is needed.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

BUNDLE = Path(__file__).resolve().parent.parent
GOLDEN = BUNDLE / "tests" / "golden.jsonl"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes ``case`` once for each recorded call."""
    if "case" in metafunc.fixturenames:
        cases = [json.loads(line) for line in GOLDEN.read_text("utf-8").splitlines()]
        names = [f"case-{case['case']}" for case in cases]
        metafunc.parametrize("case", cases, ids=names)


class Package:
    """The package that is installed, by its public doors and its reader of recorded values."""

    def __init__(self) -> None:
        self.manifest = json.loads((BUNDLE / "manifest.json").read_text("utf-8"))
        self.name: str = self.manifest["package"]
        self.module = importlib.import_module(self.name)
        self.values = importlib.import_module(f"{self.name}._values")
        # what the code reads from the environment and cannot do without
        importlib.import_module(f"{self.name}.parity._replay").set_placeholders()
        self.golden = importlib.import_module(f"{self.name}._golden")
        self.predict = self.module.predict

    @property
    def form(self) -> str:
        """What ``predict`` takes: ``frame``, ``array`` or ``arguments``."""
        return str(self.manifest["signature"]["input_form"])

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """The columns of the input."""
        found: list[dict[str, Any]] = self.manifest["signature"]["inputs"]
        return found

    def cases(self) -> list[dict[str, Any]]:
        """Read the recorded calls."""
        return [json.loads(line) for line in GOLDEN.read_text("utf-8").splitlines()]

    def arguments(self, case: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Read the arguments of a recorded call anew."""
        arguments, named = self.golden.arguments_of(case)
        return arguments, named

    def encode(self, value: Any) -> Any:
        """Write a value as JSON, objects described."""
        return self.golden.encoded_answer(value)

    @property
    def is_for_python(self) -> bool:
        """Whether it takes or gives objects, which no file of rows can hold."""
        signature = self.manifest["signature"]
        columns = [*signature["inputs"], *signature["outputs"]]
        return any(column["dtype"] == "opaque" for column in columns)

    def command(self, *words: str) -> int:
        """Run ``python -m PACKAGE`` in this process and return its exit code."""
        main = importlib.import_module(f"{self.name}.__main__").main
        return int(main(list(words)))


@pytest.fixture(scope="session")
def package() -> Package:
    """Return the installed package."""
    return Package()
