"""Golden cases with objects: models, functions and own instances as arguments and answers."""

from __future__ import annotations

import io
import json
import random

import pytest

from nbship.errors import ExportError
from nbship.release import golden_objects
from nbship.resources import shipped_module
from support.executed import ExecutedNotebook, replay
from support.packages import Package

TABLE = "import numpy as np\nX = np.sin(np.arange(60.0)).reshape(30, 2)\ny = X.sum(axis=1) > 0.2\n"
TREE = f"{TABLE}from sklearn.tree import DecisionTreeClassifier\n"
objects = shipped_module("_objects")
values = shipped_module("_values")


def captured(folder, *cells, root="predict"):
    """Capture a root and replay it in a fresh process."""
    record = ExecutedNotebook(*cells, roots=(root,)).capture(folder / "capture", root)
    return record, replay(folder / "capture", folder / "package")["differences"]


def cases_of(folder):
    lines = (folder / "capture" / "golden.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def altered(folder, old, new):
    """Replay a capture whose module says something else."""
    path = folder / "capture" / "module.py"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    return replay(folder / "capture", folder / "altered")["differences"]


def test_a_fitted_model_is_an_argument(tmp_path):
    record, differences = captured(
        tmp_path,
        f"{TREE}model = DecisionTreeClassifier(max_depth=2).fit(X, y)",
        "def share(X, *, classifier):\n    return classifier.predict(X).mean()",
        "share(X, classifier=model)",
        root="share",
    )

    (file,) = record.golden_files
    (case,) = cases_of(tmp_path)
    assert differences == []
    assert (file.type, file.codec) == (
        "sklearn.tree._classes.DecisionTreeClassifier",
        "skops",
    )
    assert "sklearn.tree._tree.Tree" in file.trusted_types
    assert case["kwargs"]["classifier"] == {
        "$file": {"type": file.type, "file": file.file}
    }
    column = record.signature.inputs[1]
    assert (column.name, column.dtype, column.form) == (
        "classifier",
        "opaque",
        file.type,
    )


def test_what_a_call_leaves_in_its_argument_is_compared(tmp_path):
    cells = (
        "import pandas as pd\nframe = pd.DataFrame({'a': [1.0, 2.0]})",
        "def predict(frame, by):\n    frame['b'] = frame['a'] * by",
        "predict(frame, 3)",
    )

    record, differences = captured(tmp_path, *cells)

    assert differences == []
    assert cases_of(tmp_path)[0]["changed"].keys() == {"args"}
    assert not any("None" in remark for remark in record.remarks)
    assert altered(tmp_path, "* by", "* by * 2") == [
        "argument 1 after the call: row 0, column 'b': 6.0 where 3.0 was recorded",
        "argument 1 after the call: row 1, column 'b': 12.0 where 6.0 was recorded",
    ]


def test_a_model_that_is_fitted_in_place_is_compared(tmp_path):
    _, differences = captured(
        tmp_path,
        TREE,
        "def predict(model, X, y, depth=2):\n    model.set_params(max_depth=depth).fit(X, y)",
        "predict(DecisionTreeClassifier(random_state=0), X, y)",
    )

    assert differences == []
    found = altered(tmp_path, "depth=2", "depth=1")
    assert any("after the call: .max_depth" in text for text in found)
    assert any(".tree_" in text for text in found)


def test_an_answer_that_is_a_model_is_compared_in_all_its_parts(tmp_path):
    cells = (
        TREE,
        "def predict(n):\n    return DecisionTreeClassifier(max_depth=n, random_state=0).fit(X, y)",
        "predict(2)",
    )

    record, differences = captured(tmp_path, *cells)

    assert differences == []
    assert record.signature.outputs[0].dtype == "opaque"
    path = tmp_path / "capture" / "golden.jsonl"
    text = path.read_text("utf-8")
    case = json.loads(text)
    tree = dict(case["output"]["$object"]["state"]["$dict"])["tree_"]
    nodes = dict(tree["$object"]["state"]["$dict"])["nodes"]
    threshold = dict(nodes["$object"]["state"]["$dict"])["threshold"]
    threshold["$array"]["values"][0] += 1e-6
    path.write_text(json.dumps(case) + "\n", "utf-8")
    (difference,) = replay(tmp_path / "capture", tmp_path / "forged")["differences"]
    assert difference.startswith(".tree_.nodes.threshold: row 0: ")


def test_functions_are_arguments_by_name(tmp_path):
    record, differences = captured(
        tmp_path,
        "import math\ndef half(x):\n    return x / 2",
        "def predict(change, x):\n    return change(change(x))",
        "predict(half, 8.0); predict(math.sqrt, 16.0)",
    )

    assert differences == []
    assert len(record.golden_files) == 2
    assert "def half" in (tmp_path / "capture" / "module.py").read_text("utf-8")


def test_a_function_defined_anew_is_no_argument_any_more(tmp_path):
    with pytest.raises(ExportError, match="as it was before it was defined anew"):
        captured(
            tmp_path,
            "def half(x):\n    return x / 2",
            "def predict(change, x):\n    return change(x)",
            "predict(half, 8.0)",
            "def half(x):\n    return x / 3",
        )


def test_objects_of_the_notebook_are_arguments_and_answers(tmp_path):
    record, differences = captured(
        tmp_path,
        "class Point:\n    def __init__(self, x, y):\n        self.x, self.y = x, y\n",
        "def predict(point, by):\n    return Point(point.x + by, point.y * 2)",
        "predict(Point(1.5, 2), 3)",
    )

    assert differences == []
    assert record.golden_files[0].trusted_types == ("__notebook__.Point",)
    assert altered(tmp_path, "* 2", "* 3") == [".y: 6 where 4 was recorded"]


def test_an_object_that_holds_a_method_of_its_own_is_an_argument(tmp_path):
    _, differences = captured(
        tmp_path,
        "class Line:\n    def __init__(self, a):\n        self.a = a\n"
        "        self.answer = self.at\n    def at(self, x):\n        return self.a * x\n",
        "def predict(line, x):\n    return line.answer(x)",
        "predict(Line(3), 2)",
    )

    assert differences == []


def test_a_random_generator_is_an_argument_as_it_stood_before_the_call(tmp_path):
    record, differences = captured(
        tmp_path,
        "import numpy as np\nrandom = np.random.RandomState(3)\nrandom.normal(size=7)",
        "def predict(random, n):\n    return random.normal(size=n)",
        "predict(random, 2); predict(random, 2)",
    )

    assert differences == []
    assert len(record.golden_files) == 2  # the calls before changed it
    found = altered(tmp_path, "return random", "random.normal(); return random")
    assert any(text.startswith("row 0: ") for text in found)
    assert any(text.startswith("argument 1 after the call: ") for text in found)


def test_records_of_numpy_are_answers(tmp_path):
    _, differences = captured(
        tmp_path,
        "import numpy as np",
        "def predict(n):\n"
        "    people = np.zeros(n, dtype=[('name', 'U5'), ('age', 'i4')])\n"
        "    people['age'] = np.arange(n) + 30\n    return people",
        "predict(2)",
    )

    assert differences == []
    assert altered(tmp_path, "+ 30", "+ 31") == [
        ".age: row 0: 31 where 30 was recorded",
        ".age: row 1: 32 where 31 was recorded",
    ]


def test_calls_that_answer_none_prove_nothing(tmp_path):
    record, differences = captured(
        tmp_path,
        "import sys\ndef predict(x):\n    print(x, file=sys.stderr)",
        "for x in range(30):\n    predict(x)",
    )

    assert differences == []
    assert record.golden_rows == 0
    assert (
        "not proven: every recorded answer is None; what is shown, printed or written is not "
        "compared" in record.remarks
    )


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (
            "def of(n):\n    return lambda x: x * n\npredict(of(2))",
            "<lambda>, a function that no name leads to",
        ),
        ("with open('/dev/null') as f: predict(f)", "TextIOWrapper"),
        ("predict(x for x in [1])", "generator"),
    ],
)
def test_arguments_without_a_codec_are_told(tmp_path, call, reason):
    with pytest.raises(ExportError) as caught:
        captured(tmp_path, "def predict(x):\n    return 1", call)

    assert caught.value.hazard == "unrecorded-calls"
    assert reason in caught.value.message


