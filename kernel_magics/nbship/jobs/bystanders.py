"""What a cell does beside computing: the reasons why it must run in every job by itself.

A cell that is executed once for several jobs, which are then forked from it, may only compute:
from files that it reads, from names, from seeded generators. Whatever else it does to the world,
or learns from it, each job has to do anew. What is not known to be harmless stops the sharing;
the module names below are what is known.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: modules whose functions compute, read files, and draw
_HARMLESS = frozenset(
    """
    __future__ abc array base64 bisect calendar cmath collections contextlib copy csv
    dataclasses datetime decimal difflib enum fractions functools glob hashlib heapq html io
    itertools json keyword logging math numbers operator pathlib pprint random re statistics
    string struct textwrap types typing typing_extensions unicodedata warnings zlib
    IPython.display PIL altair matplotlib networkx numpy palmerpenguins pandas patsy plotly
    scipy seaborn sklearn statsmodels sympy
    os.path os.environ os.getcwd os.listdir os.sep os.linesep os.walk os.fspath os.PathLike
    os.cpu_count sys.argv sys.byteorder sys.executable sys.getsizeof sys.maxsize sys.path
    sys.platform sys.version sys.version_info time.sleep time.strptime
    """.split()  # noqa: SIM905  # as readable as a set can be
)
_HARMFUL = {
    "operator.attrgetter": "hides what is called",
    "operator.methodcaller": "hides what is called",
    "random.SystemRandom": "draws from the system's randomness",
    "IPython.display.clear_output": "changes outputs",
    "IPython.display.update_display": "changes outputs",
    "IPython.display.DisplayHandle": "changes outputs",
}
#: builtins, and names of IPython, that reach what no syntax tree shows
_HIDDEN = frozenset(
    """
    __builtins__ __import__ __loader__ __main__ breakpoint compile delattr dir eval exec exit
    getattr get_ipython globals help input locals quit setattr vars In Out _ __ ___ _i _ii _iii _ih _oh _dh
    """.split()  # noqa: SIM905
)
_CLOCK = frozenset({"now", "today", "utcnow"})
_WRITING = frozenset(
    """
    chmod dump hardlink_to imsave mkdir rename rmdir save save_npz savefig savemat savetxt savez
    savez_compressed symlink_to to_clipboard to_csv to_excel to_feather to_hdf to_html to_json
    to_latex to_markdown to_orc to_parquet to_pickle to_sql to_stata to_xml tofile touch unlink
    write write_bytes write_html write_image write_json write_text writelines writerow writerows
    """.split()  # noqa: SIM905
)
#: make objects that keep a file or a connection open, or run what no syntax tree shows
_KEEPING = frozenset(
    """
    File FileHandler HDFStore NamedTemporaryFile TarFile ZipFile connect eval fdopen memmap
    open_memmap popen read_clipboard read_gbq read_pickle read_sql read_sql_query read_sql_table
    urlopen
    """.split()  # noqa: SIM905
)
_KEEPING_WORDS = frozenset(
    {"chunksize", "filename", "iterator", "memory_map", "mmap_mode", "display_id"}
)
_PARALLEL_WORDS = frozenset({"n_jobs", "num_workers", "workers", "n_threads"})
#: generators that ask the system where they are given no seed
_SEEDED = frozenset(
    """
    MT19937 PCG64 PCG64DXSM Philox Random RandomState SFC64 SeedSequence default_rng seed
    """.split()  # noqa: SIM905
)
_SCHEMES = ("http://", "https://", "ftp://", "s3://", "gs://", "az://", "hdfs://")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Why a cell runs in every job."""

    #: 1-based line in the cell
    line: int
    text: str


