"""The page of all verbs: ``python -m nbship.verbs.reference > docs/cli.md``; a test compares."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from nbship.verbs.parser import actions_of, all_verbs, verb_parser

if TYPE_CHECKING:
    import argparse

    from nbship.verbs.answer import Verb

_HEAD = """\
# Verbs

Made by `python -m nbship.verbs.reference`: change the parser, not this page.

The same verbs in a shell (`mlops VERB …`), in a notebook (`%mlops VERB …`) and, where they take a body, as a cell
(`%%mlops VERB`). Every verb takes `--help`, and `--json` for programs.

| exit code | means |
|---|---|
| 0 | done |
| 1 | the answer is no: a job failed, a verdict blocks, a bundle does not verify |
| 2 | the words were not understood |
| 3 | refused: input, settings or machine are in the way, and nothing was changed |
"""
_COMMON = {"help", "json"}
_REPEATED = {"+": " …", "*": " …"}


def page() -> str:
    """Write the page: the verbs by stage, each with its words."""
    stages: dict[str, list[str]] = {}
    for verb in all_verbs().values():
        if not verb.is_internal:
            stages.setdefault(verb.stage, []).append(_section(verb))
    chapters = (f"## {stage}\n\n" + "\n".join(parts) for stage, parts in stages.items())
    return "\n".join((_HEAD, *chapters))


def _section(verb: Verb) -> str:
    actions = [a for a in actions_of(verb_parser(verb)) if a.dest not in _COMMON]
    usage = " ".join(("mlops", verb.name, *(_in_usage(a) for a in actions)))
    rows = [f"| `{_in_cell(_word(a))}` | {_in_cell(_meaning(a))} |" for a in actions]
    table = ["", "| word | means |", "|---|---|", *rows] if rows else []
    about = f"{verb.help[:1].upper()}{verb.help[1:]}."
    return "\n".join((f"### `{usage}`", "", about, *table, ""))


def _in_usage(action: argparse.Action) -> str:
    is_free = not action.required or action.nargs in {"?", "*"}
    return f"[{_word(action)}]" if is_free else _word(action)


def _word(action: argparse.Action) -> str:
    """Write an argument as it is typed: ``--step STEP``, ``name=value …``."""
    value = "" if action.nargs == 0 else _value(action)
    return " ".join(part for part in (*action.option_strings[:1], value) if part)


def _value(action: argparse.Action) -> str:
    names = "|".join(map(str, action.choices or ()))
    name = action.metavar or names or action.dest
    word = name if isinstance(name, str) else " ".join(name)
    if action.option_strings and not action.metavar:
        word = word.upper()
    return word + _REPEATED.get(str(action.nargs), "")


def _meaning(action: argparse.Action) -> str:
    return (action.help or "") % dict(vars(action), prog="mlops")


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page())