def test_a_figure_is_no_answer(tmp_path):
    pytest.importorskip("matplotlib")
    with pytest.raises(ExportError, match="is shown, not compared"):
        captured(
            tmp_path,
            "from matplotlib.figure import Figure\ndef predict(x):\n    return Figure(), x",
            "predict(1)",
        )


def test_objects_have_a_limit_of_calls_and_of_bytes(tmp_path, monkeypatch):
    cells = (
        "class Box:\n    def __init__(self, x):\n        self.x = x\n",
        "def predict(box):\n    return box.x",
    )
    monkeypatch.setattr(golden_objects, "MAX_OBJECT_CALLS", 3)
    record, _ = captured(
        tmp_path, *cells, "for x in range(5):\n    predict(Box(x))", root="predict"
    )
    assert record.golden_cases == 3
    assert (
        "2 calls not recorded: more than 3 calls with objects among their arguments"
        in record.remarks
    )

    monkeypatch.setattr(golden_objects, "MAX_OBJECT_BYTES", 10)
    with pytest.raises(ExportError, match="objects of more than 0 MB"):
        captured(tmp_path / "bytes", *cells, "predict(Box(1))")


def test_a_golden_file_that_was_changed_or_is_not_listed_fails_the_replay(tmp_path):
    record = ExecutedNotebook(
        "class Box:\n    def __init__(self, x):\n        self.x = x\n",
        "def predict(box):\n    return box.x",
        "predict(Box(1))",
    ).capture(tmp_path / "capture")
    package = Package(tmp_path, "own_boxes", tmp_path / "capture")
    path = package.folder / "golden" / record.golden_files[0].file
    assert package.part("_about").changed_files() == []
    path.write_bytes(path.read_bytes() + b"x")

    replayed = package.part("parity._replay").replay()

    assert package.part("_about").changed_files() == [
        f"golden/{path.name}: changed since the capture"
    ]
    assert (
        f"case 1: GoldenError: golden/{path.name}: sha256 " in replayed.differences[0]
    )
    with pytest.raises(package.part("_golden").GoldenError, match="lists no file"):
        package.part("_golden").argument_of({"$file": {"file": "../capture.json"}})


