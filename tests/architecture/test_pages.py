"""Pages that repeat what the code says are compared with it."""

import inspect
import json
import re
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from nbship import ports, ports_shipping, records, variables
from nbship.settings import setting_fields
from nbship.verbs.reference import page

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")


def test_the_page_of_verbs_is_what_the_parser_says():
    assert (DOCS / "cli.md").read_text("utf-8") == page(), (
        "run: python -m nbship.verbs.reference > docs/cli.md"
    )


def test_the_page_of_settings_has_every_key_with_its_default_and_meaning():
    rows = re.findall(
        r"^\| `([a-z_.]+)` \| `(.*)` \| (.*) \|$",
        (DOCS / "settings.md").read_text("utf-8"),
        re.MULTILINE,
    )

    assert rows == [
        (key, _toml(field.default), field.metadata["about"])
        for key, field in setting_fields().items()
    ]


def _toml(default):
    return json.dumps(list(default) if isinstance(default, tuple) else default)


def test_the_page_of_settings_names_every_other_variable():
    text = (DOCS / "settings.md").read_text("utf-8")

    names = [v for k, v in vars(variables).items() if k.isupper()]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_the_index_lists_every_page():
    listed = re.search(
        r"```\{toctree\}\n(.*?)```", (DOCS / "index.md").read_text("utf-8"), re.DOTALL
    )

    assert sorted(listed[1].split()) == sorted(
        path.stem for path in DOCS.glob("*.md") if path.stem != "index"
    )


@pytest.mark.parametrize("page_path", [*DOCS.glob("*.md"), *ROOT.glob("*.md")])
def test_links_between_pages_lead_somewhere(page_path):
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page_path.read_text("utf-8"))

    assert [link for link in links if not (page_path.parent / link).exists()] == []


def test_the_architecture_names_every_port():
    classes = [
        name
        for name, value in (vars(ports) | vars(ports_shipping)).items()
        if inspect.isclass(value) and value.__module__.startswith(ports.__name__)
    ]

    assert [name for name in classes if f"`{name}`" not in ARCHITECTURE] == []


def test_the_architecture_names_every_schema():
    modules = [
        import_module(f"nbship.records.{module.name}")
        for module in iter_modules(records.__path__)
    ]
    schemas = {
        value.SCHEMA
        for module in modules
        for value in vars(module).values()
        if is_dataclass(value) and hasattr(value, "SCHEMA")
    }

    assert sorted(name for name in schemas if name not in ARCHITECTURE) == []
