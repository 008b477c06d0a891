"""The files of code that a notebook imports from beside it, found without running anything.

Notebook and modules are read by ``ast``: imports, ``%run``, folders that are put on
``sys.path``. Of a local package every Python file is taken, since packages import their parts
in ways that cannot be read.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.records.capsule import LocalModule
from nbship.records.digest import digest_bytes
from nbship.vetting.sources import read_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: a package with more files is taken as far as it is imported by name
_MOST_FILES = 1000
_LARGEST_BYTES = 8 << 20
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_RUN = re.compile(r"%run\s+(?:-\w+\s+)*(?P<quote>['\"]?)(?P<path>[^'\"\s]+)(?P=quote)")
_LOADED = re.compile(r"%(?:load_ext|aimport)\s+(?P<name>[\w.]+)")


def find_code_files(
    sources: Sequence[str],
    *,
    folder: Path,
    project: Path,
    more: Sequence[str] = (),
    locked: Sequence[str] = (),
) -> tuple[tuple[LocalModule, bytes], ...]:
    """Find the code beside a notebook that it imports, with its bytes.

    Parameters
    ----------
    sources
        The notebook's code cells.
    folder
        The kernel's working folder.
    project
        Paths are told relative to it.
    more
        Further folders on the kernel's path, such as those of ``PYTHONPATH``.
    locked
        Folders whose code is part of the environment's lock.
    """
    scan = _Scan(folders=[folder, *(Path(name) for name in more if name)])
    scan.locked = {Path(name) for name in locked}
    for source in sources:
        code = read_source(source)
        if code.tree is not None:
            scan.read(code.tree, folder, package="")
        for escape in code.escapes:
            scan.read_magic(escape.text, folder)
    found = {}
    for path, root in scan.files.items():
        data = path.read_bytes()
        module = _told(path, root, data=data, project=project)
        found[module.path] = (module, data)
    return tuple(found[name] for name in sorted(found))


def _told(path: Path, root: Path, *, data: bytes, project: Path) -> LocalModule:
    home = project.resolve()
    if path.is_relative_to(home):
        name = copy = path.relative_to(home).as_posix()
        place = root.resolve()
        top = place.relative_to(home).as_posix() if place.is_relative_to(home) else "."
    else:
        top = f".outside/{digest_bytes(str(root).encode())[:12]}"
        inside = path.relative_to(root) if path.is_relative_to(root) else path.name
        name, copy = path.as_posix(), f"{top}/{Path(inside).as_posix()}"
    return LocalModule(path=name, copy=copy, root=top, digest=digest_bytes(data))


@dataclass(kw_only=True, slots=True)
class _Scan:
    """What has been found so far."""

    #: searched for modules, in this order
    folders: list[Path]
    locked: set[Path] = field(default_factory=set)
    #: file -> the folder that it was found from
    files: dict[Path, Path] = field(default_factory=dict)

    def read(self, tree: ast.AST, here: Path, *, package: str) -> None:
        """Follow the imports of a syntax tree."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                self._extend_path(node, here)
        for node in ast.walk(tree):
            for name in _imported(node, package):
                self.follow(name)

    def read_magic(self, text: str, here: Path) -> None:
        """Follow ``%run FILE`` and ``%load_ext MODULE``."""
        if match := _RUN.match(text):
            path = here / match["path"]
            self._take(path if path.suffix else path.with_suffix(".py"), here)
        if match := _LOADED.match(text):
            self.follow(match["name"])

    def follow(self, name: str) -> None:
        """Take the file or the package of a dotted name, where a folder has it."""
        parts = name.split(".")
        for folder in self.folders:
            if folder in self.locked:
                continue
            if self._take_module(folder, parts):
                return

    def _take_module(self, folder: Path, parts: Sequence[str]) -> bool:
        place = folder / parts[0]
        if (place / "__init__.py").is_file():
            self._take_package(place, folder, parts)
            return True
        if place.with_suffix(".py").is_file():
            self._take(place.with_suffix(".py"), folder)
            return True
        return len(parts) > 1 and self._take_parts(place, folder, parts[1:])

    def _take_package(self, place: Path, folder: Path, parts: Sequence[str]) -> None:
        files = sorted(place.rglob("*.py"))
        if len(files) <= _MOST_FILES:
            for path in files:
                inside = path.relative_to(place).parts
                if not any(part.startswith(".") for part in inside):
                    self._take(path, folder)
            return
        self._take(place / "__init__.py", folder)
        self._take_parts(place, folder, parts[1:])

    def _take_parts(self, place: Path, folder: Path, parts: Sequence[str]) -> bool:
        """Take the modules along a dotted name below a folder."""
        is_found = False
        for part in parts:
            place /= part
            for path in (place.with_suffix(".py"), place / "__init__.py"):
                if path.is_file():
                    self._take(path, folder)
                    is_found = True
        return is_found

    def _take(self, path: Path, folder: Path) -> None:
        path = path.resolve()
        if path in self.files or not path.is_file() or _INSTALLED & set(path.parts):
            return
        if path.stat().st_size > _LARGEST_BYTES:
            return
        self.files[path] = folder.resolve()
        code = read_source(path.read_text("utf-8", "replace"))
        if code.tree is not None:
            self.read(code.tree, path.parent, package=_package_of(path, folder))

    def _extend_path(self, node: ast.Call, here: Path) -> None:
        """Add the folders of ``sys.path.append``, ``insert`` and ``extend``."""
        function = node.func
        if not (
            isinstance(function, ast.Attribute)
            and function.attr in {"append", "insert", "extend"}
            and ast.unparse(function.value) == "sys.path"
        ):
            return
        found = [
            n
            for argument in node.args
            for n in ast.walk(argument)
            if isinstance(n, ast.Constant) and isinstance(n.value, str)
        ]
        found.sort(key=lambda n: (n.lineno, n.col_offset))
        constants = [str(n.value) for n in found]
        joined = here.joinpath(*constants) if constants else here
        for place in (*(here / text for text in constants), joined):
            if place.is_dir() and place not in self.folders:
                self.folders.append(place)


def _package_of(path: Path, folder: Path) -> str:
    """Return the package that a file's relative imports begin at; "" for none."""
    home = folder.resolve()
    if not path.is_relative_to(home):
        return ""
    return ".".join(path.relative_to(home).parts[:-1])


def _imported(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        start = node.module or ""
        if node.level:
            above = package.split(".")
            kept = above[: len(above) - node.level + 1]
            start = ".".join(part for part in (*kept, start) if part)
        for alias in node.names:
            name = ".".join(part for part in (start, alias.name) if part != "*")
            yield name.strip(".") or start
        if start:
            yield start
    elif isinstance(node, ast.Call) and node.args:
        first = node.args[0]
        if ast.unparse(node.func).endswith("import_module") and isinstance(
            first, ast.Constant
        ):
            yield str(first.value)