@pytest.mark.parametrize(
    "value",
    [
        {"$file": {"type": "own.Box", "file": "0.tree"}},
        {"$object": {"type": "own.Box", "made": ["os.system", ["true"]]}},
    ],
)
def test_a_client_cannot_name_an_object(value):
    with pytest.raises(values.UnsupportedValueError, match=r"an object of own\.Box"):
        values.decode(value)


def test_objects_that_differ_somewhere_are_told_apart():
    class Node:
        def __init__(self, name, parent=None):
            self.name, self.parent, self.items = name, parent, []

    Node.__qualname__ = "Node"
    root = Node("root")
    root.items = [Node("leaf", root), {"deep": (1, Node("leaf", root))}]
    described = json.loads(json.dumps(objects.encode(root)))
    assert values.compare(described, root) == []

    root.items[1]["deep"][1].name = "twig"
    assert values.compare(described, root) == [
        ".items[1]['deep'][1].name: 'twig' where 'leaf' was recorded"
    ]
    root.items[1]["deep"][1].name = "leaf"
    root.items[0].parent = root.items[1]["deep"][1]
    assert values.compare(described, root) != []


def test_outdated_calls_are_asked_again_by_the_function_as_it_stands(tmp_path, capsys):
    notebook = ExecutedNotebook(
        "import random, sys\nrandom.seed(3)\nrate = 2",
        "def predict(x, by):\n    print('asked', file=sys.stderr)\n"
        "    return x * rate * by + 0 * random.random()",
        "predict(3, 1); predict(4, by=2)",
        "rate = 5\nbefore = random.getstate()",
    )
    capsys.readouterr()

    record = notebook.capture(tmp_path / "capture")

    assert [case["output"] for case in cases_of(tmp_path)] == [15.0, 40.0]
    assert (
        "calls of the notebook were asked again when this was captured: rate had been bound "
        "anew since" in record.remarks
    )
    found = replay(tmp_path / "capture", tmp_path / "package")
    assert found["differences"] == []
    assert random.getstate() == notebook.namespace["before"]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "line",
    [
        "open(PLACE, 'a').write('asked')",
        "pathlib.Path(PLACE).write_text('asked')",
        "os.mkdir(PLACE)",
        "subprocess.run(['touch', PLACE])",
        "socket.create_connection(('127.0.0.1', 9), timeout=1)",
    ],
)
def test_a_function_that_writes_starts_or_sends_is_not_asked_again(tmp_path, line):
    place = tmp_path / "written"
    notebook = ExecutedNotebook(
        f"import os, pathlib, socket, subprocess\nPLACE = {str(place)!r}\n"
        "rate, is_live = 2, False",
        f"def predict(x):\n    if is_live:\n        {line}\n    return x * rate",
        "predict(3)",
        "rate, is_live = 5, True",
    )

    with pytest.raises(ExportError) as caught:
        notebook.capture(tmp_path / "capture")

    assert caught.value.hazard == "outdated-calls"
    assert not place.exists()
    place.write_text("the notebook itself may write", "utf-8")


def test_a_function_that_reads_a_file_is_asked_again(tmp_path):
    place = tmp_path / "rate.txt"
    place.write_text("5", "utf-8")
    notebook = ExecutedNotebook(
        f"import pathlib\nPLACE = {str(place)!r}\nshare = 1",
        "def predict(x):\n    return x * share * int(pathlib.Path(PLACE).read_text())",
        "predict(3)",
        "share = 2",
    )

    notebook.capture(tmp_path / "capture")

    assert [case["output"] for case in cases_of(tmp_path)] == [30]


