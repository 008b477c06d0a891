"""Loads models of MLflow as anybody does, asks them golden cases, prints how the answers differ.

Run as a script: ``ask_model.py MODEL GOLDEN [MODEL GOLDEN …]``, all in one process. The reader of
each package compares its answers.
"""

import importlib
import json
import sys
from pathlib import Path


def main(loaded, golden: str) -> None:
    answering = loaded.unwrap_python_model()
    package = answering._package.__name__
    values = importlib.import_module(f"{package}._values")
    replay = importlib.import_module(f"{package}.parity._replay")
    form = answering._inputs.form()
    names = [spec.name for spec in answering._inputs.specs()]
    differences = []
    cases = [json.loads(line) for line in Path(golden).read_text().splitlines()]
    for case in cases:
        answer = loaded.predict(_input(case, form, names, values, answering))
        found = answer if form != "arguments" else answer[0]
        differences += [
            f"case {case['case']}: {text}"
            for text in values.compare(case["output"], found, replay.tolerance())
        ]
    told = {
        "cases": len(cases),
        "differences": differences,
        "nbship": "nbship" in sys.modules,
        "package": package,
    }
    sys.stdout.write(json.dumps(told) + "\n")


def _input(case, form, names, values, answering):
    import pandas as pd

    args = [values.decode(item) for item in case["args"]]
    named = {key: values.decode(item) for key, item in case["kwargs"].items()}
    if form != "arguments":
        return next(iter((*args, *named.values())))
    given = dict(zip(names, args, strict=False)) | named
    return pd.DataFrame([{k: answering._batch.plain(v) for k, v in given.items()}])


if __name__ == "__main__":
    import mlflow

    pairs = list(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    models = [mlflow.pyfunc.load_model(model) for model, _ in pairs]
    for loaded, (_, golden) in zip(models, pairs, strict=True):
        main(loaded, golden)
