"""Completion as a person at a shell has it: Tab is pressed in a real one."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from nbship.verbs.answer import Context
from nbship.verbs.completing import SCRIPTS, complete, words_of
from nbship.workbench import Workbench
from support.live_kernel import LiveKernel
from support.notebook_files import write_notebook
from support.tools import need_tool

PARAMETERS = """
from typing import Literal
from enum import Enum
class Mode(Enum):
    FAST = 1
    SLOW = 2
how: Literal["mean", "median", "a b"] = "mean"
mode: Mode | None = Mode.FAST
flag: bool = True
depth: int = 3
"""
COMMAND = f"{shlex.quote(sys.executable)} -m nbship.faces.cli"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlops.toml").write_text("")
    write_notebook(tmp_path / "n.ipynb", parameters=PARAMETERS)
    (tmp_path / "data.csv").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("mlops para", ["params"]),
        ("mlops params n.ipynb --sch", ["--schema"]),
        ("mlops submit n.ipynb -p ", ["how=", "mode=", "flag=", "depth="]),
        ("mlops submit n.ipynb -p how=mean -p ", ["mode=", "flag=", "depth="]),
        ("mlops submit n.ipynb -p how=me", ["how=mean", "how=median"]),
        ("mlops submit n.ipynb -p how=", ["how=mean", "how=median", "how='a b'"]),
        ("mlops submit n.ipynb -p mode=", ["mode=FAST", "mode=SLOW", "mode=None"]),
        ("mlops submit n.ipynb -pfl", ["-pflag="]),
        ("mlops submit n.ipynb -p flag=t", ["flag=true"]),
        ("mlops submit n.ipynb -p depth=", ["depth=3"]),
        ("mlops submit ", []),
        ("mlops submit missing.ipynb -p ", []),
        ("mlops logs ", ["last"]),
        ("mlops completion z", ["zsh"]),
        ("mlops nothing ", []),
    ],
)
def test_a_line_is_completed(folder, line, found):
    context = Context(workbench=Workbench.open(Path.cwd()))

    assert complete(words_of(line), context) == found


def spawn(command: str, arguments: list[str]) -> pexpect.spawn:
    environ = os.environ | {"TERM": "dumb", "INPUTRC": "/dev/null"}
    return pexpect.spawn(command, arguments, env=environ, encoding="utf-8", timeout=60)


def test_tab_completes_in_a_real_bash(folder):
    script = f'mlops() {{ {COMMAND} "$@"; }}\n{SCRIPTS["bash"]}\nPS1="ready> "\n'
    (folder / "rc").write_text(script)
    shell = spawn("bash", ["--noprofile", "--rcfile", "rc", "-i"])
    shell.expect_exact("ready> ")

    shell.send("mlops subm\t")
    shell.expect_exact("submit ")
    shell.send("n.ip\t")
    shell.expect_exact("n.ipynb ")
    shell.send("-p ho\t")
    shell.expect_exact("how=")
    shell.send("med\t")
    shell.expect_exact("median ")
    shell.send("-p mode=S\t")
    shell.expect_exact("SLOW ")
    shell.send("\x01echo '\x05'\n")
    shell.expect_exact("\nmlops submit n.ipynb -p how=median -p mode=SLOW ")
    shell.close(force=True)


@pytest.mark.full
def test_tab_completes_in_a_real_zsh(folder):
    need_tool("zsh")
    (folder / ".zshrc").write_text(
        f'mlops() {{ {COMMAND} "$@" }}\nautoload -Uz compinit && compinit -u\n'
        f'{SCRIPTS["zsh"]}\nPS1="ready> "\n'
    )
    environ = os.environ | {"TERM": "dumb", "ZDOTDIR": str(folder)}
    shell = pexpect.spawn("zsh", ["-i"], env=environ, encoding="utf-8", timeout=60)
    shell.expect_exact("ready> ")

    shell.send("mlops submit n.ipynb -p ho\t")
    shell.expect_exact("w=")
    shell.send("med\t")
    shell.expect_exact("ian")
    shell.close(force=True)


@pytest.mark.kernel
def test_the_notebook_completes_parameters_and_values(folder):
    kernel = LiveKernel(folder)
    try:
        reply = kernel.run(
            "%load_ext nbship\nip = get_ipython()\n"
            "for line in ('%mlops submit n.ipynb -p ho', '%mlops submit n.ipynb -p how=me'):\n"
            "    symbol = line[-2:]\n"
            "    print(ip.complete(symbol, line, len(line))[1])"
        )
    finally:
        kernel.close()

    assert "'how='" in reply.text
    assert "'mean', 'median'" in reply.text


@pytest.mark.full
def test_fish_offers_the_values_of_a_parameter(folder):
    need_tool("fish")
    ask = (
        f"function mlops; {COMMAND} $argv; end\n{SCRIPTS['fish']}\n"
        "complete -C 'mlops submit n.ipynb -p mode='"
    )
    done = subprocess.run(
        ["fish", "--no-config", "-c", ask], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["mode=FAST", "mode=None", "mode=SLOW"]


def test_completion_loads_nothing_heavy_and_is_quick(folder):
    code = (
        "import sys\nfrom nbship.faces.cli import main\n"
        "main(['complete', '--line=mlops submit n.ipynb -p '])\n"
        "print(*{m.partition('.')[0] for m in sys.modules}, file=sys.stderr)"
    )
    began = os.times()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    heavy = {"nbformat", "papermill", "IPython", "numpy", "pandas", "mlflow", "asyncio"}
    assert heavy & set(done.stderr.split()) == set()
    assert done.stdout.split() == ["how=", "mode=", "flag=", "depth="]
    ended = os.times()
    used = ended.children_user + ended.children_system
    assert used - began.children_user - began.children_system < 2
