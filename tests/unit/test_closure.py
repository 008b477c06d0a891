"""From a live function to the text of a module: what is taken, in whose words, in what order."""

from __future__ import annotations

import pytest

from nbship.errors import ExportError, HazardError
from support.executed import ExecutedNotebook, replay


def exported(tmp_path, *cells, root="predict"):
    """Run cells, export the root, replay it in a fresh process, return the module's text."""
    notebook = ExecutedNotebook(*cells, roots=(root,))
    text = notebook.text(tmp_path / "capture", root)
    assert replay(tmp_path / "capture", tmp_path / "fresh")["differences"] == []
    return text


def refused(tmp_path, *cells, root="predict"):
    notebook = ExecutedNotebook(*cells, roots=(root,))
    with pytest.raises(ExportError) as caught:
        notebook.capture(tmp_path / "capture", root)
    assert caught.value.hint
    assert not (tmp_path / "capture").exists()
    return caught.value


def test_the_authors_text_comments_and_constants_are_kept(tmp_path):
    text = exported(
        tmp_path,
        "# limits agreed with sales\nLIMIT = 10  # euro\nRATES = {\n    'a': 1.5,  # home\n    'b': 2.5,\n}\n",
        "# what it costs\n\n# per zone\ndef predict(zone, n=2):\n    # never more than the limit\n    return min(RATES[zone] * n, LIMIT)\n",
        "predict('a'); predict('b', n=7)",
    )

    assert (
        text
        == '''"""predict of test.ipynb, exported by nbship.

The text is the author's own, cut from:

- cell In[1] (c1)
- cell In[2] (c2)
"""

__all__ = ["predict"]

# limits agreed with sales
LIMIT = 10  # euro
RATES = {
    'a': 1.5,  # home
    'b': 2.5,
}


# per zone
def predict(zone, n=2):
    # never more than the limit
    return min(RATES[zone] * n, LIMIT)
'''
    )


def test_every_line_is_mapped_to_its_cell(tmp_path):
    notebook = ExecutedNotebook(
        "A = 1\n", "\n\ndef predict(x):\n    return x + A\n", "predict(1)"
    )
    record = notebook.capture(tmp_path / "capture")
    lines = (tmp_path / "capture" / "module.py").read_text().split("\n")

    mapped = {lines[int(n) - 1]: place for n, place in record.source_map.items()}

    assert mapped == {
        "A = 1": {"cell_id": "c1", "execution_count": 1, "line": 1},
        "def predict(x):": {"cell_id": "c2", "execution_count": 2, "line": 3},
        "    return x + A": {"cell_id": "c2", "execution_count": 2, "line": 4},
    }


def test_annotated_parameters_are_kept_as_the_cell_has_them(tmp_path):
    text = exported(
        tmp_path,
        "from typing import Optional\nrate: float = 1.25  # euro\nzone: Optional[str] = None\n",
        "rate: float = 2.5\n",
        "def predict(x):\n    return x * rate if zone is None else zone\n",
        "predict(3)",
    )

    assert "rate: float = 2.5" in text
    assert "zone = None" in text


def test_the_live_object_wins_over_redefinition_and_order(tmp_path):
    text = exported(
        tmp_path,
        "def predict(x):\n    return helper(x) + SHIFT\n",
        "SHIFT = 1\n",
        "def helper(x):\n    return x * 100\n",
        "def helper(x):\n    return x * 2\nSHIFT = 5\n",
        "predict(3)",
    )

    assert "x * 2" in text
    assert "x * 100" not in text
    assert "SHIFT = 5" in text


def test_a_mutated_literal_is_written_as_it_is_now(tmp_path):
    text = exported(
        tmp_path,
        "SEEN = []\n",
        "SEEN.append('a')\n",
        "def predict(x):\n    return x in SEEN\n",
        "predict('a')",
    )

    assert "SEEN = ['a']" in text


