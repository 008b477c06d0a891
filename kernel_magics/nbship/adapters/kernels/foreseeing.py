"""What a notebook's text tells of its imports before it runs."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: lines of IPython, which Python cannot read
_IPYTHON = re.compile(r"^\s*[%!?].*$|^.*\?$", re.MULTILINE)
#: uses of ``os.environ`` that leave it as it is
_READS = re.compile(
    r"(?<!del )(?<!del os\.)\b(os\.)?environ(\.(get|items|keys|values|copy)\b|\[[^\]\n]*\](?!\s*[|+]?=(?!=)))"
    r"|\bin\s+(os\.)?environ\b(?![.\[])|\bdict\(\s*(os\.)?environ\s*\)|\*\*(os\.)?environ\b"
)
#: what changes variables that libraries look at while they are imported
_VARIABLES = re.compile(
    r"\benviron\b|\bdel\s+(os\.)?environ|\bputenv\b|\bunsetenv\b|dotenv\b|%(set_)?env\b|\bmonkeypatch\b"
)
#: what only a kernel gives, by what it is called for people
_KERNEL_ONLY = {
    r"\b(ipywidgets|anywidget|ipympl|ipyleaflet|bqplot|pythreejs|ipyvolume|itkwidgets)\b"
    r"|\binteract(ive|_manual)?\s*\(|%matplotlib\s+(widget|notebook|ipympl|nbagg)"
    r"|\bFigureWidget\b|\bas_widget\b|\bjslink\b|\.observe\(": "it uses widgets",
    r"\btqdm\.(notebook|auto|autonotebook|gui)\b|\btqdm_notebook\b|\btnrange\b"
    r"|from\s+tqdm\s+import\b.*\bautonotebook": "its progress bars are widgets",
    r"\b[Cc]omm\(|\bcreate_comm\b|\bcomm_manager\b|\bipykernel\b|\bget_comm_manager\b": "it opens comms",
    r"\.kernel\b|\bkernel_app\b|\bIPKernelApp\b": "it uses the kernel",
    r"(?<![\w.])input\s*\(|\bgetpass\b|\bbreakpoint\s*\(|\bset_trace\b|%debug\b|%pdb\b": "it asks for input",
    r"\bThread(PoolExecutor)?\b|\b_thread\b|\bTimer\s*\(|\b(create_task|ensure_future)\b"
    r"|%%?(script|bash|sh)\b.*--bg|&\s*$": "it may print between cells",
    r"%(gui|connect_info|qtconsole|subshell)\b|\bsys\.std(out|err)\b\s*=": "it uses the kernel",
}


def imported_names(sources: Iterable[str]) -> tuple[str, ...]:
    """Return the modules that cells import at their top level, in order.

    Names that relative imports and functions import are left out, and cells that do not parse.
    """
    found: dict[str, None] = {}
    for source in sources:
        try:
            body = ast.parse(_IPYTHON.sub("", source)).body
        except (SyntaxError, ValueError, RecursionError):
            continue
        found.update(dict.fromkeys(_imported(body)))
    return tuple(found)


def changes_variables(sources: Iterable[str]) -> bool:
    """Tell whether cells may change the environment; later imports must see that."""
    return any(_VARIABLES.search(_READS.sub("", source)) for source in sources)


def needs_kernel(sources: Iterable[str]) -> str:
    """Say why cells need a kernel's protocol; "" where nothing in their text does."""
    text = "\n".join(sources)
    for pattern, reason in _KERNEL_ONLY.items():
        if re.search(pattern, text, re.MULTILINE):
            return reason
    return ""


def _imported(body: list[ast.stmt]) -> Iterator[str]:
    for statement in body:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and not statement.level:
            yield str(statement.module)
