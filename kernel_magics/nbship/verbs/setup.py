"""The verbs that set a project up: init, config, completion."""

from __future__ import annotations

from dataclasses import MISSING
from typing import TYPE_CHECKING, Any

from nbship.records.codec import to_json
from nbship.settings import setting_fields
from nbship.verbs.answer import Answer, Context, Verb
from nbship.verbs.completing import SCRIPTS, complete, words_of
from nbship.workflow.project import make_project

if TYPE_CHECKING:
    import argparse


def _init(context: Context, _arguments: argparse.Namespace) -> Answer:
    project = context.workbench.settings.project
    changes = make_project(project, context.workbench.write_text)
    lines = [f"{change.path}: {change.what}" for change in changes]
    return Answer(text="\n".join(lines), data=[to_json(change) for change in changes])


def _config(context: Context, _arguments: argparse.Namespace) -> Answer:
    settings = context.workbench.settings
    rows = []
    for key, field in setting_fields().items():
        value = to_json(getattr(settings, field.name))
        origin = settings.origins.get(key, "default")
        rows.append(
            {
                "key": key,
                "value": value,
                "from": origin,
                "about": field.metadata["about"],
            }
        )
    head = f"project {settings.project}\nstore   {settings.store}\n"
    lines = [
        f"{r['key']} = {_shown(r['value'])}   ({r['from']})\n    {r['about']}"
        for r in rows
    ]
    data: dict[str, Any] = {
        "project": str(settings.project),
        "store": str(settings.store),
        "settings": rows,
    }
    return Answer(text="\n".join([head, *lines]), data=data)


def _shown(value: Any) -> str:  # noqa: ANN401  # any JSON value
    if value in ("", [], None, MISSING):
        return "-"
    return ", ".join(map(_word, value)) if isinstance(value, list) else str(value)


def _word(value: Any) -> str:  # noqa: ANN401  # any JSON value
    """Write an item of a list; a record as its keys and values that are set."""
    if not isinstance(value, dict):
        return str(value)
    return " ".join(f"{k}={v}" for k, v in value.items() if v not in ("", None))


def _completion(_context: Context, arguments: argparse.Namespace) -> Answer:
    script = SCRIPTS[arguments.shell]
    return Answer(text=script, data={"shell": arguments.shell, "script": script})


def _complete(context: Context, arguments: argparse.Namespace) -> Answer:
    words = arguments.words if arguments.line is None else words_of(arguments.line)
    found = complete(words, context)
    return Answer(text="\n".join(found), data=found)


def _add_shell(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "shell", choices=tuple(SCRIPTS), help="the shell to complete for"
    )


def _add_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", help="the words so far")
    parser.add_argument("--line", help="instead: the line up to the cursor")


VERBS: tuple[Verb, ...] = (
    Verb(
        name="init",
        stage="Setup",
        help="write a commented settings file and .gitignore lines",
        run=_init,
    ),
    Verb(
        name="config",
        stage="Setup",
        help="show each setting with where it came from",
        run=_config,
    ),
    Verb(
        name="completion",
        stage="Setup",
        help="print the completion script of a shell",
        run=_completion,
        add_arguments=_add_shell,
    ),
    Verb(
        name="complete",
        stage="Setup",
        help="propose words",
        run=_complete,
        add_arguments=_add_words,
        is_internal=True,
    ),
)