def test_attributes_that_share_a_name_with_a_global_are_not_taken(tmp_path):
    text = exported(
        tmp_path,
        "price = list(range(10**5))\nTH = 3\n",
        "class Row:\n    def __init__(self, price):\n        self.price = price\n",
        "def predict(x):\n    def inner(y):\n        return y * TH\n    return inner(Row(x).price)\n",
        "predict(2)",
    )

    assert "price = " not in text.replace("self.price = price", "")
    assert "TH = 3" in text


def test_recursion_and_mutual_recursion_are_followed(tmp_path):
    text = exported(
        tmp_path,
        "def even(n):\n    return n == 0 or odd(n - 1)\ndef odd(n):\n    return n != 0 and even(n - 1)\n",
        "def predict(n):\n    return 1 if n < 2 else n * predict(n - 1) if even(n) else predict(n - 1)\n",
        "predict(6)",
    )

    assert "def odd" in text


def test_imports_keep_the_authors_aliases_and_star_imports_become_names(tmp_path):
    text = exported(
        tmp_path,
        "import numpy as np, math\nimport scipy\nimport scipy.stats\nimport xml.dom.minidom\nfrom math import *\n"
        "from collections import Counter as Count\nimport os.path as osp\n",
        "def predict(x):\n    import json\n    p = scipy.stats.norm.cdf(x) + sqrt(4) + pi\n    xml.dom.minidom.Document()\n"
        "    return float(np.round(p, 3)), json.dumps(Count('ab')), osp.join('a', 'b')\n",
        "predict(0.5)",
    )

    assert "import numpy as np\n" in text
    assert "import xml.dom.minidom\n" in text
    assert "from math import pi, sqrt\n" in text
    assert "from collections import Counter as Count\n" in text


def test_a_closure_is_written_as_its_factory(tmp_path):
    text = exported(
        tmp_path,
        "import numpy as np\nBASE = 2\n",
        "def make(scale, table):\n    text = '''\n  kept'''\n"
        "    def inner(x, *, plus=1.5):\n        # inside\n"
        "        note = '''\n  untouched'''\n"
        "        return float((table * x * scale).sum()) + plus + BASE + len(text + note)\n"
        "    return inner\n",
        "predict = make(3, np.arange(4.0))\n",
        "predict(2); predict(1, plus=0)",
    )

    assert "def _make_predict():\n    scale = 3\n    table = predict__table\n" in text
    assert "        # inside\n" in text


def test_a_closure_over_another_closure_takes_both(tmp_path):
    exported(
        tmp_path,
        "def make(f, n):\n    def outer(x):\n        return f(x) + n\n    return outer\n",
        "double = make(lambda x: x * 2, 10)\n",
        "predict = make(double, 1)\n",
        "predict(4)",
    )


def test_a_closure_that_calls_itself_is_written(tmp_path):
    exported(
        tmp_path,
        "def make():\n    def count(n):\n        return 0 if n == 0 else 1 + count(n - 1)\n    return count\n",
        "predict = make()\n",
        "predict(5)",
    )


@pytest.mark.parametrize(
    "cell",
    [
        "predict = lambda x, k=2: x * k  # doubled",
        "predict = (lambda x:\n           x * 2)",
        "other, predict = (lambda x: x + 1), (lambda x: x * 2)",
        "keys = {'a': lambda x: x * 2}\npredict = keys['a']",
        "import functools\ndef power(x, n):\n    return x ** n\npredict = functools.partial(power, n=2)",
        "class Model:\n    FACTOR = 3\n    @classmethod\n    def go(cls, x):\n        return x * cls.FACTOR\npredict = Model.go",
        "if True:\n    def predict(x):\n        return x * 2\nelse:\n    def predict(x):\n        return x * 3",
        "def twice(x):\n    return x * 2\npredict = twice",
        "x = 1; predict = lambda x: x * 2; y = 2",
        "try:\n    import nothing_of_that_name as m\nexcept ImportError:\n    m = None\ndef predict(x):\n    return x if m is None else m.f(x)",
    ],
)
def test_functions_of_every_form_are_written(tmp_path, cell):
    exported(tmp_path, cell, "predict(3); predict(4)")


