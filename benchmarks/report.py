"""Our report exporter against nbconvert's own HTML exporter, on one synthetic notebook.

Process CPU, warm, interleaved so that other load hits both alike; medians and their ratio.
"""

from __future__ import annotations

import base64
import os
import statistics
import time
from typing import TYPE_CHECKING

from nbconvert.exporters import HTMLExporter
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
)

from nbship.faces.report_exporter import ReportExporter

if TYPE_CHECKING:
    from nbformat import NotebookNode

CELLS = 60
ROUNDS = 9
PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + os.urandom(40_000)).decode()
ROW = "<tr><th>{0}</th><td>Adelie</td><td>39.1</td><td>3750.0</td></tr>"
FRAME = (
    '<div><style scoped>.dataframe td {vertical-align: top;}</style><table class="dataframe">'
    "<thead><tr><th></th><th>a</th><th>b</th><th>c</th></tr></thead><tbody>"
    + "".join(ROW.format(n) for n in range(30))
    + "</tbody></table></div>"
)
SOURCE = (
    "import pandas as pd\n\n"
    + "for name, group in frame.groupby('species'):  # each one\n    print(name, len(group))\n"
    * 8
)


def synthetic_notebook() -> NotebookNode:
    cells = []
    for number in range(CELLS // 3):
        picture = {"image/png": PICTURE, "text/plain": "<Figure>"}
        cells += [
            new_markdown_cell(
                f"## Part {number}\n\nSome *text* with $x^2$ and a [link](https://example.org)."
            ),
            new_code_cell(
                SOURCE,
                outputs=[
                    new_output("display_data", data={"text/html": FRAME}),
                    new_output("stream", name="stdout", text="a line\n" * 40),
                ],
            ),
            new_code_cell(SOURCE, outputs=[new_output("display_data", data=picture)]),
        ]
    notebook = new_notebook(cells=cells)
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def main() -> None:
    notebook = synthetic_notebook()
    exporters = {"nbship-report": ReportExporter(), "nbconvert html": HTMLExporter()}
    cpu_s = {name: [] for name in exporters}
    size_kib = {}
    for number in range(ROUNDS + 1):
        for name, exporter in exporters.items():
            start = time.process_time()
            text, _ = exporter.from_notebook_node(notebook)
            if number:  # the first one compiles the templates
                cpu_s[name].append(time.process_time() - start)
            size_kib[name] = len(text.encode()) / 1024
    medians = {name: statistics.median(found) for name, found in cpu_s.items()}
    pictures_kib = CELLS // 3 * len(PICTURE) / 1024
    ours, stock = exporters
    print(f"{CELLS} cells, {ROUNDS} rounds, process CPU")
    for name in exporters:
        beside = size_kib[name] - pictures_kib
        print(
            f"  {name:<15} {medians[name]:.3f} s   {beside:.0f} KiB beside the pictures"
        )
    print(f"  nbship / nbconvert: time {medians[ours] / medians[stock]:.2f}")


if __name__ == "__main__":
    main()
