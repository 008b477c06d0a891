"""Eight notebooks of different kinds, and what a client sends and gets of their golden cases."""

from __future__ import annotations

import json
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.adapters.bundles.replay import find_python
from nbship.adapters.bundles.uv import run_uv
from nbship.records.digest import digest_file
from nbship.resources import shipped_module
from nbship.workflow.bundle_files import regular_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support.project import Project

FOLDER = Path(__file__).resolve().parents[1] / "notebooks" / "kinds"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One notebook and what is known of it."""

    #: of the notebook, of the package and of the release
    name: str
    root: str
    #: names and texts of cells that only looked at data: they stay out
    out: tuple[str, ...]
    #: comments and docstrings of the author: they come along
    comments: tuple[str, ...]
    #: part of the first golden input, what it becomes, and the field that the answer names
    wrong: tuple[tuple[str, Any, str], ...]

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}.ipynb"


#: stands for a part that is left out
ABSENT = object()

KINDS = (
    Kind(
        name="churn",
        root="predict",
        out=("missing(", "Counter", "roc_curve", "coefficients", "rng", "newcomer"),
        comments=(
            "# kept per column, in the order of the columns",
            "# nobody is rung twice in a week",
            "# the day of the extract",
            '"""Days since the customer last rang us."""',
        ),
        wrong=(
            ("town", ABSENT, "instances[0].town"),
            ("months", "twelve", "instances[0].months"),
            ("outages", None, "instances[0].outages"),
            ("last_call", "yesterday", "instances[0].last_call"),
        ),
    ),
    Kind(
        name="tickets",
        root="predict",
        out=("WORDINGS", "write(", "bayes", "punctuation", "wrong", "lengths"),
        comments=(
            '# "250 Mbit" and "16 Mbit" are one',
            "# letters and the zero that stands for numbers; stop words go",
            "# below it a person reads the mail",
        ),
        wrong=(
            ("", 17, "instances[0]"),
            ("", None, "instances[0]"),
            ("", {"text": "x"}, "instances[0]"),
        ),
    ),
    Kind(
        name="diabetes",
        root="model",
        out=("def error", "forest", "plain", "scatter", "worst", "RidgeCV"),
        comments=(
            "# scores start at 25; below 20 the logarithm would bend too much",
            "# the inverse, and no score above the scale's end",
        ),
        wrong=(
            ("bmi", ABSENT, "instances[0].bmi"),
            ("s5", "high", "instances[0].s5"),
            ("age", None, "instances[0].age"),
        ),
    ),
    Kind(
        name="tumours",
        root="predict",
        out=("correlation", "drop_twins", "importance", "StratifiedKFold", "train("),
        comments=(
            "# worst against mean: how uneven the sample is",
            "# apart by this much: a person looks",
            "# weight of XGBoost",
        ),
        wrong=(
            ("worst_texture", ABSENT, "instances[0].worst_texture"),
            ("mean_area", [1.0], "instances[0].mean_area"),
            ("mean_radius", True, "instances[0].mean_radius"),
        ),
    ),
    Kind(
        name="wines",
        root="predict",
        out=("DataLoader", "losses", "Adam", "load_wine", "svd", "accuracy"),
        comments=(
            "# 0 where the net is sure, 1 where all three are alike",
            '"""A layer with its norm; the skip keeps small nets trainable."""',
        ),
        wrong=(
            ("alcohol", ABSENT, "instances[0].alcohol"),
            ("proline", "much", "instances[0].proline"),
            (
                "od280/od315_of_diluted_wines",
                None,
                "instances[0].od280/od315_of_diluted_wines",
            ),
        ),
    ),
    Kind(
        name="premiums",
        root="quote",
        out=("old_rounding", "grid", "calls", "itertools", "asked", "plt"),
        comments=(
            "# a bicycle of exactly one year counts as new",
            "# they add up, the actuaries insist",
            "# a thousandth of a step is noise of the float",
            "# thefts per 1000 bicycles and year",
            "# extras are never discounted",
        ),
        wrong=(
            ("kind", ABSENT, "instances[0].kind"),
            ("price", "cheap", "instances[0].price"),
            ("years", 1.5, "instances[0].years"),
            ("colour", "red", "instances[0].colour"),
            ("extras", "battery", "instances[0].extras"),
        ),
    ),
    Kind(
        name="digits",
        root="predict",
        out=("def show", "knn", "axes", "matrix", "missed", "meter", "train_test"),
        comments=(
            "# of eight pixels",
            "# nothing there: a black photo",
            "# black photos are no zeros",
        ),
        wrong=(
            ("", [[1.0, 2.0]], "instances[0]"),
            ("", "7", "instances[0]"),
            ("", [["x"] * 8] * 8, "instances[0][0][0]"),
        ),
    ),
    Kind(
        name="sales",
        root="forecast",
        out=("season", "autocorrelation", "trees", "one_step", "errors", "Ridge"),
        comments=(
            "# shifted first: today must not know today",
            "# shut days sell nothing, and the model is not asked",
            "# the error of each step adds to the one before",
        ),
        wrong=(
            ("history", ABSENT, "instances[0].history"),
            ("history", [1.0, 2.0], "instances[0].history"),
            ("history", {"one day": 1.0}, "instances[0].history.one day"),
            ("history", {"2026-01-01": "many"}, "instances[0].history.2026-01-01"),
            ("horizon", "a week", "instances[0].horizon"),
        ),
    ),
)


def release(project: Project, kind: Kind) -> Path:
    """Walk a notebook to its sealed bundle: submit, vet, approve, release."""
    (project.folder / kind.path.name).write_bytes(kind.path.read_bytes())
    project.environ |= {
        "MLOPS_EXPORT_ROOTS": kind.root,
        "MLOPS_EXPORT_PACKAGE": kind.name,
    }
    project.must("submit", kind.path.name)
    project.must("vet", "last")
    project.must("approve", "last", "--reason", "answers were compared")
    project.must("release", "last", "--name", kind.name, "--version", "1.0.0")
    return project.store / "releases" / kind.name / "1.0.0"


def install(bundle: Path, folder: Path) -> Path:
    """Make an environment as the HANDOFF page says, for serving; return its interpreter."""
    python = folder / "env" / "bin" / "python"
    (wheel,) = (bundle / "dist").glob("*.whl")
    version = json.loads((bundle / "manifest.json").read_bytes())["python_version"]
    place = ["pip", "install", "--quiet", "--no-build", "--python", str(python)]
    lock = [
        "--require-hashes",
        "--requirements",
        str(bundle / "requirements-serve.lock"),
    ]
    made = ["venv", "--quiet", "--python", find_python(version), str(folder / "env")]
    for words in (made, [*place, *lock], [*place, "--no-deps", str(wheel)]):
        ended = run_uv(words, timeout_s=600)
        assert ended.code == 0, ended.errors
    return python


def forge_first_answer(python: Path, name: str) -> None:
    """Change the first recorded answer of an installed package, and its digest with it."""
    (folder,) = python.parents[1].glob(f"lib/python*/site-packages/{name}")
    first, *others = (
        (folder / "golden.jsonl").read_text("utf-8").splitlines(keepends=True)
    )
    case = json.loads(first)
    case["output"] = _moved(case["output"])
    (folder / "golden.jsonl").write_text("".join([json.dumps(case) + "\n", *others]))
    record = json.loads((folder / "capture.json").read_text("utf-8"))
    record["golden_digest"] = digest_file(folder / "golden.jsonl")
    (folder / "capture.json").write_text(json.dumps(record), "utf-8")


def _moved(value: Any) -> Any:
    """Change every number of an encoded answer by a little."""
    if isinstance(value, dict):
        kept = ("dtype", "name", "shape", "index")
        return {k: v if k in kept else _moved(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_moved(item) for item in value]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value + type(value)(1) if is_number else value


def pickles_in(bundle: Path) -> list[str]:
    """Name what is a pickle or may be one, in any file of a bundle or of its wheel."""
    scan = shipped_module("_pickles").pickles_in
    files = {name: path.read_bytes() for name, path in regular_files(bundle).items()}
    for name in [name for name in files if name.endswith(".whl")]:
        with zipfile.ZipFile(bundle / name) as wheel:
            files |= {
                f"{name}/{entry}": wheel.read(entry) for entry in wheel.namelist()
            }
    return [said for name, data in files.items() for said in scan(name, data)]


class Golden:
    """One golden case as a client that knows only JSON sends it, and the answer it wants."""

    def __init__(self, case: dict[str, Any], names: Sequence[str], form: str) -> None:
        decode = shipped_module("_values").decode
        given = [decode(value) for value in case["args"]]
        self.named = dict(zip(names, given, strict=False))
        self.named |= {name: decode(value) for name, value in case["kwargs"].items()}
        self.output = decode(case["output"])
        #: the table whose rows are answered one by one; None where it is one call
        self.table = None
        if form in {"frame", "array"} or isinstance(given[0], list):
            (self.table,) = given

    def instances(self) -> list[Any]:
        """Return the rows of the table, or the one call."""
        if self.table is not None:
            return list(plain(self.table))
        return [{name: plain(value) for name, value in self.named.items()}]

    def predictions(self) -> list[Any]:
        """Return the answers to the instances."""
        answer = plain(self.output)
        return list(answer) if self.table is not None else [answer]


def goldens(bundle: Path) -> Iterator[Golden]:
    """Read the golden cases of a bundle."""
    capture = json.loads((bundle / "provenance" / "capture.json").read_bytes())
    signature = capture["signature"]
    names = [column["name"] for column in signature["inputs"]]
    for line in (bundle / "tests" / "golden.jsonl").read_text("utf-8").splitlines():
        yield Golden(json.loads(line), names, signature["input_form"])


def plain(value: Any) -> Any:
    """Write a value as JSON knows it: a frame by row, a series of dates by date."""
    if hasattr(value, "columns"):
        return [
            {str(name): plain(item) for name, item in row.items()}
            for row in value.to_dict("records")
        ]
    if hasattr(value, "index") and hasattr(value, "items"):
        return {key.isoformat(): plain(item) for key, item in value.items()}
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return None if isinstance(value, float) and math.isnan(value) else value


def agrees(found: Any, wanted: Any) -> bool:
    """Tell whether two JSON values are equal, floats within a relative 1e-9."""
    if isinstance(wanted, float):
        return isinstance(found, (int, float)) and math.isclose(
            found, wanted, rel_tol=1e-9, abs_tol=0.0
        )
    if isinstance(wanted, dict):
        return (
            isinstance(found, dict)
            and list(found) == list(wanted)
            and all(agrees(found[key], wanted[key]) for key in wanted)
        )
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(map(agrees, found, wanted))
        )
    return type(found) is type(wanted) and bool(found == wanted)