def test_two_names_for_one_function_give_one_definition(tmp_path):
    text = exported(
        tmp_path,
        "def score(x):\n    return x * 2\nalias = score\n",
        "def predict(x):\n    return score(x) + alias(x)\n",
        "predict(1)",
    )

    assert text.count("def score") == 1
    assert "alias = score" in text


def test_an_older_function_kept_under_another_name_stays_apart(tmp_path):
    text = exported(
        tmp_path,
        "def clean(x):\n    return x + 1\nold_clean = clean\n",
        "def clean(x):\n    return old_clean(x) * 10\n",
        "def predict(x):\n    return clean(x)\n",
        "predict(1)",
    )

    assert text.index("return x + 1") < text.index("old_clean = clean")
    assert text.index("old_clean = clean") < text.index("return old_clean(x) * 10")


def test_decorators_stay_and_what_they_need_comes_first(tmp_path):
    text = exported(
        tmp_path,
        "def predict0(x): return x\n",
        "import functools\nCALLS = 7\ndef times(n):\n    def deco(f):\n        @functools.wraps(f)\n"
        "        def wrapper(*a):\n            return f(*a) * n + CALLS\n        return wrapper\n    return deco\n",
        "@times(3)\n@functools.lru_cache(maxsize=8)\n# here\ndef helper(x):\n    return x + 1\n",
        "def predict(x):\n    return helper(x)\n",
        "predict(2)",
    )

    assert "@times(3)\n@functools.lru_cache(maxsize=8)\n# here\ndef helper(x):" in text
    assert text.index("def times") < text.index("@times(3)")
    assert text.index("CALLS = 7") < text.index("@times(3)")


def test_a_decorator_without_wraps_is_kept_too(tmp_path):
    text = exported(
        tmp_path,
        "def twice(f):\n    def wrapper(x):\n        return f(x) * 2\n    return wrapper\n",
        "@twice\ndef predict(x):\n    return x + 1\n",
        "predict(2)",
    )

    assert "@twice\ndef predict(x):" in text


def test_a_decorated_root_and_cached_function_objects_are_written(tmp_path):
    exported(
        tmp_path,
        "import functools\n@functools.cache\ndef predict(x):\n    return slow(x)\n",
        "def slow_(x):\n    return x * 2\nslow = functools.lru_cache(maxsize=4)(slow_)\n",
        "predict(2)",
    )


def test_a_redefined_decorator_is_refused(tmp_path):
    error = refused(
        tmp_path,
        "def deco(f):\n    def wrapper(x):\n        return f(x) * 2\n    return wrapper\n",
        "@deco\ndef predict(x):\n    return x\n",
        "def deco(f):\n    def wrapper(x):\n        return f(x) * 3\n    return wrapper\n",
        "predict(1)",
    )

    assert "a decorator was redefined after predict was defined" in error.message


def test_the_recording_decorator_is_left_out(tmp_path):
    notebook = ExecutedNotebook(
        "from nbship.faces.notebook import golden\n",
        "@golden\ndef predict(x):\n    return x * 2\npredict(2)\n",
    )
    text = notebook.text(tmp_path / "capture")

    assert "golden" not in text
    assert "nbship" not in text.split('"""')[2]


