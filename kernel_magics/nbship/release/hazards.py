"""Live objects that have no place in a package, and what to do about each."""

from __future__ import annotations

import io
import re
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, NoReturn

from nbship.errors import HazardError
from nbship.release.cells import binding_statements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbship.release.cells import Cells

_OPEN_INSIDE = "Open it in a function of its own under @nbship.resource, and call that."
_MAKE_LIST = "Turn it into a list in its own cell: a generator is used up by one call."
_NO_PLOTS = "Move plotting and widgets out of the functions that answer."
_SEED_INSIDE = "Make it inside the function, from a seed: an answer must not depend on the calls before."
_RESOURCE = (
    "Open it in a function of its own under @nbship.resource, and call that; or read what is "
    "needed into a value in its own cell."
)

#: start of ``module.Class`` of any type in the value's line of types -> (what it is, fix)
_HANDLES = {
    "sqlite3.": ("a database connection", _RESOURCE),
    "duckdb.": ("a database connection", _RESOURCE),
    "_duckdb.": ("a database connection", _RESOURCE),
    "psycopg": ("a database connection", _RESOURCE),
    "pymysql.": ("a database connection", _RESOURCE),
    "pymongo.": ("a database connection", _RESOURCE),
    "redis.": ("a database connection", _RESOURCE),
    "sqlalchemy.engine": ("a database connection", _RESOURCE),
    "sqlalchemy.orm.session": ("a database connection", _RESOURCE),
    "socket.": ("a socket", _OPEN_INSIDE),
    "_socket.": ("a socket", _OPEN_INSIDE),
    "ssl.": ("a socket", _OPEN_INSIDE),
    "requests.sessions": ("a network session", _OPEN_INSIDE),
    "httpx.": ("a network session", _OPEN_INSIDE),
    "urllib3.": ("a network session", _OPEN_INSIDE),
    "http.client.": ("a network session", _OPEN_INSIDE),
    "botocore.": ("a cloud client", _OPEN_INSIDE),
    "boto3.": ("a cloud client", _OPEN_INSIDE),
    "google.cloud.": ("a cloud client", _OPEN_INSIDE),
    "threading.": ("a thread or lock", "Make it inside the function that uses it."),
    "_thread.": ("a thread or lock", "Make it inside the function that uses it."),
    "multiprocessing.": ("a process or pool", "Make it inside the function."),
    "concurrent.futures.": ("a process or pool", "Make it inside the function."),
    "subprocess.": ("a running process", "Start it inside the function."),
    "asyncio.": ("a task or event loop", "Make it inside the function that uses it."),
    "_asyncio.": ("a task or event loop", "Make it inside the function that uses it."),
    "contextvars.": ("a context variable", "Pass the value as an argument."),
    "tempfile.": ("an open file", _RESOURCE),
    "zipfile.ZipFile": ("an open file", _RESOURCE),
    "tarfile.TarFile": ("an open file", _RESOURCE),
    "h5py.": ("an open file", _RESOURCE),
    "mmap.": ("an open file", _RESOURCE),
    "matplotlib.": ("a figure", _NO_PLOTS),
    "plotly.graph_objs": ("a figure", _NO_PLOTS),
    "ipywidgets.": ("a widget", _NO_PLOTS),
    "anywidget.": ("a widget", _NO_PLOTS),
    "IPython.": ("a part of the notebook's front end", _NO_PLOTS),
    "ipykernel.": ("a part of the notebook's front end", _NO_PLOTS),
    "weakref.": ("a weak reference", "Refer to the object itself."),
    "numpy.random.": ("a random generator", _SEED_INSIDE),
    "random.Random": ("a random generator", _SEED_INSIDE),
    "torch._C.Generator": ("a random generator", _SEED_INSIDE),
    "pyspark.": ("a Spark object", _RESOURCE),
}
_ITERATORS = (
    GeneratorType,
    CoroutineType,
    AsyncGeneratorType,
    map,
    filter,
    zip,
    enumerate,
)

_SECRET_NAME = re.compile(
    r"(?:^|[_\W])(?:api_?key|secret(?:_?key)?|passwd|password|access_?key|private_?key"
    r"|(?:access|auth|api|bearer|refresh|github|hf)_?token|credentials?)$|^token$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,}|xox[baprs]-[\w-]{10,}"
    r"|sk-[A-Za-z0-9_-]{20,}|hf_[A-Za-z0-9]{30,}|AIza[\w-]{35}|glpat-[\w-]{20}"
    r"|-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----|[a-z+]+://[^/\s:@]+:[^/\s:@]+@"
)
_MIN_SECRET = 8
_MAX_DEPTH = 20


def check_handle(name: str, value: Any, *, reader: str, cells: Cells) -> None:  # noqa: ANN401
    """Refuse values that live only in this process.

    Raises
    ------
    HazardError
        If ``value`` is an open file, a connection, a thread, a generator and the like.
    """
    found = _handle_of(value)
    if found is None:
        return
    what, fix = found
    raise HazardError(
        f"{reader} reads {name!r}: {what} ({type_name(value)}){bound_in(name, cells)}; "
        "a package cannot hold it",
        hint=fix,
        hazard="handle",
        name=name,
    )