@pytest.mark.parametrize(
    "body",
    [
        "rate[0] += 1\n    return x * rate[0]",
        "global seen\n    seen = x\n    return x * rate[0]",
        "rate.append(x)\n    return x * rate[0]",
    ],
)
def test_a_function_that_changes_the_notebook_is_not_asked_again(tmp_path, body):
    notebook = ExecutedNotebook(
        "rate, seen = [2], 0",
        f"def predict(x):\n    {body}",
        "predict(3)",
        "rate = [5]",
    )

    with pytest.raises(ExportError) as caught:
        notebook.capture(tmp_path / "capture")

    assert caught.value.hazard == "outdated-calls"
    assert "since it was called, rate was bound anew" in caught.value.message
    assert (notebook.namespace["rate"], notebook.namespace["seen"] in {0, 3}) == (
        [5],
        True,
    )


def test_an_answer_that_is_an_object_is_no_row_of_a_file(tmp_path, capsys, monkeypatch):
    notebook = ExecutedNotebook(
        "class Box:\n    def __init__(self, x):\n        self.x = x\n",
        "def predict(x):\n    return Box(x)",
        "predict(1)",
    )
    notebook.capture(tmp_path / "capture")
    package = Package(tmp_path, "own_answers", tmp_path / "capture")
    monkeypatch.setattr("sys.stdin", io.StringIO('{"x": 2}\n'))

    code = package.main(["predict", "-"])

    assert code == 2
    assert "-: a value of type own_answers.model.Box cannot be recorded" in (
        capsys.readouterr().err
    )
    assert package.part("parity._replay").replay().differences == []


INTERPOLATION = """
import numpy as np
from scipy.interpolate import interp1d
knots = np.arange(6.0)
line = interp1d(knots, knots**2)
curve = interp1d(knots, knots**2, kind="cubic")
def predict(x):
    return float(line(x)) + float(curve(x))
"""
GROUPS = """
import pandas as pd
groups = pd.DataFrame({"k": list("aabb"), "v": [1.0, 2, 3, 4]}).groupby("k")
def predict(x, others=groups):
    return groups.get_group("a")["v"].sum() * x + others["v"].sum()
"""
FREQUENCY = """
import pandas as pd
days = pd.Series([1.0, 2, 3], index=pd.date_range("2020", periods=3, freq="D"))
def predict(x):
    return days * x
"""


@pytest.mark.parametrize("source", [INTERPOLATION, GROUPS, FREQUENCY])
def test_what_libraries_make_is_captured(tmp_path, source):
    _, differences = captured(tmp_path, source, "predict(1.5); predict(3)")

    assert differences == []


@pytest.mark.parametrize(("home", "is_taken"), [("IPython.core", False), ("own", True)])
def test_the_notebooks_open_is_pythons_and_nobody_elses(tmp_path, home, is_taken):
    notebook = ExecutedNotebook(
        "def opened(*args):\n    return 'mine'\n",
        "def predict(path):\n    return len(path) or open(path)",
        "predict('x')",
    )
    notebook.namespace["opened"].__globals__["__name__"] = home
    notebook.namespace["open"] = notebook.namespace["opened"]

    record = notebook.capture(tmp_path / "capture")

    text = (tmp_path / "capture" / "module.py").read_text("utf-8")
    assert ("mine" in text) is is_taken
    assert record.golden_cases == 1


LAMBDAS = """
import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
X = np.arange(60.0).reshape(30, 2)
shift = 2
model = make_pipeline(
    FunctionTransformer(lambda X: X[:, [0]] / (shift + X[:, [1]])),  # a ratio
    LinearRegression(),
).fit(X, X[:, 0])
"""


def test_a_lambda_inside_an_estimator_gets_a_name(tmp_path):
    _, differences = captured(tmp_path, LAMBDAS, root="model")

    text = (tmp_path / "capture" / "module.py").read_text("utf-8")
    assert differences == []
    assert " = lambda X: X[:, [0]] / (shift + X[:, [1]])" in text
    assert "shift = 2" in text
    assert altered(tmp_path, "shift = 2", "shift = 3") != []


def test_lambdas_are_arguments_and_keep_their_own_names_in_the_notebook(tmp_path):
    notebook = ExecutedNotebook(
        "by = 3\ndouble = lambda x: x * 2",
        "def predict(change, x):\n    return change(x)",
        "predict(lambda x: x * by, 2); predict(lambda x: x - by, 2); predict(double, 2)",
    )
    record = notebook.capture(tmp_path / "capture")

    found = replay(tmp_path / "capture", tmp_path / "package")
    assert found["differences"] == []
    assert len(record.golden_files) == 3
    assert notebook.namespace["double"].__qualname__ == "<lambda>"
    assert altered(tmp_path, "by = 3", "by = 4") == [
        "8 where 6 was recorded",
        "-2 where -1 was recorded",
    ]


def test_what_a_lambda_read_then_and_reads_no_more_is_no_parity(tmp_path):
    _, differences = captured(
        tmp_path,
        "def predict(change, x):\n    return change(x)",
        "for n in (3, 4):\n    predict(lambda x: x * n, 2)",
    )

    assert differences == ["8 where 6 was recorded"]
