"""The notebooks that every executor runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TRIVIAL = ["x = 1 + 1\nprint('two is', x)"]
FIT = [
    (
        "import pandas as pd\nimport matplotlib.pyplot as plt\n"
        "from sklearn.datasets import load_iris\n"
        "from sklearn.linear_model import LogisticRegression"
    ),
    "data = load_iris(as_frame=True)\nframe = data.frame\nframe.describe()",
    (
        "model = LogisticRegression(max_iter=500).fit(data.data, data.target)\n"
        "accuracy = model.score(data.data, data.target)\nprint(f'{accuracy:.3f}')"
    ),
    "plt.scatter(frame.iloc[:, 0], frame.iloc[:, 1], c=data.target)\nplt.show()",
]
TORCH = [
    "import torch\nfrom torch import nn",
    (
        "torch.manual_seed(0)\nx = torch.linspace(-1, 1, 64).unsqueeze(1)\ny = x ** 3\n"
        "model = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))"
    ),
    (
        "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "for _ in range(20):\n    optimizer.zero_grad()\n"
        "    loss = ((model(x) - y) ** 2).mean()\n    loss.backward()\n    optimizer.step()\n"
        "print(f'{loss.item():.4f}')"
    ),
]
MANY_CELLS = [f"print({number})" for number in range(200)]
BIG_OUTPUTS = [f"print(('{n % 10}' * 79 + '\\n') * 2500)" for n in range(200)]
CASES = {
    "trivial": TRIVIAL,
    "fit": FIT,
    "torch": TORCH,
    "200 cells": MANY_CELLS,
    "200 cells x 200 kB": BIG_OUTPUTS,
}


def write_notebooks(folder: Path, case: str, count: int, *, salt: str) -> list[Path]:
    """Write ``count`` notebooks of a case; a comment makes each differ from all others.

    Without it, nbship would find that an equal job has run, and run nothing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(count):
        sources = [f"# notebook {salt}-{number}\n{CASES[case][0]}", *CASES[case][1:]]
        path = folder / f"{salt}-{number:03}.ipynb"
        path.write_text(json.dumps(_document(sources)), "utf-8")
        paths.append(path)
    return paths


def outputs_of(path: Path) -> list[list[dict[str, object]]]:
    """Read each code cell's outputs, with streams joined and pictures by their size."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return [_plain(c["outputs"]) for c in cells if c["cell_type"] == "code"]


def _document(sources: list[str]) -> dict[str, object]:
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(sources)
    ]
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": spec},
        "cells": cells,
    }


def _plain(outputs: list[dict[str, object]]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for output in outputs:
        kept = {
            k: v for k, v in output.items() if k not in {"metadata", "execution_count"}
        }
        if "text" in kept:
            kept["text"] = "".join(kept["text"])
        is_more = found and kept.get("name") and found[-1].get("name") == kept["name"]
        if is_more:
            found[-1]["text"] = f"{found[-1]['text']}{kept['text']}"
        else:
            found.append(kept)
        data = kept.get("data")
        if isinstance(data, dict):
            kept["data"] = {k: "".join(v) for k, v in data.items()}
    return found