def test_classes_are_written_whole_with_bases_and_dataclass_fields(tmp_path):
    text = exported(
        tmp_path,
        "from dataclasses import dataclass, field\nfrom enum import Enum\nfrom typing import NamedTuple\n"
        "from collections import namedtuple\n",
        "class Color(Enum):\n    RED = 1\n    BLUE = 2\nPoint = namedtuple('Point', 'x y')\n",
        "class Pair(NamedTuple):\n    a: int\n    b: int = 2\n",
        "# settings of it\n@dataclass(frozen=True)\nclass Config:\n    scale: float = 1.5\n    color: Color = Color.BLUE\n    names: tuple = ('a',)\n    more: list = field(default_factory=list)\nCONFIG = Config(scale=2.0)\nCOLOR = Color.RED\n",
        "class Base:\n    K = 3\n    def base(self, x):\n        return x * self.K\n"
        "class Child(Base):\n    @property\n    def two(self):\n        return 2\n    @staticmethod\n    def one():\n        return 1\n    def run(self, x):\n        return super().base(x) + self.two + self.one()\n",
        "def predict(x):\n    return {'v': Child().run(x) * CONFIG.scale, 'c': COLOR.name, 'p': Point(x, 1), 'q': Pair(x)}\n",
        "predict(2)",
    )

    assert "# settings of it\n@dataclass(frozen=True)\nclass Config:" in text
    assert "CONFIG = Config(scale=2.0, color=Color.BLUE" in text
    assert "COLOR = Color.RED" in text
    assert text.index("class Base") < text.index("class Child")


def test_tables_of_functions_and_patterns_are_written_as_text(tmp_path):
    text = exported(
        tmp_path,
        "import re, math\nfrom pathlib import PurePosixPath\nfrom types import SimpleNamespace\n",
        "def up(x):\n    return x.upper()\nTABLE = {'up': up, 'len': len, 'sqrt': math.sqrt, 'kind': int}\n"
        "WORD = re.compile(r'\\w+', re.I)\nWHERE = PurePosixPath('a/b')\nNS = SimpleNamespace(a=1)\nNOT = float('nan')\n",
        "def predict(x):\n    return TABLE['up'](WORD.findall(x)[0]), TABLE['len'](x), str(WHERE), NS.a, NOT\n",
        "predict('ab cd')",
    )

    assert "TABLE = {'up': up, 'len': len, 'sqrt': " in text
    assert "WORD = re.compile" in text or "WORD = compile" in text


def test_postponed_annotations_are_kept_postponed(tmp_path):
    text = exported(
        tmp_path,
        "from __future__ import annotations\ndef predict(x: NotThere) -> Unknown:\n    return x\n",
        "predict(2)",
    )

    assert "from __future__ import annotations" in text


def test_annotations_that_are_evaluated_bring_their_imports(tmp_path):
    text = exported(
        tmp_path,
        "import decimal\nfrom typing import Optional\ndef predict(x: Optional[decimal.Decimal] = None) -> int:\n    return 1\n",
        "predict()",
    )

    assert "import decimal" in text


def test_one_object_under_two_names_is_saved_once(tmp_path):
    notebook = ExecutedNotebook(
        "import numpy as np\nA = np.arange(3.0)\nB = A\n",
        "def predict(x):\n    return float((A + B).sum() * x)\n",
        "predict(2)",
    )
    record = notebook.capture(tmp_path / "capture")

    assert [entry.name for entry in record.state] == ["A"]
    assert "B = A" in (tmp_path / "capture" / "module.py").read_text()


def test_default_values_must_still_be_what_they_were(tmp_path):
    error = refused(
        tmp_path,
        "T = 1\ndef predict(x, t=T):\n    return x + t\nT = 2\n",
        "predict(1)",
    )
    assert "the default of 't' (T) is no longer" in error.message

    error = refused(
        tmp_path,
        "def predict(x, seen=[]):\n    seen.append(x)\n    return len(seen)\n",
        "predict(1)",
    )
    assert "the default of 'seen' ([]) is no longer" in error.message


def test_an_edited_class_is_refused(tmp_path):
    for change in ("Model.k = 5", "Model.run = lambda self, x: x", "Model.extra = 1"):
        error = refused(
            tmp_path,
            "class Model:\n    k = 2\n    def run(self, x):\n        return x * self.k\n",
            f"{change}\ndef predict(x):\n    return Model().run(x)\n",
            "predict(1)",
        )
        assert "was set or changed after the class was defined" in error.message


