"""Execute notebooks by nbclient and by the engine's client, and print what both made of them.

Run by the environment's interpreter: ``differential.py FOLDER``.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import threading
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from nbship.adapters.kernels.client import NbshipClient
from nbship.adapters.kernels.launching import FreshLauncher
from nbship.adapters.kernels.saving import SparingManager
from nbship.adapters.kernels.terms import Terms
from nbship.capture.terminal import shown

OPTIONS = {
    "Interrupt": {"timeout": 2, "interrupt_on_timeout": True, "allow_errors": True},
    "Skip Exceptions": {"allow_errors": True},
    "Disable Stdin": {"allow_errors": True},
    "Error": {"allow_errors": True},
}
PARALLEL = ("Parallel Execute A", "Parallel Execute B")
VOLATILE = (
    (re.compile(r"\x1b\[[0-9;]*[a-zA-Z]"), ""),
    (re.compile(r"(<ipython-input-\d+-[0-9a-f]+>|/tmp/ipykernel_\d+/\d+\.py)"), "<in>"),
    (re.compile(r"(?<=0x)[0-9a-f]{6,}"), "<address>"),
    (re.compile(r"[0-9a-f]{32}"), "<id>"),
    (re.compile(r"id=\"[a-z0-9]{6,}\"|#[a-z0-9]{10,}"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?"), "<moment>"),
)


class Silent:
    """A listener that takes no note."""

    def __getattr__(self, name):
        return lambda *_words, **_options: None


def by_nbclient(nb, options):
    NotebookClient(nb, **options).execute()


def by_ours(nb, options):
    nb.metadata["papermill"] = {}
    manager = SparingManager(nb, target=None, progress_bar=False)
    manager.notebook_start()
    terms = Terms(launcher=FreshLauncher())
    NbshipClient(manager, listener=Silent(), terms=terms, **options).execute()


def made_of(path, execute):
    nb = nbformat.read(path, as_version=4)
    options = {
        "kernel_name": "python3",
        "resources": {"metadata": {"path": str(path.parent)}},
        **OPTIONS.get(path.stem, {}),
    }
    raised = ""
    try:
        execute(nb, options)
    except Exception as error:  # noqa: BLE001  # its kind is compared
        raised = type(error).__name__
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    return {
        "raised": raised,
        "outputs": [settled(cell.outputs) for cell in code],
        "counts": [cell.execution_count for cell in code],
        "timed": [sorted(cell.metadata.get("execution", {})) for cell in code],
        "widgets": widgets_of(nb),
        "language": nb.metadata.get("language_info", {}).get("name"),
    }


def settled(outputs):
    joined = []
    for output in map(dict, outputs):
        last = joined[-1] if joined else {}
        is_same = last.get("name", "") == output.get("name")
        if output["output_type"] == "stream" and is_same:
            last["text"] += output["text"]
        else:
            joined.append(output)
    for output in joined:
        if output["output_type"] == "stream":
            output["text"] = shown(output["text"])
    return stable(joined)


def widgets_of(nb):
    told = nb.metadata.get("widgets", {})
    states = told.get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    return sorted(json.dumps(stable(s), sort_keys=True) for s in states.values())


def stable(value):
    if isinstance(value, dict):
        return {stable(key): stable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [stable(item) for item in value]
    if isinstance(value, str):
        for pattern, instead in VOLATILE:
            value = pattern.sub(instead, value)
    return value


def at_once(paths, execute):
    """Execute notebooks that wait for each other's files."""
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NBEXECUTE_TEST_PARALLEL_TMPDIR"] = folder
        threads = [
            threading.Thread(target=lambda p=p: made.update({p: made_of(p, execute)}))
            for p in paths
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return [made[path] for path in paths]


def main():
    folder = Path(sys.argv[1])
    found = {}
    for path in sorted(folder.glob("*.ipynb")):
        if path.stem not in PARALLEL:
            theirs, ours = made_of(path, by_nbclient), made_of(path, by_ours)
            found[path.stem] = {"nbclient": theirs, "nbship": ours}
    parallel = [folder / f"{name}.ipynb" for name in PARALLEL]
    pairs = zip(at_once(parallel, by_nbclient), at_once(parallel, by_ours), strict=True)
    for name, (theirs, ours) in zip(PARALLEL, pairs, strict=True):
        found[name] = {"nbclient": theirs, "nbship": ours}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