def check_secret(name: str, value: Any, *, reader: str, cells: Cells) -> None:  # noqa: ANN401
    """Refuse values that look like a password, key or token.

    Raises
    ------
    HazardError
        If ``value``, or a value under a telling key inside it, looks like a secret.
    """
    place = secret_in(name, value)
    if place is not None:
        variable = re.sub(r"\W+", "_", place).strip("_").upper()
        raise HazardError(
            f"{reader} reads {name!r}: {place} looks like a secret"
            f"{bound_in(name, cells)}; a package must not hold it",
            hint=f'Read it from the environment: {name} = os.environ.get("{variable}", "").'
            if place == name
            else f'Read it inside the function: os.environ["{variable}"].',
            hazard="secret",
            name=name,
        )


def check_text(text: str, *, reader: str, place: str) -> None:
    """Refuse text that holds a password, key or token.

    Raises
    ------
    HazardError
        If a string in it looks like one.
    """
    if _SECRET_VALUE.search(text):
        raise HazardError(
            f"{reader}: its text in {place} holds what looks like a secret",
            hint="Read it from os.environ inside the function.",
            hazard="secret",
            name=reader,
        )


def no_codec(name: str, value: object, *, reader: str, cells: Cells) -> HazardError:
    """Make the error for a value that no codec takes."""
    return HazardError(
        f"{reader} reads {name!r}: no codec writes a {type_name(value)}"
        f"{bound_in(name, cells)} without pickle",
        hint="Keep what is needed from it as numbers, strings, arrays or frames of their "
        "own, or install a codec as a plug-in (nbship.codecs).",
        hazard="no-codec",
        name=name,
    )


def bound_in(name: str, cells: Cells) -> str:
    """Name the cell that binds a name, for messages; "" where none does."""
    for _, cell in binding_statements(name, cells):
        return f", bound in {cell.place}"
    return ""


def type_name(value: Any) -> str:  # noqa: ANN401
    """Return ``module.Class`` of a value; builtins without their module."""
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}"


def _handle_of(value: Any) -> tuple[str, str] | None:  # noqa: ANN401
    if isinstance(value, (io.StringIO, io.BytesIO)):
        return "a stream in memory", "Keep its content: value.getvalue()."
    if isinstance(value, io.IOBase):
        return "an open file", _RESOURCE
    if isinstance(value, _ITERATORS):
        return "a generator or iterator", _MAKE_LIST
    for kind in type(value).__mro__:
        path = f"{kind.__module__}.{kind.__qualname__}"
        for start, found in _HANDLES.items():
            if path.startswith(start):
                return found
    return None


def secret_in(place: str, value: Any, depth: int = 0) -> str | None:  # noqa: ANN401
    """Say where a value looks like a password, key or token; None where nothing does."""
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, (str, bytes)):
        text = value if isinstance(value, str) else value.decode("latin-1")
        is_word = len(text) >= _MIN_SECRET and not re.search(r"\s", text)
        if _SECRET_VALUE.search(text) or (is_word and _SECRET_NAME.search(place)):
            return place
        return None
    if type(value) is dict:
        pairs = (
            (
                f"{place}[{key!r}]" if not isinstance(key, str) else f"{place}.{key}",
                item,
            )
            for key, item in value.items()
        )
        return _first_secret(pairs, depth + 1)
    if type(value) in (list, tuple):
        return _first_secret(
            ((f"{place}[{i}]", item) for i, item in enumerate(value)), depth + 1
        )
    return None


def _first_secret(items: Any, depth: int) -> str | None:  # noqa: ANN401
    found = (secret_in(place, item, depth) for place, item in items)
    return next((place for place in found if place), None)


def raise_together(errors: Sequence[HazardError]) -> NoReturn:
    """Report several hazards at once.

    Raises
    ------
    HazardError
        One for all.
    """
    joined = HazardError(
        "\n".join(error.message for error in errors),
        hint=" ".join(dict.fromkeys(error.hint for error in errors)),
        hazard=errors[0].hazard,
        name=errors[0].name,
    )
    joined.parts = tuple(errors)
    raise joined


def shared_variable(name: str, other: str, variable: str) -> HazardError:
    """Make the error for a variable that two closures share and one of them sets."""
    return HazardError(
        f"{name} and {other} share {variable!r} of the function that made them, and it is set "
        "there; written apart they would not share it",
        hint="Keep it in an attribute of a class, or pass it as an argument.",
        hazard="closure",
        name=name,
    )


def keyboard(reader: str) -> HazardError:
    """Make the error for a function that waits for somebody to type."""
    return HazardError(
        f"{reader} calls input(): in a package nobody answers",
        hint="Make what is typed an argument of the function.",
        hazard="keyboard",
        name=reader,
    )
