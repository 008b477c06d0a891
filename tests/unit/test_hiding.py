"""Modules that were imported ahead come back without being executed again."""

import subprocess
import sys
import textwrap

import pytest

#: imports packages, hides them, and imports them again as a kernel would
SCRIPT = """
import sys
sys.path.insert(0, 'site')
from nbship.adapters.kernels.forkserver.hiding import Stash
from nbship.adapters.kernels.forkserver.recording import Recorder
base = set(sys.modules)
recorder = Recorder()
with recorder.recording():
    import {name}
del {name}
stash = Stash(recorder)
stash.take(base | set(sys.modules) - set({hidden}))
assert not set({hidden}) & set(sys.modules)
{between}
import {name}
print(sorted(set({hidden}) & set(sys.modules)))
"""
#: makes a module that no finder finds, as torch does
MAKER = """
print('executed')
import importlib.util, sys, importlib.machinery
spec = importlib.machinery.ModuleSpec('made_in_memory', None, origin='nowhere')
sys.modules['made_in_memory'] = importlib.util.module_from_spec(spec)
"""


@pytest.fixture
def imported_again(tmp_path):
    """Return a function that writes packages, runs the script, and returns what it printed."""

    def run(packages: dict[str, str], name: str, hidden: list[str], between: str = ""):
        for file, source in packages.items():
            path = tmp_path / file
            path.parent.mkdir(exist_ok=True)
            path.write_text(textwrap.dedent(source))
        script = SCRIPT.format(name=name, hidden=hidden, between=between)
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.returncode, done.stderr
        return done.stdout.splitlines()

    return run


def test_a_package_that_made_a_module_in_memory_comes_back_with_it(imported_again):
    printed = imported_again(
        {"site/maker.py": MAKER}, "maker", ["maker", "made_in_memory"]
    )

    assert printed == ["executed", "['made_in_memory', 'maker']"]


@pytest.mark.parametrize(
    ("package", "again"),
    [
        ("common", ["executed"]),  # it imports what the kernel finds
        ("torch", []),  # it would register its operators twice
    ],
)
def test_a_package_whose_import_a_file_shadows_is_executed_again_if_it_may(
    imported_again, package, again
):
    printed = imported_again(
        {
            f"site/{package}.py": "print('executed')\nimport helping_hand",
            "site/helping_hand.py": "",
            "own/helping_hand.py": "print('own')",
        },
        package,
        [package, "helping_hand"],
        between="sys.path.insert(0, 'own')",
    )

    *printed, _shown = printed
    assert printed == ["executed", *again, *(["own"] if again else [])]


def test_a_kernel_has_its_own_module_where_torch_keeps_the_one_it_imported(
    imported_again,
):
    printed = imported_again(
        {
            "site/torch.py": "import helping_hand",
            "site/helping_hand.py": "",
            "own/helping_hand.py": "print('own')",
        },
        "torch",
        ["torch", "helping_hand"],
        between="sys.path.insert(0, 'own')\nimport torch\nimport helping_hand",
    )

    assert printed[0] == "own"