def test_a_redefined_base_is_refused(tmp_path):
    error = refused(
        tmp_path,
        "class Base:\n    def f(self): return 1\n",
        "class Child(Base):\n    pass\n",
        "class Base:\n    def f(self): return 2\n",
        "def predict(x):\n    return Child().f()\n",
        "predict(1)",
    )
    assert "its base Base was redefined" in error.message


def test_changed_globals_and_strings_of_code_are_remarked(tmp_path):
    notebook = ExecutedNotebook(
        "N = 0\n",
        "def predict(x):\n    global N\n    N += 1\n    return eval('x + 1')\n",
        "predict(1)",
    )
    record = notebook.capture(tmp_path / "capture")

    assert "predict changes the global 'N' when it is called" in record.remarks
    assert "predict calls eval(): names in strings are not followed" in record.remarks


REFUSALS = [
    ("def predict(x):\n    return x + gone\n", "reads 'gone', which no cell binds now"),
    (
        "def predict(x):\n    get_ipython().run_line_magic('time', '')\n    return x\n",
        "predict calls get_ipython() in cell In[1] (c1), line 2: a magic or shell",
    ),
    (
        "exec('def predict(x): return x')\n",
        "predict: no executed cell holds its text",
    ),
    (
        "def predict(x):\n    return predict.k + x\npredict.k = 1\n",
        "predict: it carries values of its own: k",
    ),
    (
        "import functools\n@functools.singledispatch\ndef predict(x):\n    return x\n",
        "functools.singledispatch",
    ),
    ("predict = 3\n", "'predict' is a int; a function or a fitted estimator was"),
    ("class predict:\n    pass\n", "'predict' is a type; a function or a fitted"),
]


@pytest.mark.parametrize(("cell", "text"), REFUSALS)
def test_what_cannot_be_written_is_refused_with_its_reason(tmp_path, cell, text):
    error = refused(tmp_path, cell, "call = predict\n")

    assert text in error.message


def test_an_unknown_root_gets_its_nearest_name(tmp_path):
    error = refused(tmp_path, "def predict(x):\n    return x\n", root="predic")

    assert error.message == "the notebook has no 'predic'"
    assert error.hint == "Did you mean 'predict'?"


def test_a_root_without_golden_case_is_refused(tmp_path):
    error = refused(tmp_path, "def predict(x):\n    return x\n")

    assert "no golden case" in error.message
    assert error.hint == "Call predict in a cell after the one that defines it."


def test_a_local_module_is_taken_along(tmp_path, monkeypatch):
    (tmp_path / "own_features_1.py").write_text("def f(x):\n    return x\n")
    monkeypatch.syspath_prepend(tmp_path)

    text = exported(
        tmp_path,
        "import own_features_1\ndef predict(x):\n    return own_features_1.f(x)\n",
        "predict(1)",
    )

    assert "from ._local import own_features_1" in text


def test_several_hazards_are_reported_together(tmp_path):
    error = refused(
        tmp_path,
        "import threading\nlock = threading.Lock()\nrows = (x for x in 'ab')\n",
        "def predict(x):\n    with lock:\n        return next(rows)\n",
        "predict(1)",
    )

    assert isinstance(error, HazardError)
    assert "'lock'" in error.message
    assert "'rows'" in error.message


def test_imports_beside_the_definition_change_nothing(tmp_path):
    for cell in (
        "import math, json\ndef predict(x):\n    return math.sqrt(x), json.dumps(x)\nclass A:\n    def f(self):\n        return math.pi\n",
        "if True:\n    import math\n    def predict(x):\n        return math.sqrt(x)\n",
    ):
        notebook = ExecutedNotebook(cell, "predict(4)")
        notebook.capture(tmp_path / "capture")
