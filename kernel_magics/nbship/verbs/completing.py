"""Completion: what may stand at the place of the last word of a command line."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.errors import NbshipError, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from nbship.records.notebook import Notebook
    from nbship.records.parameters import Parameter
    from nbship.verbs.answer import Context

#: print the script of a shell; each asks ``mlops complete`` and falls back to files
SCRIPTS = {
    "bash": r"""_mlops() {
  local line="${COMP_LINE:0:COMP_POINT}" word
  mapfile -t COMPREPLY < <(mlops complete --line="$line" 2>/dev/null)
  [[ -z ${COMPREPLY[0]} ]] && COMPREPLY=() && return
  word="${line##* }"
  if [[ $word == *=* && $COMP_WORDBREAKS == *=* ]]; then
    COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*=}"}"}")
  fi
  [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
  return 0
}
complete -o default -F _mlops mlops""",
    "zsh": r"""#compdef mlops
_mlops() {
  local -a found
  found=("${(@f)$(mlops complete --line="${BUFFER[1,CURSOR]}" 2>/dev/null)}")
  found=(${found:#})
  if (( $#found )); then
    compadd -Q -S '' -- ${(M)found:#*=}
    compadd -Q -- ${found:#*=}
  else
    _files
  fi
}
compdef _mlops mlops""",
    "fish": r"""function __mlops
  set -l found (mlops complete --line=(commandline -cp | string collect) 2>/dev/null | string match -v '')
  if test (count $found) -gt 0
    printf '%s\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c mlops -f -a '(__mlops)'""",
}
_JOBS = frozenset({"job", "jobs"})
_MOST_JOBS = 50


def words_of(line: str) -> list[str]:
    """Split the line up to the cursor, without its command; the last word may be empty."""
    for closing in ("", "'", '"'):
        try:
            words = shlex.split(line + closing)
        except ValueError:
            continue
        is_open = not closing and line[-1:].isspace()
        return [*words[1:], *([""] if is_open or len(words) < 2 else [])]  # noqa: PLR2004  # the command alone
    return []


def complete(words: Sequence[str], context: Context | None = None) -> list[str]:
    """Propose what may stand at the place of the last word.

    Parameters
    ----------
    words
        The words so far, without the command.
    context
        Reads notebooks and lists jobs; None proposes neither parameters nor jobs.

    Returns
    -------
    list of str
        Whole words, quoted for a shell; none where a file may stand.
    """
    from nbship.verbs.parser import all_verbs, find_verb, verb_parser

    start = words[-1] if words else ""
    if len(words) <= 1:
        names = [verb.name for verb in all_verbs().values() if not verb.is_internal]
        return [name for name in names if name.startswith(start)]
    try:
        parser = verb_parser(find_verb(words[0]))
    except UsageError:
        return []
    found = _Place(parser, list(words[1:-1]), start, context).proposed()
    return [word for word in found if word.startswith(start)]


class _Place:
    """Where the last word stands among the arguments of its verb."""

    def __init__(
        self,
        parser: argparse.ArgumentParser,
        before: list[str],
        start: str,
        context: Context | None,
    ) -> None:
        from nbship.verbs.parser import actions_of

        actions = actions_of(parser)
        self._options = {o: a for a in actions for o in a.option_strings}
        self._free = [a for a in actions if not a.option_strings]
        self._before, self._start, self._context = before, start, context

    def proposed(self) -> list[str]:
        """List whole words."""
        if self._before and self._takes_value(self._before[-1]):
            return self._values(self._options[self._before[-1]])
        if self._start.startswith("-p") and "-p" in self._options:
            return ["-p" + word for word in self._parameters(self._start[2:])]
        if self._start.startswith("-"):
            return list(self._options)
        place = len(self._positional())
        if place >= len(self._free) and not (
            self._free and self._free[-1].nargs in {"*", "+"}
        ):
            return list(self._options)
        return self._values(self._free[min(place, len(self._free) - 1)])

    def _takes_value(self, word: str) -> bool:
        action = self._options.get(word)
        return action is not None and action.nargs != 0

    def _positional(self) -> list[str]:
        found, skip = [], False
        for word in self._before:
            if skip or word.startswith("-"):
                skip = not skip and self._takes_value(word)
            else:
                found.append(word)
        return found

    def _values(self, action: argparse.Action) -> list[str]:
        if action.choices:
            return [str(choice) for choice in action.choices]
        if "-p" in action.option_strings:
            return self._parameters(self._start)
        if action.dest in _JOBS and self._context is not None:
            jobs = self._context.workbench.store.ids("job")
            return ["last", *reversed(jobs[-_MOST_JOBS:])]
        return []

    def _parameters(self, start: str) -> list[str]:
        if self._context is None:
            return []
        declared = parameters_of(self._positional(), self._context.workbench.notebook)
        name, equals, _ = start.partition("=")
        if not equals:
            given = {word.partition("=")[0] for word in self._before}
            return [f"{p.name}=" for p in declared if p.name not in given]
        values = [v for p in declared if p.name == name for v in values_of(p)]
        return [f"{name}={shlex.quote(value)}" for value in values]


def parameters_of(
    words: Sequence[str], read: Callable[[Path], tuple[bytes, Notebook]]
) -> tuple[Parameter, ...]:
    """Return the parameters of the first notebook among the words."""
    from nbship.jobs.contract import read_contract

    for word in words:
        if word.endswith(".ipynb"):
            try:
                return read_contract(read(Path(word).expanduser())[1]).parameters
            except NbshipError:
                return ()
    return ()


def values_of(parameter: Parameter) -> list[str]:
    """Return the texts of a parameter's choices; of one without choices, its default."""
    from nbship.jobs.encoding import decode_any
    from nbship.jobs.kinds import is_optional, options
    from nbship.jobs.typed import type_of
    from nbship.records.parameters import ParameterKind as Kind

    kind = type_of(parameter)
    found: list[str] = []
    for option in options(kind):
        if option.kind is Kind.BOOL:
            found += ["true", "false"]
        elif option.kind is Kind.LITERAL:
            found += [str(decode_any(choice)) for choice in option.choices]
        elif option.kind is Kind.ENUM:
            found += option.choices
    found += ["None"] * is_optional(kind)
    is_shown = type(parameter.default) in {int, float, str}
    return found or ([str(parameter.default)] if is_shown else [])
