"""Notebook files read into records: every version of the format, nothing executed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nbship.errors import NotebookError
from nbship.records.digest import digest_bytes
from nbship.records.notebook import Cell, CellKind, Notebook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

#: the major version of the notebook format that nbship works with
_FORMAT = 4
_HINT = "Open it in JupyterLab and save it again, or take it from version control."


def read_notebook(path: Path) -> Notebook:
    """Read a notebook file.

    Parameters
    ----------
    path
        The file; kept in the record as given.

    Returns
    -------
    Notebook
        Cells without an id of their own are called ``cell-<position>``.

    Raises
    ------
    NotebookError
        If there is no such file, or it is no notebook.
    """
    return read_with_bytes(path)[1]


def read_with_bytes(path: Path) -> tuple[bytes, Notebook]:
    """Read a notebook file once: its bytes, and the record of what they hold.

    Raises
    ------
    NotebookError
        If there is no such file, or it is no notebook.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotebookError(
            f"{path}: cannot be read: {error.strerror}",
            hint="Check the path of the notebook.",
        ) from error
    return data, parse_notebook(data, path=str(path))


def parse_notebook(data: bytes, *, path: str) -> Notebook:
    """Read a notebook from the bytes of its file.

    Parameters
    ----------
    data
        What the file holds.
    path
        Where it came from, for the record and for messages.

    Raises
    ------
    NotebookError
        If the bytes are no notebook.
    """
    document = _modern(_document(data, path), path)
    metadata = document.get("metadata") or {}
    try:
        kernelspec = metadata.get("kernelspec") or {}
        kernel_name = kernelspec.get("name")
        language_info = metadata.get("language_info") or {}
        language = language_info.get("name") or kernelspec.get("language")
        cells = tuple(_cells(document["cells"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotebookError(
            f"{path}: a cell or the metadata is not as the notebook format wants it"
            f" ({type(error).__name__}: {error})",
            hint=_HINT,
        ) from error
    return Notebook(
        path=path,
        digest=digest_bytes(data),
        kernel_name=str(kernel_name or ""),
        language=str(language or "python"),
        cells=cells,
        metadata=metadata,
    )


def _document(data: bytes, path: str) -> dict[str, Any]:
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotebookError(
            f"{path}: not a notebook: not JSON ({error})", hint=_HINT
        ) from error
    if not isinstance(document, dict) or not isinstance(document.get("nbformat"), int):
        raise NotebookError(
            f"{path}: not a notebook: JSON without a whole number under 'nbformat'",
            hint="Name a file that Jupyter wrote.",
        )
    return document


def _modern(document: dict[str, Any], path: str) -> dict[str, Any]:
    version = document["nbformat"]
    if version > _FORMAT:
        raise NotebookError(
            f"{path}: notebook format {version} where {_FORMAT} or older was expected",
            hint="Save it in format 4.",
        )
    if version < _FORMAT:
        import nbformat

        try:
            old = nbformat.reads(json.dumps(document), as_version=_FORMAT)
        except Exception as error:  # its readers of old formats raise anything
            raise NotebookError(
                f"{path}: not a notebook of format {version}"
                f" ({type(error).__name__}: {error})",
                hint=_HINT,
            ) from error
        for cell in old["cells"]:  # the conversion invents an id at random each time
            cell.pop("id", None)
        return dict(old)
    if not isinstance(document.get("cells"), list) or not isinstance(
        document.get("metadata", {}), dict
    ):
        raise NotebookError(
            f"{path}: not a notebook: no list under 'cells'", hint=_HINT
        )
    return document


def _cells(raw_cells: Iterable[Mapping[str, Any]]) -> Iterable[Cell]:
    seen: set[str] = set()
    for index, raw in enumerate(raw_cells):
        own = raw.get("id")
        cell_id = own if isinstance(own, str) and own not in seen else f"cell-{index}"
        seen.add(cell_id)
        tags = (raw.get("metadata") or {}).get("tags") or ()
        yield Cell(
            id=cell_id,
            kind=CellKind(raw["cell_type"]),
            source=_joined(raw["source"]),
            index=index,
            tags=tuple(str(tag) for tag in tags),
            execution_count=raw.get("execution_count"),
            outputs=tuple(_output(output) for output in raw.get("outputs") or ()),
        )


def _output(raw: Mapping[str, Any]) -> dict[str, Any]:
    output = dict(raw)
    if "text" in output:
        output["text"] = _joined(output["text"])
    if isinstance(output.get("data"), dict):
        output["data"] = {
            mime: value if mime.endswith("json") else _joined(value)
            for mime, value in output["data"].items()
        }
    return output


def _joined(text: Any) -> Any:  # noqa: ANN401  # a string, or a list of lines
    if isinstance(text, list):
        return "".join(text)
    if not isinstance(text, str):
        raise TypeError(f"{type(text).__name__} where text was expected")
    return text
