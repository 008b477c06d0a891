"""What a notebook's text tells of its imports, and whether it changes its environment."""

import pytest

from nbship.adapters.kernels.foreseeing import changes_variables, imported_names


def test_imports_at_the_top_level_are_told_in_their_order():
    sources = [
        "%matplotlib inline\nimport pandas as pd, numpy.linalg\nfrom . import x",
        "!pip list\nfrom sklearn.ensemble import A\ndef f():\n    import torch",
        "this does not parse",
        "import pandas?\nimport json",
    ]

    assert imported_names(sources) == (
        "pandas",
        "numpy.linalg",
        "sklearn.ensemble",
        "json",
    )


@pytest.mark.parametrize(
    "source",
    [
        "os.environ['A'] = '1'",
        "os.environ[name] += '1'",
        "os.environ.update(a)",
        "os.environ.setdefault('A', '1')",
        "del os.environ['A']",
        "os.environ |= {}",
        "e = os.environ",
        "from os import environ",
        "os.putenv('A', '1')",
        "%env A=1",
        "load_dotenv()",
    ],
)
def test_a_cell_that_may_change_the_environment_is_seen(source):
    assert changes_variables(["x = 1", source])


@pytest.mark.parametrize(
    "source",
    [
        "os.environ['HOME']",
        "os.environ['A'] == '1'",
        "os.environ.get('A')",
        "'A' in os.environ",
        "sorted(os.environ.items()), dict(os.environ)",
        "run(env={**os.environ})",
        "environment = 1",
    ],
)
def test_a_cell_that_only_reads_it_is_none(source):
    assert not changes_variables([source])
