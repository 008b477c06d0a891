"""Names and versions of packages."""

from __future__ import annotations

import keyword
import re
import sys
from typing import TYPE_CHECKING

from nbship.errors import ReleaseError
from nbship.records.release_diff import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_VERSION = re.compile(r"\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?(?:\.post\d+)?")
FIRST_VERSION = "1.0.0"


def check_package(package: str, requirements: Mapping[str, str]) -> None:
    """Refuse a name that Python cannot import, or that hides something else.

    Parameters
    ----------
    package
        The import name.
    requirements
        Import names that the package needs.

    Raises
    ------
    ReleaseError
        If the name is no identifier, or is taken.
    """
    hint = "Set export.package to another name."
    if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]*", package) or keyword.iskeyword(
        package
    ):
        raise ReleaseError(f"{package!r} is no name for a package", hint=hint)
    if package in sys.stdlib_module_names:
        raise ReleaseError(f"{package!r} is a module of Python itself", hint=hint)
    if package in {name.partition(".")[0] for name in requirements}:
        raise ReleaseError(f"{package!r} is a package that it needs itself", hint=hint)


def default_package(notebook: str) -> str:
    """Make an import name of a notebook's name: ``penguin_mass`` of ``Penguin mass.ipynb``."""
    stem = notebook.replace("\\", "/").rpartition("/")[2].removesuffix(".ipynb")
    words = re.findall(r"[a-z0-9]+", stem.lower())
    name = "_".join(words) or "model"
    return name if name[0].isalpha() else f"model_{name}"


def check_name(name: str) -> None:
    """Refuse a bundle's name that is no plain folder name.

    Raises
    ------
    ReleaseError
        If it holds anything but letters, digits, ``.``, ``_`` and ``-``.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise ReleaseError(
            f"{name!r} is no name for a release", hint="Give one such as --name churn"
        )


def check_version(version: str) -> None:
    """Refuse what is no version in its one normal form.

    Raises
    ------
    ReleaseError
        If it is another form than ``1.2.3`` or ``1.2.3rc1``.
    """
    if not _VERSION.fullmatch(version) or re.search(r"(^|\.)0\d", version):
        raise ReleaseError(
            f"{version!r} is no version", hint="Give one such as --version 1.2.0"
        )


def check_alias(alias: str) -> None:
    """Refuse an alias that trackers keep for themselves, or do not take.

    Raises
    ------
    ReleaseError
        If it is ``latest``, looks like a number, or holds other characters than words have.
    """
    is_reserved = alias.lower() == "latest" or re.fullmatch(r"[vV]\d+", alias)
    if not re.fullmatch(r"[A-Za-z0-9_-]*", alias) or is_reserved:
        raise ReleaseError(
            f"setting release.alias: {alias!r} is no alias that trackers take",
            hint="Name a word such as released; latest and v1 are the trackers' own.",
        )


def next_version(released: Iterable[str]) -> str:
    """Return the version after the latest: ``1.3.0`` after ``1.2.1``."""
    latest = latest_version(released)
    if not latest:
        return FIRST_VERSION
    numbers = [*_numbers(latest), 0][:2]
    return f"{numbers[0]}.{numbers[1] + 1}.0"


def raised_version(version: str, level: Level) -> str:
    """Return the version that a change of that level makes of another one.

    >>> raised_version("1.2.3", Level.MINOR)
    '1.3.0'

    Before 1.0.0, where anything may change at any time, a breaking change moves the number in
    the middle.
    """
    major, minor, patch = [*_numbers(version), 0, 0][:3]
    if level is Level.MAJOR and major:
        return f"{major + 1}.0.0"
    if level is Level.PATCH:
        return f"{major}.{minor}.{patch + 1}"
    return f"{major}.{minor + 1}.0"


def is_lower(version: str, other: str) -> bool:
    """Tell whether the numbers of a version are lower than those of another one."""
    left, right = _numbers(version), _numbers(other)
    length = max(len(left), len(right))
    return [*left, *[0] * length][:length] < [*right, *[0] * length][:length]


def latest_version(released: Iterable[str]) -> str:
    """Return the highest version; "" where there is none."""
    versions = [version for version in released if _VERSION.fullmatch(version)]
    return max(versions, key=_numbers, default="")


def _numbers(version: str) -> list[int]:
    release = re.match(r"\d+(?:\.\d+)*", version)
    return [int(number) for number in release[0].split(".")] if release else [0]
