"""The one parser of ``%mlops`` and ``mlops``."""

from __future__ import annotations

import argparse
import difflib
import shlex
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from nbship.errors import UsageError
from nbship.verbs.answer import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbship.verbs.answer import Context, Verb

#: modules with a tuple ``VERBS``, in the order of the path
_MODULES = (
    "setup",
    "design",
    "params",
    "jobs",
    "queueing",
    "ci",
    "sweeps",
    "vetting",
    "review",
    "export",
    "release",
)


def all_verbs() -> dict[str, Verb]:
    """Every verb by its name, in the order of the path."""
    modules = (import_module(f"nbship.verbs.{name}") for name in _MODULES)
    return {verb.name: verb for module in modules for verb in module.VERBS}


def run_words(words: Sequence[str], context: Context) -> tuple[Answer, bool]:
    """Parse the words of one call and run its verb.

    Returns
    -------
    tuple of Answer and bool
        The answer, and whether ``--json`` was asked for.

    Raises
    ------
    NbshipError
        Whatever the verb refuses; ``UsageError`` where the words are not understood.
    """
    if not words or words[0] in {"-h", "--help", "help"}:
        return Answer(text=overview()), False
    verb = find_verb(words[0])
    try:
        arguments = verb_parser(verb).parse_args(list(words[1:]))
    except _HelpShownError as shown:
        return Answer(text=shown.text), False
    return verb.run(context, arguments), arguments.json


def split_line(line: str) -> list[str]:
    """Split the line of a magic into words, as a shell does.

    Raises
    ------
    UsageError
        If a quotation is not closed.
    """
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(
            f"%mlops {line}: {error}", hint="Close the quotation."
        ) from error


def find_verb(name: str) -> Verb:
    """Return the verb of that name.

    Raises
    ------
    UsageError
        If there is none; the nearest one is named.
    """
    verbs = all_verbs()
    if name in verbs:
        return verbs[name]
    near = difflib.get_close_matches(name, verbs, n=1)
    raise UsageError(
        f"mlops: no verb {name!r}",
        hint=f"Did you mean {near[0]!r}?"
        if near
        else "`mlops --help` lists the verbs.",
    )


def overview() -> str:
    """Write the help: the verbs by stage."""
    lines = ["usage: mlops VERB ... (in a notebook: %mlops VERB ...)"]
    stages: dict[str, list[Verb]] = {}
    for verb in all_verbs().values():
        if not verb.is_internal:
            stages.setdefault(verb.stage, []).append(verb)
    for stage, verbs in stages.items():
        lines += ["", f"{stage}:", *(f"  {verb.name:<12}{verb.help}" for verb in verbs)]
    lines += [
        "",
        "`mlops VERB --help` explains one verb; every verb takes --json.",
        "exit codes: 0 done, 1 the answer is no, 2 words not understood, 3 refused",
    ]
    return "\n".join(lines)


def verb_parser(verb: Verb) -> argparse.ArgumentParser:
    """Make the parser of one verb."""
    parser = _Parser(
        prog=f"mlops {verb.name}",
        description=verb.help,
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument("-h", "--help", action=_Help, help="show this help")
    parser.add_argument("--json", action="store_true", help="answer as JSON")
    verb.add_arguments(parser)
    return parser


def actions_of(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """List the arguments of a parser, in the order they were added."""
    return parser._actions  # noqa: SLF001  # argparse offers no other way


class _HelpShownError(Exception):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class _Help(argparse.Action):
    def __init__(self, **options: object) -> None:
        options.pop("nargs", None)
        super().__init__(nargs=0, **options)  # type: ignore[arg-type]

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        raise _HelpShownError(parser.format_help())


class _Parser(argparse.ArgumentParser):
    """An argparse parser that raises instead of leaving the process."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(
            f"{self.prog}: {message}", hint=f"`{self.prog} --help` shows what it takes."
        )
