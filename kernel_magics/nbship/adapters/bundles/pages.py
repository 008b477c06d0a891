"""The pages of a bundle, filled in by Jinja."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.resources import template_folder

if TYPE_CHECKING:
    from collections.abc import Mapping


class JinjaPages:
    """Fills the templates of ``templates/deploy``."""

    def write(self, template: str, facts: Mapping[str, Any]) -> str:
        """Fill the template of that name, such as ``HANDOFF.md``; an unknown name is an error."""
        import jinja2

        loader = jinja2.FileSystemLoader(template_folder("deploy"))
        pages = jinja2.Environment(
            loader=loader,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,  # noqa: S701  # Markdown and YAML; every fact is one of ours
        )
        pages.filters |= {"cell": _cell, "code": _code, "line": _line}
        return pages.get_template(f"{template}.jinja").render(**facts)


def _line(value: object) -> str:
    """Keep a fact on its line."""
    return " ".join(str(value).split())


def _cell(value: object) -> str:
    """Keep a fact on its line and inside its cell of a table."""
    return _line(value).replace("|", "\\|").replace("<", "&lt;")


def _code(value: object) -> str:
    """Write somebody else's name as code that ends where the name does, inside a cell too."""
    text = _line(value).replace("|", "\\|").replace("`", "'")
    return f"`{text}`"
