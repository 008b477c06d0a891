"""Executions written by hand, as a comparison takes them."""

from __future__ import annotations

import base64
import io
from datetime import UTC, datetime, timedelta

from nbship.records.notebook import Cell, CellKind, Notebook
from nbship.vetting.comparison.executions import Execution, LoggedMetric
from nbship.vetting.comparison.natures import Circumstances

BEGAN = datetime(2026, 11, 23, 9, tzinfo=UTC)


def printed(text: str, name: str = "stdout") -> dict:
    """Write an output as printing leaves it."""
    return {"output_type": "stream", "name": name, "text": text}


def shown(**data: object) -> dict:
    """Write an output as display leaves it; ``text_html`` stands for ``text/html``."""
    bundle = {mime.replace("_", "/", 1): value for mime, value in data.items()}
    return {"output_type": "display_data", "data": bundle, "metadata": {}}


def raised(name: str, message: str) -> dict:
    """Write an output as an exception leaves it."""
    return {"output_type": "error", "ename": name, "evalue": message, "traceback": []}


def cell(
    source: str, *outputs: dict, tags: tuple[str, ...] = (), count: int | None = 1
) -> dict:
    """Describe a code cell."""
    return {
        "source": source,
        "outputs": outputs,
        "tags": tags,
        "execution_count": count,
    }


def executed(
    *cells: dict,
    metrics: dict[str, tuple[float, ...]] | None = None,
    folders: dict[str, str] | None = None,
    began_at: datetime = BEGAN,
) -> Execution:
    """Put cells together as one execution."""
    return Execution(
        notebook=Notebook(
            path="n.ipynb",
            digest="",
            kernel_name="python3",
            language="python",
            cells=tuple(
                Cell(id=f"c{at}", kind=CellKind.CODE, index=at, **facts)
                for at, facts in enumerate(cells)
            ),
        ),
        circumstances=Circumstances(
            began_at=began_at, ended_at=began_at + timedelta(minutes=1)
        ),
        metrics={
            name: LoggedMetric(values=values, cell_id="c0")
            for name, values in (metrics or {}).items()
        },
        folders=folders or {},
    )


def picture(*, height: int = 60, text_at: int | None = None, line_at: int = 30) -> str:
    """Draw a line, and a mark where a label would be, as a PNG in base64."""
    from PIL import Image, ImageDraw

    image = Image.new("RGBA", (120, height), "white")
    drawing = ImageDraw.Draw(image)
    drawing.line((0, line_at, 119, line_at + 8), fill="blue", width=2)
    if text_at is not None:
        drawing.rectangle((text_at, 2, text_at + 6, 10), fill="black")
    file = io.BytesIO()
    image.save(file, "png")
    return base64.b64encode(file.getvalue()).decode()
