"""The accelerator that a notebook chose is a choice of run time in its package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import ModuleType

import pytest

from nbship.records.explanation import Explanation
from nbship.workflow.bundle_files import read_record
from support.executed import ExecutedNotebook
from support.packages import Package


class Device:
    """As PyTorch's: equal by name, shown by name."""

    def __init__(self, name):
        self.name = name

    def __str__(self):
        return self.name


@pytest.fixture
def torch(monkeypatch):
    """PyTorch itself, else a module that has what is asked of it here: its class of devices."""
    try:
        import torch as real
    except ImportError:
        real = ModuleType("torch")
        real.device = Device
        monkeypatch.setitem(sys.modules, "torch", real)
    return real


def notebook(cell):
    return ExecutedNotebook(
        cell, "def predict(x):\n    return [x, str(device)]\n", "predict(1)\n"
    )


ASK = "import sys; sys.path.insert(0, sys.argv[1]); from {} import predict; print(predict(1)[1])"


def answer(package, **environ):
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(package.name), str(package.folder.parent)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environ},
    )
    return done.stdout.strip()


@pytest.mark.usefixtures("torch")
def test_a_name_of_an_accelerator_becomes_a_choice_of_run_time(tmp_path):
    record = notebook("device = 'cuda:1'  # the second card\n").capture(
        tmp_path / "capture"
    )
    package = Package(tmp_path, "own_device", tmp_path / "capture")
    told = read_record(Explanation, tmp_path / "capture" / "explanation.json")
    text = (tmp_path / "capture" / "module.py").read_text()
    remark = (
        "device, 'cuda:1' in the notebook, is a choice of run time: MLOPS_DEVICE or "
        "--device, else the processor"
    )

    assert "device = _run_time_device_name()  # 'cuda:1' in the notebook" in text
    assert answer(package, MLOPS_DEVICE="") == "cpu"
    assert answer(package, MLOPS_DEVICE="cuda:0") == "cuda:0"
    assert remark in told.remarks
    assert remark in record.remarks
    assert [v.origin for v in told.values if v.name == "device"] == ["cell In[1] (c1)"]


@pytest.mark.usefixtures("torch")
def test_an_object_of_pytorch_for_one_does_too(tmp_path):
    cell = "import torch\ndevice = torch.device('mps')\n"
    text = notebook(cell).text(tmp_path / "capture")

    assert "from ._device import device as _run_time_device" in text
    assert "device = _run_time_device()  # 'mps' in the notebook" in text


@pytest.mark.usefixtures("torch")
@pytest.mark.parametrize("text", ["cpu", "cudax", "a cuda", "mps:", "barracuda"])
def test_other_texts_stay_what_they_are(tmp_path, text):
    module = notebook(f"device = {text!r}\n").text(tmp_path / "capture")

    assert f"device = {text!r}" in module
    assert "_run_time" not in module


@pytest.mark.usefixtures("torch")
def test_a_device_in_the_text_of_a_function_stays_and_is_told(tmp_path):
    record = ExecutedNotebook(
        "def predict(x):\n    return x if 'cuda:0' else 0\n", "predict(1)\n"
    ).capture(tmp_path / "capture")

    assert (
        "predict names the device 'cuda:0' in its text, which stays: a global name, such as "
        "device = 'cuda:0', would be a choice of run time" in record.remarks
    )


def test_without_pytorch_a_text_means_something_else(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    module = notebook("device = 'cuda'\n").text(tmp_path / "capture")

    assert "device = 'cuda'" in module


def test_the_replay_of_a_check_runs_on_the_processor(tmp_path, torch, monkeypatch):
    monkeypatch.delenv("MLOPS_DEVICE", raising=False)
    live = ExecutedNotebook(
        "device = 'cuda'\n",
        "def predict(x):\n    return x if device else None\n",
        "predict(1)\n",
    )
    live.capture(tmp_path / "capture")
    package = Package(tmp_path, "own_choice", tmp_path / "capture")

    assert torch is not None
    assert package.main(["verify", "--json"]) == 0
    assert (
        json.loads((tmp_path / "capture" / "capture.json").read_text())["variables"]
        == []
    )
