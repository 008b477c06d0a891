"""Making a project: a commented settings file and .gitignore lines."""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from typing import TYPE_CHECKING

from nbship.settings import setting_fields, settings_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_IGNORED = (".mlops/",)
_EXAMPLES = {
    "experiment": '"churn"',
    "job.kernel": '"python3"',
    "export.roots": '["predict"]',
    "export.package": '"churn"',
    "vet.metrics": '{ accuracy = { minimum = 0.9, direction = "maximize" } }',
    "vet.waivers": '[{ code = "NB205", reason = "…", person = "…", expires_on = "2027-01-31" }]',
    "review.key": '"~/.ssh/id_ed25519"',
    "release.owner": '"team-churn@example.org"',
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One file that ``mlops init`` looked at."""

    path: str
    #: ``written``, ``added to`` or ``left as it is``
    what: str


def make_project(
    project: Path, write_text: Callable[[str, Path], None]
) -> tuple[Change, ...]:
    """Write what a project needs and does not have yet; nothing that is there is changed.

    Settings go to ``pyproject.toml`` where there is one, else to ``mlops.toml``.

    Parameters
    ----------
    project
        The project's folder.
    write_text
        Writes a whole file or none.
    """
    return (_settings(project, write_text), _gitignore(project, write_text))


def settings_template(prefix: str) -> str:
    """Write every key with its meaning, all commented out.

    Parameters
    ----------
    prefix
        ``tool.mlops`` for ``pyproject.toml``, empty for ``mlops.toml``.
    """
    sections: dict[str, list[str]] = {}
    for key, field in setting_fields().items():
        section, _, name = key.rpartition(".")
        example = _EXAMPLES.get(key) or _toml(
            field.default if field.default is not MISSING else ""
        )
        sections.setdefault(section, []).append(
            f"# {name} = {example}  # {field.metadata['about']}"
        )
    blocks = []
    for section, lines in sections.items():
        title = ".".join(part for part in (prefix, section) if part)
        blocks.append("\n".join(([f"[{title}]"] if title else []) + lines))
    return "\n\n".join(blocks) + "\n"


def _settings(project: Path, write_text: Callable[[str, Path], None]) -> Change:
    present = settings_file(project)
    if present is not None:
        return Change(
            path=present.name, what="left as it is: it holds settings of nbship"
        )
    pyproject = project / "pyproject.toml"
    if pyproject.is_file():
        text = pyproject.read_text("utf-8").rstrip("\n")
        write_text(f"{text}\n\n{settings_template('tool.mlops')}", pyproject)
        return Change(path=pyproject.name, what="added [tool.mlops]")
    head = "# Settings of nbship. Each line shows a default or an example; remove the # to set it.\n\n"
    write_text(head + settings_template(""), project / "mlops.toml")
    return Change(path="mlops.toml", what="written")


def _gitignore(project: Path, write_text: Callable[[str, Path], None]) -> Change:
    path = project / ".gitignore"
    text = path.read_text("utf-8") if path.is_file() else ""
    missing = [line for line in _IGNORED if line not in text.splitlines()]
    if not missing:
        return Change(path=path.name, what="left as it is")
    start = f"{text.rstrip(chr(10))}\n" if text else ""
    write_text(start + "\n".join(missing) + "\n", path)
    return Change(path=path.name, what=f"added {', '.join(missing)}")


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{item}"' for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
