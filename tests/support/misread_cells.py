"""Parameter cells that papermill misreads, what is right, and the table that shows both.

``python -m support.misread_cells`` writes the table into ``docs/parameters.md``.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from support.notebook_files import write_notebook

PAGE = Path(__file__).resolve().parents[2] / "docs" / "parameters.md"
BEGIN, END = "<!-- misread cells: begin -->\n", "<!-- misread cells: end -->\n"
#: name -> type, default's source, description
Seen = dict[str, tuple[str, str, str]]
REQUIRED = "(required)"


@dataclass(frozen=True)
class Misread:
    """One cell."""

    source: str
    #: what the cell declares; a type in brackets is inferred from the default
    right: Seen = field(default_factory=dict)
    #: papermill's issue or pull request, where there is one
    issue: int | None = None


CELLS = (
    Misread("c: int | None = 3", {"c": ("int | None", "3", "")}, 695),
    Misread("c: str | None = None", {"c": ("str | None", "None", "")}, 695),
    Misread("how: Literal['mean', 'max'] = 'mean'", {"how": ("Literal['mean', 'max']", "'mean'", "")}, 906),
    Misread("q: Literal['a=b', 'c'] = 'a=b'", {"q": ("Literal['a=b', 'c']", "'a=b'", "")}, 906),
    Misread("day: datetime.date = datetime.date(2024, 1, 2)", {"day": ("datetime.date", "datetime.date(2024, 1, 2)", "")}, 807),
    Misread("when: dt.datetime = dt.datetime(2024, 1, 2, 3, 4)", {"when": ("dt.datetime", "dt.datetime(2024, 1, 2, 3, 4)", "")}, 807),
    Misread("t: timedelta = timedelta(hours=1)", {"t": ("timedelta", "timedelta(hours=1)", "")}),
    Misread("flag = 'k=v'", {"flag": ("(str)", "'k=v'", "")}, 864),
    Misread("query = 'a == b'", {"query": ("(str)", "'a == b'", "")}, 864),
    Misread("url: str = 'https://host/?a=1&b=2'", {"url": ("str", "'https://host/?a=1&b=2'", "")}, 864),
    Misread("args: list[str] = ['--x=1', '--y=2']", {"args": ("list[str]", "['--x=1', '--y=2']", "")}, 864),
    Misread(r"mask = r'\d+=\d+'", {"mask": ("(str)", r"'\\d+=\\d+'", "")}, 864),
    Misread("raw: bytes = b'a=1'", {"raw": ("bytes", "b'a=1'", "")}, 864),
    Misread(r"s: str = 'tab\t=\t1'", {"s": ("str", r"'tab\t=\t1'", "")}, 864),
    Misread("x: int = 3  # a = b", {"x": ("int", "3", "a = b")}, 864),
    Misread("wait: float = 2.0  # [s] time = waiting", {"wait": ("float", "2.0", "time = waiting")}, 864),
    Misread("path: Path = Path('data') / 'raw=1'", {"path": ("Path", "Path('data') / 'raw=1'", "")}, 864),
    Misread("opts = dict(a=1, b=2)", {"opts": ("(dict[str, int])", "dict(a=1, b=2)", "")}),
    Misread("color = '#ff0000'", {"color": ("(str)", "'#ff0000'", "")}),
    Misread("title: str = 'issue #12'  # shown on top", {"title": ("str", "'issue #12'", "shown on top")}),
    Misread("s = 'it''s # fine'", {"s": ("(str)", "'its # fine'", "")}),
    Misread("text = '''\na = 1\n'''\ndepth = 3", {"text": ("(str)", r"'\na = 1\n'", ""), "depth": ("(int)", "3", "")}),
    Misread(
        'sql = """\nselect *\n  from t where x = 1\n"""\nlimit = 10',
        {"sql": ("(str)", r"'\nselect *\n  from t where x = 1\n'", ""), "limit": ("(int)", "10", "")},
    ),
    Misread("lr: Annotated[float, Gt(0)] = 0.1", {"lr": ("Annotated[float, Gt(0)]", "0.1", "")}),
    Misread(
        "lr: Annotated[float, Field(gt=0, description='rate')] = 0.1",
        {"lr": ("Annotated[float, Field(gt=0, description='rate')]", "0.1", "rate")},
    ),
    Misread("pair: tuple[int, ...] = (1, 2)", {"pair": ("tuple[int, ...]", "(1, 2)", "")}),
    Misread("need: int", {"need": ("int", REQUIRED, "")}),
    Misread("x: float = 1.0; y: float = 2.0", {"x": ("float", "1.0", ""), "y": ("float", "2.0", "")}),
    Misread("a = [1, 2]; b = {'x': 1}", {"a": ("(list[int])", "[1, 2]", ""), "b": ("(dict[str, int])", "{'x': 1}", "")}),
    Misread("import os; seed = 1", {"seed": ("(int)", "1", "")}),
    Misread("lr: float = 0.1\nlr = 0.2", {"lr": ("float", "0.2", "")}),
    Misread("j = k = 3", {"j": ("(int)", "3", ""), "k": ("(int)", "3", "")}),
    Misread("lr = rate = 0.1  # step", {"lr": ("(float)", "0.1", "step"), "rate": ("(float)", "0.1", "step")}),
    Misread("a, b = 1, 'x'", {"a": ("(int)", "1", ""), "b": ("(str)", "'x'", "")}),
    Misread("x: int = \\\n    3", {"x": ("int", "3", "")}),
    Misread("limit = 5  # type: int  # rows at most", {"limit": ("int", "5", "rows at most")}),
    Misread("# share held back\nsize: float = 0.2", {"size": ("float", "0.2", "share held back")}),
    Misread("def f(x=1):\n    y = 2\nlr = 0.1", {"lr": ("(float)", "0.1", "")}),
    Misread("class Config:\n    size = 3\nlr = 0.1", {"lr": ("(float)", "0.1", "")}),
    Misread("for i in range(3):\n    step = i\nlr = 0.1", {"lr": ("(float)", "0.1", "")}),
    Misread("while False:\n    n = 1\nlr = 0.1", {"lr": ("(float)", "0.1", "")}),
)  # fmt: skip


def papermill_says(source: str) -> Seen:
    """Ask papermill's ``inspect_notebook``."""
    from papermill import inspect_notebook

    with tempfile.TemporaryDirectory() as folder:
        path = write_notebook(Path(folder) / "n.ipynb", parameters=source)
        found = inspect_notebook(str(path))
    return {
        name: (told["inferred_type_name"], told["default"], told["help"])
        for name, told in found.items()
    }


