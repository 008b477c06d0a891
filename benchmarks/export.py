"""How long exports take and how much of a notebook they keep.

    python benchmarks/export.py [FOLDER] [--repeats 3] [--checks-only]

For the demo's notebook and every notebook of the folder (the tests' eight kinds by default): the
root that it offers (`predict` or a name like it, else its first fitted estimator) is checked and
exported in the kernel that ran it. Reported are the seconds of `--check` (the first call, and the
median of those after it, each behind an edit of the root's cell; in brackets the processor's),
those of the whole export, the lines kept against the notebook's, the sizes of the wheel and of all
that its lock installs, without the interpreter.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import nbformat
from execution.live_kernel import ATTEND, ESTIMATORS, Kernel, functions_of

from nbship.adapters.bundles.replay import UvReplayer

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "binder" / "demo" / "penguins.ipynb"
KINDS = ROOT / "tests" / "notebooks" / "kinds"
#: what notebooks call what they ship
ROOTS = ("predict", "quote", "forecast", "model")
_TIMED = """
import time as _time
_started = _time.perf_counter(), _time.process_time()
get_ipython().run_line_magic("mlops", {line!r})
print("seconds", _time.perf_counter() - _started[0], _time.process_time() - _started[1])
"""


def measure(
    notebook: Path, folder: Path, repeats: int, *, is_whole: bool
) -> dict | None:
    """Run a notebook and export its root; None where it has none that passes."""
    document = nbformat.read(notebook, as_version=4)
    names = functions_of(document)
    kernel = Kernel(folder)
    try:
        kernel.run("%load_ext nbship", 60)
        if not any("%mlops start" in cell.source for cell in document.cells):
            kernel.run("%mlops start export", 60)  # as in a job, which has a run
        kernel.run(ATTEND.format(names=[n for n in names if n in ROOTS]), 60)
        for cell in document.cells:
            if cell.cell_type == "code" and cell.source.strip():
                error, _ = kernel.run(cell.source, 300)
                if error:
                    print(f"{notebook.name}: {error}", file=sys.stderr)
                    return None
        _, text = kernel.run(ESTIMATORS, 60)
        estimators, _ = json.loads(text.strip().splitlines()[-1])
        known = {*names, *estimators}
        wanted = [n for n in ROOTS if n in known] or estimators or names
        for root in wanted:
            first = timed(kernel, f"export {root} --check --json")
            if first and first[1]["passed"]:
                edits = edits_of(root, document)
                return measured(
                    kernel, root, first, folder, repeats, edits, is_whole=is_whole
                )
    finally:
        kernel.close()
    return None


def edits_of(root: str, document: nbformat.NotebookNode) -> list[str]:
    """Return the cells that define a function and call it, as they are run after an edit."""
    sources = [c.source for c in document.cells if c.cell_type == "code"]
    own = [source for source in sources if f"def {root}(" in source]
    if not own:
        return []
    behind = sources[sources.index(own[-1]) + 1 :]
    return [own[-1] + "\n# edited", *(s for s in behind if f"{root}(" in s)]


def timed(kernel: Kernel, line: str) -> tuple[tuple[float, float], dict] | None:
    """Call a verb; return its seconds, those of the processor, and its answer."""
    error, text = kernel.run(_TIMED.format(line=line), 600)
    if error:
        print(f"{line}: {error}", file=sys.stderr)
        return None
    body, _, seconds = text.rpartition("seconds ")
    wall_s, processor_s = map(float, seconds.split())
    return (wall_s, processor_s), json.loads(body[body.index("{") :])


def measured(  # noqa: PLR0913, PLR0917
    kernel: Kernel,
    root: str,
    first: tuple[tuple[float, float], dict],
    folder: Path,
    repeats: int,
    edits: list[str],
    *,
    is_whole: bool,
) -> dict:
    """Repeat the check after edits, export once, and look at the wheel."""
    again = []
    for _ in range(repeats):
        for source in edits:
            kernel.run(source, 300)
        found = timed(kernel, f"export {root} --check --json")
        if found and found[1]["passed"]:
            again.append(found[0])
    check = first[1]
    row = {
        "root": root,
        "first_s": first[0],
        "check_s": tuple(map(statistics.median, zip(*again, strict=True))),
        "kept": check["lines_kept"],
        "lines": check["lines_of_notebook"],
    }
    done = timed(kernel, f"export {root} --json") if is_whole else None
    if done:
        seconds, export = done
        wheel = folder / ".mlops" / "exports" / export["id"] / export["wheel"]
        found = UvReplayer().inspect(
            wheel,
            wheel.parents[1] / "requirements.lock",
            package=export["package"],
            python_version=export["parity"]["python_version"],
        )
        row |= {
            "export_s": seconds[0],
            "wheel": wheel.stat().st_size,
            "installed": found.installed_bytes,
            "distributions": len(found.distributions),
            "is_equal": export["parity"]["passed"],
        }
    return row


def shown(seconds: tuple[float, float]) -> str:
    """Write seconds, and those of the processor in brackets."""
    return f"{seconds[0]:.2f} ({seconds[1]:.2f})"


def table(rows: dict[str, dict]) -> str:
    """Write the measurements as Markdown, with the median and spread of the lines kept."""
    lines = [
        (
            "| notebook | root | first check, s | check after an edit, s | export, s | equal | "
            "lines kept | wheel, kB | installed, MB | distributions |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        export = f"{row['export_s']:.1f}" if "export_s" in row else "-"
        wheel = f"{row['wheel'] / 1000:.0f}" if "wheel" in row else "-"
        size = f"{row['installed'] / 1e6:.1f}" if "installed" in row else "-"
        equal = {True: "yes", False: "NO"}.get(row.get("is_equal"), "-")
        lines.append(
            f"| {name} | {row['root']} | {shown(row['first_s'])} | {shown(row['check_s'])} | "
            f"{export} | {equal} | {row['kept']} of {row['lines']} | {wheel} | "
            f"{size} | {row.get('distributions', '-')} |"
        )
    shares = sorted(
        row["kept"] / row["lines"]
        for name, row in rows.items()
        if row["lines"] and name != DEMO.name
    )
    if shares:
        lines += [
            "",
            (
                f"Lines kept: median {statistics.median(shares):.1%}, from {shares[0]:.1%} to "
                f"{shares[-1]:.1%} of {len(shares)} notebooks beside the demo's."
            ),
        ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=KINDS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--checks-only", action="store_true", help="build no wheel of the folder's"
    )
    arguments = parser.parse_args()
    rows: dict[str, dict] = {}
    for source in (DEMO, *sorted(arguments.folder.glob("*.ipynb"))):
        with tempfile.TemporaryDirectory(prefix="export-bench-") as scratch:
            folder = Path(scratch) / "project"
            shutil.copytree(
                source.parent, folder, ignore=shutil.ignore_patterns(".mlops", ".git")
            )
            row = measure(
                folder / source.name,
                folder,
                arguments.repeats,
                is_whole=not arguments.checks_only,
            )
        if row is None:
            print(f"{source.name}: no root passes", file=sys.stderr)
        else:
            rows[source.name] = row
    print(table(rows))


if __name__ == "__main__":
    main()
