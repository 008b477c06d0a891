"""A cell's source as plain Python, line for line: magics, shell lines and help are set aside.

IPython has its own transformer, and it is not used here: it renames what ``%time`` runs into a
string, so that nothing inside can be read any more, and it moves lines. Here every line of the
cell stays where it is, so that line 3 of a finding is line 3 of the cell.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from nbship.vetting.statements import statement_starts

if TYPE_CHECKING:
    from collections.abc import Iterator

#: cell magics whose body is no Python
_FOREIGN = frozenset(
    {
        "!",
        "HTML",
        "SVG",
        "bash",
        "bigquery",
        "cmd",
        "cython",
        "html",
        "javascript",
        "js",
        "julia",
        "latex",
        "markdown",
        "perl",
        "pypy",
        "R",
        "ruby",
        "sh",
        "script",
        "sql",
        "svg",
        "system",
        "sx",
        "writefile",
        "file",
    }
)
#: cell magics whose body is Python; of all others it is where it reads as Python
_PYTHON = frozenset({"capture", "prun", "time", "timeit"})
#: line magics that run the Python statement behind their options
_TIMING = re.compile(
    r"%(?:time|timeit|prun|memit|mprun|lprun)\b(?:\s+-[a-z](?:\s*\d+)?\b)*\s*"
)
#: what a line may begin with, besides Python: magic, shell, help, automatic call
_ESCAPE = re.compile(r"\s*(?:[%!?]|[,;/](?=[A-Za-z_]))")
_HELP = re.compile(r"""[^#'"?]*[\w*\])]\?{1,2}""")
#: words that IPython takes for magics where a cell is that one line
_AUTOMAGIC = re.compile(
    r"\s*(?:pip|conda|mamba|micromamba|uv|ls|ll|cd|pwd|cat|cp|mv|rm|mkdir|man|who[s]?|"
    r"history|matplotlib|load_ext|reload_ext|env|run|pylab|reset)\b(?!\s*[=.(\[,:])"
)
#: a neutral value for names that a magic binds
_VALUE = "get_ipython()"


@dataclass(frozen=True, kw_only=True, slots=True)
class Escape:
    """A line, or the body of a cell, that is no Python."""

    #: 1-based line in the cell
    line: int
    #: as written, with its ``%`` or ``!``
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CellCode:
    """The source of one cell, read."""

    #: plain Python with as many lines as the source
    text: str
    #: its syntax tree; None where it is no Python
    tree: ast.Module | None
    #: why it is no Python; "" where it is
    problem: str = ""
    #: 1-based line of the problem
    problem_line: int = 1
    escapes: tuple[Escape, ...] = ()


@lru_cache(maxsize=1024)
def read_source(source: str) -> CellCode:
    """Read a cell's source; what cannot be read is said, not raised."""
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    tree, problem, line = _parse(source)
    if tree is not None and not _is_automagic(source):
        return CellCode(text=source, tree=tree)
    text, escapes = _set_aside(source)
    if text != source:
        tree, problem, line = _parse(text)
    return CellCode(
        text=text, tree=tree, problem=problem, problem_line=line, escapes=escapes
    )


def _parse(text: str) -> tuple[ast.Module | None, str, int]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes: ruff's business
            return ast.parse(text), "", 1
    except SyntaxError as error:
        line = min(max(error.lineno or 1, 1), text.count("\n") + 1)
        return None, error.msg or "invalid syntax", line
    except (ValueError, RecursionError, MemoryError) as error:
        return None, str(error) or type(error).__name__, 1


def _is_automagic(source: str) -> bool:
    body = source.strip()
    return "\n" not in body and _AUTOMAGIC.match(body) is not None


def _set_aside(source: str) -> tuple[str, tuple[Escape, ...]]:
    lines = source.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is not None and lines[first].lstrip().startswith("%%"):
        return _cell_magic(lines, first)
    if _is_automagic(source):
        return _comment(source), (
            Escape(line=(first or 0) + 1, text=f"%{source.strip()}"),
        )
    return _line_magics(_dedented(lines))


def _cell_magic(lines: list[str], first: int) -> tuple[str, tuple[Escape, ...]]:
    """Read a ``%%`` cell: its first line becomes a comment, and its body stays if it is Python."""
    head = lines[first].strip()
    name, _, rest = head[2:].partition(" ")
    body, escapes = _line_magics(_dedented(lines[first + 1 :]))
    bound = _bound_by_cell_magic(name, rest)
    lead = f"{bound} = {_VALUE}  # {head}" if bound else f"# {head}"
    opening = lines[:first]
    is_python = name in _PYTHON or (
        name not in _FOREIGN and _parse(body)[0] is not None
    )
    whole = Escape(line=first + 1, text="\n".join(lines[first:]).strip())
    if not is_python:
        text = "\n".join([*opening, lead, *map(_comment, lines[first + 1 :])])
        return text, (whole,)
    text = "\n".join([*opening, lead, *([body] if first + 1 < len(lines) else [])])
    moved = (Escape(line=e.line + first + 1, text=e.text) for e in escapes)
    return text, (Escape(line=first + 1, text=head), *moved)


def _bound_by_cell_magic(name: str, rest: str) -> str:
    """Return the name that ``%%capture out`` or ``%%bash --out out`` binds, else ""."""
    if name == "capture":
        found = re.search(r"(?:^|\s)([A-Za-z_]\w*)\s*$", rest)
    else:
        found = re.search(r"--out[ =]([A-Za-z_]\w*)|([A-Za-z_]\w*)\s*<<", rest)
    groups = [group for group in found.groups() if group] if found else []
    return groups[0] if groups and groups[0].isidentifier() else ""


def _dedented(lines: list[str]) -> list[str]:
    """Take the first line's indentation off all lines, as IPython does."""
    first = next((line for line in lines if line.strip()), "")
    lead = first[: len(first) - len(first.lstrip(" \t"))]
    return [line.removeprefix(lead) for line in lines] if lead else lines


def _line_magics(lines: list[str]) -> tuple[str, tuple[Escape, ...]]:
    escapes: list[Escape] = []
    starts = statement_starts(lines, is_escape=_is_escape)
    text: list[str] = []
    for (index, is_start), line in zip(enumerate(starts), lines, strict=True):
        if is_start and _is_escape(line):
            escapes.append(Escape(line=index + 1, text=_joined(lines[index:])))
            text.append(_plain(line))
        elif escapes and _continues_escape(lines, index, escapes[-1]):
            text.append(_comment(line))
        else:
            text.append(line)
    return "\n".join(text), tuple(escapes)


def _is_escape(line: str) -> bool:
    return bool(
        _ESCAPE.match(line) or _HELP.fullmatch(line.rstrip("; \t")) or _assigned(line)
    )


def _assigned(line: str) -> tuple[str, str] | None:
    """Split ``files = !ls`` into its target and its command, None for other lines."""
    target, equals, command = line.partition("=")
    command = command.strip()
    if not equals or not command.startswith(("%", "!")) or command.startswith("!="):
        return None
    is_target = _parse(f"{target.strip()} = 0")[0] is not None
    return (target.strip(), command) if is_target else None


def _joined(lines: list[str]) -> str:
    return "\n".join(_with_continuation(lines)).strip()


def _with_continuation(lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield line
        if not line.endswith("\\"):
            return


def _continues_escape(lines: list[str], index: int, escape: Escape) -> bool:
    first = escape.line - 1
    return all(line.endswith("\\") for line in lines[first:index])


def _plain(line: str) -> str:
    """Turn one magic line into Python that stands on the same line."""
    indent = line[: len(line) - len(line.lstrip())]
    body = line.strip()
    timed = _TIMING.match(body)
    statement = body[timed.end() :] if timed else ""
    if statement and not statement.endswith("\\") and _parse(statement)[0] is not None:
        return f"{indent}{statement}"
    assigned = _assigned(line)
    if assigned:
        return f"{indent}{assigned[0]} = {_VALUE}  # {assigned[1]}"
    return f"{indent}pass  # {body}" if indent else f"# {body}"


def _comment(line: str) -> str:
    return f"# {line}" if line.strip() else line