def table() -> str:
    """Write the table: the cell, what papermill says, what is right."""
    rows = [
        "| | the cell | papermill 2.7 says | it declares |",
        "|---|---|---|---|",
    ]
    for number, cell in enumerate(CELLS, start=1):
        issue = f" ([#{cell.issue}](https://github.com/nteract/papermill/issues/{cell.issue}))"
        rows.append(
            f"| {number} | {_code(cell.source)}{issue if cell.issue else ''}"
            f" | {_seen(papermill_says(cell.source)) or 'nothing'} | {_seen(cell.right)} |"
        )
    return "\n".join(rows) + "\n"


def _seen(seen: Seen) -> str:
    return "<br>".join(_one(name, *told) for name, told in seen.items())


def _one(name: str, kind: str, default: str, description: str) -> str:
    is_required = default == REQUIRED
    value = " (required)" if is_required else ""
    text = f"{name}: {kind}" + ("" if is_required else f" = {default}")
    return f"{_code(text)}{value}" + (f" {_code(description)}" if description else "")


def _code(text: str) -> str:
    shown = text.replace("\n", " ⏎ ").replace("|", "\\|")
    return f"`` {shown} ``" if "`" in shown else f"`{shown}`"


def main() -> None:
    """Write the table into the page."""
    page = PAGE.read_text("utf-8")
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}{table()}{END}{tail}", "utf-8")


if __name__ == "__main__":
    main()