def imported_names(tree: ast.Module) -> dict[str, str]:
    """Map the names that imports bind, anywhere in a cell, to what they stand for."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                found[alias.asname or whole] = whole
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def dotted(node: ast.expr, imported: Mapping[str, str]) -> str:
    """Write ``np.random.rand`` as ``numpy.random.rand``; "" where it is of no module."""
    if isinstance(node, ast.Name):
        return imported.get(node.id, "")
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value, imported)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


def first_reason(
    tree: ast.Module, *, imported: Mapping[str, str], own_modules: frozenset[str]
) -> Reason | None:
    """Return the first thing that a cell does beside computing; None where there is none.

    Parameters
    ----------
    tree
        The cell, which is plain Python.
    imported
        What names stand for, by this cell's imports and those before it.
    own_modules
        Modules of the project: what they do is not read.
    """
    found = list(_reasons(tree, imported, own_modules))
    return min(found, key=lambda reason: reason.line, default=None)


def _reasons(
    tree: ast.Module, imported: Mapping[str, str], own_modules: frozenset[str]
) -> Iterator[Reason]:
    inside = {id(child) for node in ast.walk(tree) for child in _owned(node)}
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    closed = {
        id(item.context_expr)
        for node in ast.walk(tree)
        if isinstance(node, ast.With)
        for item in node.items
    }
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 1)
        for text in _texts(node, imported, own_modules, is_chained=id(node) in inside):
            yield Reason(line=line, text=text)
        if id(node) not in called and _is_handed_around(node, imported):
            yield Reason(line=line, text=f"hands {ast.unparse(node)} around")
        if isinstance(node, ast.Call):
            is_closed = id(node) in closed
            for text in _call_texts(node, is_closed=is_closed):
                yield Reason(line=line, text=text)


def _is_handed_around(node: ast.AST, imported: Mapping[str, str]) -> bool:
    """Tell whether a function that is judged by its arguments is not called on the spot."""
    if isinstance(node, ast.Name):
        return node.id == "open" or (node.id in _SEEDED and node.id in imported)
    if isinstance(node, ast.Attribute):
        is_seeded = node.attr in _SEEDED and dotted(node, imported) != ""
        return node.attr in {"open", "query"} or is_seeded
    return False


def _owned(node: ast.AST) -> Iterator[ast.AST]:
    """List the inner parts of ``a.b.c``, which is judged as a whole."""
    if isinstance(node, ast.Attribute):
        yield node.value


def _texts(
    node: ast.AST,
    imported: Mapping[str, str],
    own_modules: frozenset[str],
    *,
    is_chained: bool,
) -> Iterator[str]:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from _import_texts(node, own_modules)
    elif _is_read(node, _HIDDEN):
        yield f"uses {ast.unparse(node)}"
    elif isinstance(node, ast.FunctionDef) and node.name == "__del__":
        yield "defines __del__"
    elif isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith)):
        yield "waits for the event loop"
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        if node.value.startswith(_SCHEMES):
            yield f"names {node.value.partition('//')[0]}//…"
    elif isinstance(node, (ast.Name, ast.Attribute)):
        if isinstance(node, ast.Attribute):
            yield from _attribute_texts(node)
        if not is_chained:
            yield from _module_texts(node, imported)


def _is_read(node: ast.AST, names: frozenset[str]) -> bool:
    if not isinstance(node, ast.Name) or node.id not in names:
        return False
    return isinstance(node.ctx, ast.Load)  # `for _ in …` reads nothing


def _import_texts(
    node: ast.Import | ast.ImportFrom, own_modules: frozenset[str]
) -> Iterator[str]:
    names = [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        if "*" in names:
            yield f"imports every name of {node.module}"
        names = [node.module or "."] if node.level == 0 else ["."]
    for name in names:
        root = name.partition(".")[0]
        if root in own_modules or not root:
            yield f"imports {name}, a module of the project, which is not read"
        elif root == "__main__":
            yield "imports __main__"


def _attribute_texts(node: ast.Attribute) -> Iterator[str]:
    if node.attr in _CLOCK:
        yield f"reads the clock (.{node.attr})"
    elif node.attr in _WRITING:
        yield f"may write a file (.{node.attr})"
    elif node.attr in _KEEPING:
        yield f"may keep something open or run hidden code (.{node.attr})"
    elif node.attr.startswith("__") and node.attr != "__name__":
        yield f"uses .{node.attr}"


def _module_texts(
    node: ast.Name | ast.Attribute, imported: Mapping[str, str]
) -> Iterator[str]:
    name = dotted(node, imported)
    if not name:
        return
    parts = name.split(".")
    prefixes = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
    for prefix in prefixes:
        if prefix in _HARMFUL:
            yield f"{name} {_HARMFUL[prefix]}"
            return
        if prefix in _HARMLESS:
            return
    yield f"uses {name}, which is not known to compute only"


def _call_texts(node: ast.Call, *, is_closed: bool) -> Iterator[str]:
    name = _last_word(node.func)
    given = {word.arg: word.value for word in node.keywords if word.arg}
    if name.startswith("fetch_"):
        yield f"{name}() may ask a server"
    if name == "open":
        yield from _open_texts(node, given, is_closed=is_closed)
    if name == "query" and not (node.args and isinstance(node.args[0], ast.Constant)):
        yield "query() evaluates a text that is not written in the cell"
    if name in _SEEDED and _is_unseeded(node):
        yield f"{name}() without a seed draws from the system's randomness"
    if name == "load" and not _is_plain_array(node):
        yield "load() may keep a file open"
    if name in _KEEPING or name in _WRITING:
        yield f"{name}() may keep something open or write a file"
    for word, value in given.items():
        yield from _word_texts(name, word, value)


def _word_texts(name: str, word: str, value: ast.expr) -> Iterator[str]:
    if word in _KEEPING_WORDS and not _is_none(value):
        yield f"{name}({word}=…) may keep something open"
    if word in _PARALLEL_WORDS and not _is_serial(value):
        yield f"{name}({word}=…) may start processes or threads"
    if word == "random_state" and _is_none(value):
        yield f"{name}(random_state=None) may draw from the system's randomness"


def _last_word(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _open_texts(
    node: ast.Call, given: Mapping[str, ast.expr], *, is_closed: bool
) -> Iterator[str]:
    places = 1 if isinstance(node.func, ast.Name) else 0
    positional = node.args[places] if len(node.args) > places else None
    mode = given.get("mode", positional)
    text = mode.value if isinstance(mode, ast.Constant) else "r" if mode is None else ""
    if not isinstance(text, str) or text.strip("tb") != "r":
        yield "open() may write a file"
    elif not is_closed:
        yield "open() outside of `with` leaves a file open"


def _is_unseeded(node: ast.Call) -> bool:
    values = [*node.args, *(word.value for word in node.keywords)]
    return not values or all(_is_none(value) for value in values)


def _is_plain_array(node: ast.Call) -> bool:
    """Tell whether ``load`` reads a file whose name ends with ``.npy``: whole, and closed."""
    path = node.args[0] if node.args else None
    text = path.value if isinstance(path, ast.Constant) else None
    return isinstance(text, str) and text.endswith(".npy")


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_serial(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in {None, 0, 1}
