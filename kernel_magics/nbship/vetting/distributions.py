"""Which distribution provides an import name, where their names differ."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

from nbship.records.environment import normalized_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

#: import name -> distributions; the machine's own metadata is asked first
_PROVIDERS: Mapping[str, tuple[str, ...]] = {
    "bs4": ("beautifulsoup4",),
    "attr": ("attrs",),
    "Crypto": ("pycryptodome",),
    "cv2": ("opencv-python", "opencv-python-headless", "opencv-contrib-python"),
    "dateutil": ("python-dateutil",),
    "docx": ("python-docx",),
    "dotenv": ("python-dotenv",),
    "faiss": ("faiss-cpu", "faiss-gpu"),
    "fitz": ("pymupdf",),
    "git": ("gitpython",),
    "github": ("pygithub",),
    "imblearn": ("imbalanced-learn",),
    "jwt": ("pyjwt",),
    "MySQLdb": ("mysqlclient",),
    "mpl_toolkits": ("matplotlib",),
    "OpenSSL": ("pyopenssl",),
    "PIL": ("pillow",),
    "pkg_resources": ("setuptools",),
    "pptx": ("python-pptx",),
    "psycopg2": ("psycopg2", "psycopg2-binary"),
    "pylab": ("matplotlib",),
    "serial": ("pyserial",),
    "skimage": ("scikit-image",),
    "sklearn": ("scikit-learn",),
    "sksurv": ("scikit-survival",),
    "umap": ("umap-learn",),
    "yaml": ("pyyaml",),
    "zmq": ("pyzmq",),
}
_IMPORT_ERRORS = frozenset(
    {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
)
_STANDARD = sys.stdlib_module_names | {"distutils", "imp", "asyncore", "__main__"}


def imported_modules(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield each imported top-level module outside the standard library, with its line.

    Imports whose failure is caught, and those for type checkers alone, are left out.
    """
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.Import):
            names = [alias.name for alias in child.names]
        elif isinstance(child, ast.ImportFrom) and not child.level and child.module:
            names = [child.module]
        elif not _is_optional(child):
            yield from imported_modules(child)
            continue
        else:
            continue
        for name in names:
            top = name.partition(".")[0]
            if top not in _STANDARD:
                yield top, child.lineno


def is_locked(
    module: str,
    *,
    locked: Collection[str],
    providers: Mapping[str, tuple[str, ...]],
) -> bool:
    """Tell whether a locked distribution provides a module.

    Parameters
    ----------
    module
        Top-level import name.
    locked
        Distributions of the lock, names as PEP 503 has them.
    providers
        Import name to distributions, as the machine's metadata says.
    """
    named = (*providers.get(module, ()), *_PROVIDERS.get(module, ()), module)
    if any(normalized_name(name) in locked for name in named):
        return True
    plain = normalized_name(module)
    likely = {f"python-{plain}", f"py{plain}", f"{plain}-python"}
    return any(name in likely or name.startswith(f"{plain}-") for name in locked)


def is_known(module: str, providers: Mapping[str, tuple[str, ...]]) -> bool:
    """Tell whether the distributions of a module are known by name."""
    return module in providers or module in _PROVIDERS


def _is_optional(node: ast.AST) -> bool:
    if isinstance(node, ast.Try):
        caught = {
            getattr(kind, "attr", getattr(kind, "id", ""))
            for handler in node.handlers
            for kind in _kinds(handler.type)
        }
        return bool(caught & _IMPORT_ERRORS) or any(
            h.type is None for h in node.handlers
        )
    if isinstance(node, ast.If):
        test = node.test
        return getattr(test, "attr", getattr(test, "id", "")) == "TYPE_CHECKING"
    return False


def _kinds(node: ast.expr | None) -> tuple[ast.expr, ...]:
    if isinstance(node, ast.Tuple):
        return tuple(node.elts)
    return () if node is None else (node,)
