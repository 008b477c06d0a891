"""Modules of files beside the notebook, copied into the package.

They lie below ``_local/`` under the names they have. Only the statements that import another
such module are written anew, relative to the file; every other byte is the author's.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from nbship.errors import ExportError, HazardError
from nbship.release.hazards import check_text
from nbship.release.imports import FOLDER
from nbship.release.instructions import compiled, is_same_code, nested_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalFile:
    """The source of one local module."""

    #: dotted import name
    name: str
    text: str
    #: whether it is the ``__init__`` of a package
    is_package: bool
    #: where it lies on this machine, for messages
    path: str = ""

    @property
    def file(self) -> str:
        """Its path below the package's folder."""
        path = self.name.replace(".", "/")
        return (
            f"{FOLDER}/{path}/__init__.py" if self.is_package else f"{FOLDER}/{path}.py"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Vendored:
    """Local modules as they go into the package."""

    files: tuple[LocalFile, ...] = ()
    #: modules of distributions and of Python that they import
    modules: tuple[str, ...] = ()


def vendored(
    names: Iterable[str],
    *,
    is_local: Callable[[str], bool],
    find_source: Callable[[str], LocalFile | None],
    loaded: Mapping[str, ModuleType],
) -> Vendored:
    """Take local modules and every local module that they import.

    Parameters
    ----------
    names
        Dotted import names.
    is_local
        Tells whether the module of that top-level name is a file beside the notebook.
    find_source
        Reads a module's file.
    loaded
        The modules of this process, by name.

    Raises
    ------
    ExportError
        If a file is not what was imported, or cannot be read as Python.
    HazardError
        If a file holds a secret.
    """
    queue = sorted({part for name in names for part in _with_parents(name)})
    taken: dict[str, LocalFile] = {}
    foreign: set[str] = set()
    seen: set[str] = set()
    while queue:
        name = queue.pop(0)
        if name in seen:
            continue
        seen.add(name)
        found = find_source(name)
        if found is None:
            continue
        check_text(found.text, reader=name, place=found.path or found.file)
        _check_loaded(found, loaded.get(name))
        taken[name] = LocalFile(
            name=name,
            text=_relative(found, is_local),
            is_package=found.is_package,
            path=found.path,
        )
        for module in _imported(found):
            if is_local(module.partition(".")[0]):
                queue += _with_parents(module)
            else:
                foreign.add(module)
    files = tuple(taken[name] for name in sorted(taken))
    return Vendored(files=files, modules=tuple(sorted(foreign)))


def _with_parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[: length + 1]) for length in range(len(parts))]


def _imported(file: LocalFile) -> Iterator[str]:
    """Walk the modules that a file's import statements name, whether they exist or not."""
    package = file.name if file.is_package else file.name.rpartition(".")[0]
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            if node.level:
                module = importlib.util.resolve_name(module, package)
            yield module
            # a name may be a module of that package
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _tree(file: LocalFile) -> ast.Module:
    try:
        return ast.parse(file.text)
    except SyntaxError as error:
        raise ExportError(
            f"{file.path or file.name}: line {error.lineno}: {error.msg}",
            hint="Mend the file, then import it again in a fresh kernel.",
            hazard="local-module",
            name=file.name,
        ) from error


def _check_loaded(file: LocalFile, module: ModuleType | None) -> None:
    """Compare the functions that are loaded with the file as it is now.

    Raises
    ------
    ExportError
        If the file was edited after it was imported.
    """
    _tree(file)
    if module is None:
        return
    known = list(nested_code(compiled(file.text)))
    for name, code in _codes_of(module):
        if not any(is_same_code(code, other) for other in known):
            raise ExportError(
                f"{file.path or file.name}: {name} is not what was imported: the file was "
                "edited since",
                hint="Restart the kernel and run the notebook again.",
                hazard="edited",
                name=file.name,
            )


def _codes_of(module: ModuleType) -> Iterator[tuple[str, CodeType]]:
    for holder in (module, *_own(vars(module), type, module)):
        for function in _own(vars(holder), FunctionType, module):
            if function.__code__.co_filename == getattr(module, "__file__", None):
                yield function.__qualname__, function.__code__


def _own(names: Mapping[str, Any], kind: type, module: ModuleType) -> list[Any]:
    return [
        value
        for value in names.values()
        if isinstance(value, kind)
        and getattr(value, "__module__", "") == module.__name__
    ]


def _relative(file: LocalFile, is_local: Callable[[str], bool]) -> str:
    """Write the file with its imports of local modules relative to ``_local/``."""
    dots = "." * (file.name.count(".") + 1 + file.is_package)
    lines = file.text.split("\n")
    nodes = [
        node
        for node in ast.walk(_tree(file))
        if isinstance(node, (ast.Import, ast.ImportFrom))
    ]
    for node in sorted(nodes, key=lambda n: (n.lineno, n.col_offset), reverse=True):
        segment = ast.get_source_segment(file.text, node) or ""
        written = _rewritten(node, segment, dots, is_local)
        if written != segment:
            _replace(lines, node, written)
    return "\n".join(lines)


def _rewritten(
    node: ast.Import | ast.ImportFrom,
    segment: str,
    dots: str,
    is_local: Callable[[str], bool],
) -> str:
    if isinstance(node, ast.ImportFrom):
        if node.level or not is_local((node.module or "").partition(".")[0]):
            return segment
        return re.sub(r"^from\s+", f"from {dots}", segment, count=1)
    if not any(is_local(alias.name.partition(".")[0]) for alias in node.names):
        return segment
    return "; ".join(
        _import_of(alias, dots)
        if is_local(alias.name.partition(".")[0])
        else f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
        for alias in node.names
    )


def _import_of(alias: ast.alias, dots: str) -> str:
    parent, _, leaf = alias.name.rpartition(".")
    if alias.asname:
        return f"from {dots}{parent} import {leaf} as {alias.asname}"
    if not parent:
        return f"from {dots} import {leaf}"
    root = alias.name.partition(".")[0]
    loads = f"from {dots}{parent} import {leaf} as _{alias.name.replace('.', '_')}"
    return f"from {dots} import {root}; {loads}"


def _replace(lines: list[str], node: ast.stmt, written: str) -> None:
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    # offsets of the syntax tree count bytes
    before = lines[first].encode()[: node.col_offset].decode()
    after = lines[last].encode()[node.end_col_offset :].decode()
    text = f"{before}{written}{after}".split("\n")
    lines[first : last + 1] = text


def inner_import_error(module: str, reader: str) -> HazardError:
    """Make the error for a local module that a function imports in its body."""
    return HazardError(
        f"{reader} imports {module}, a file beside the notebook, in its body; in a package "
        "it lies elsewhere",
        hint=f"Import {module} at the top of a cell.",
        hazard="local-module",
        name=module,
    )
