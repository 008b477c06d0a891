"""Cells that papermill misreads: papermill is asked, Python is asked, and ours is right."""

from __future__ import annotations

import datetime as dt
import typing
from pathlib import Path

import pytest
from annotated_types import Gt
from pydantic import Field

from nbship.jobs.contract import read_parameters
from nbship.jobs.fitting import fit
from nbship.jobs.typed import type_of
from support.misread_cells import (
    BEGIN,
    CELLS,
    END,
    PAGE,
    REQUIRED,
    Misread,
    papermill_says,
    table,
)

#: names that the cells take from cells above
NAMES = {
    "datetime": dt,
    "dt": dt,
    "timedelta": dt.timedelta,
    "Path": Path,
    "Gt": Gt,
    "Field": Field,
    "Literal": typing.Literal,
    "Annotated": typing.Annotated,
}


def we_say(source: str) -> dict[str, tuple[str, str, str]]:
    return {
        p.name: (
            f"({p.annotation})" if p.is_inferred else p.annotation,
            REQUIRED if p.is_required else p.default_text,
            p.description,
        )
        for p in read_parameters(source)
    }


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.source.split("\n")[0])
def test_papermill_misreads_the_cell_and_we_read_it(cell: Misread):
    assert we_say(cell.source) == cell.right
    assert not papermill_is_right(cell)


def papermill_is_right(cell: Misread) -> bool:
    """Judge papermill mildly: no type is fine where there is no annotation."""
    said = papermill_says(cell.source)
    if said.keys() != cell.right.keys():
        return False
    for name, (kind, default, description) in cell.right.items():
        its_kind, its_default, its_description = said[name]
        if its_description != description or plain(its_default) != plain(default):
            return False
        if not kind.startswith("(") and plain(its_kind) != plain(kind):
            return False
    return True


def plain(text: str) -> str:
    return text.replace(" ", "").replace('"', "'")


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.source.split("\n")[0])
def test_our_defaults_are_what_python_assigns(cell: Misread):
    found = dict(NAMES)
    exec(cell.source, found)  # noqa: S102  # our own table
    for parameter in read_parameters(cell.source):
        if not parameter.is_required:
            ours = fit(type_of(parameter), parameter.default, is_json=True)
            python = found[parameter.name]
            assert (type(ours), ours) == (type(python), python)


def test_there_are_forty_cells_and_the_page_shows_them():
    page = PAGE.read_text("utf-8")

    assert len({cell.source for cell in CELLS}) >= 40
    assert page.partition(BEGIN)[2].partition(END)[0] == table(), (
        "run: PYTHONPATH=tests python -m support.misread_cells"
    )
