"""Tensors and modules of PyTorch come back on the processor, with what they share."""

from __future__ import annotations

import numpy as np
import pytest

from nbship.errors import HazardError
from nbship.resources import shipped_module
from support.notebook_module import encoded, notebook, there_and_back

try:
    import torch
except ModuleNotFoundError:  # the marker says what then
    torch = None
pytestmark = pytest.mark.torch
NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, width=3):
        super().__init__()
        self.width = width
        self.body = nn.Sequential(nn.Linear(4, width), nn.BatchNorm1d(width), nn.ReLU())
        self.head = nn.Linear(width, 2, bias=False)
        self.register_buffer("scale", torch.tensor([2.0, 3.0]))
        self.last = torch.relu

    def forward(self, x):
        return self.last(self.head(self.body(x)) * self.scale)

class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(5, 3)
        self.out = nn.Linear(3, 5, bias=False)
        self.out.weight = self.embed.weight

    def forward(self, x):
        return self.out(self.embed(x))
"""


@pytest.fixture(scope="module")
def names():
    torch.manual_seed(0)
    return notebook(NET)


def answers(model, x):
    with torch.no_grad():
        return model(x)


def test_a_module_of_the_notebook_answers_the_same(names):
    model = names.Net().eval()
    x = torch.randn(6, 4)

    codec, back = there_and_back(model, names)

    assert codec == "tree"
    assert type(back) is names.Net
    assert not back.training
    assert torch.equal(answers(model, x), answers(back, x))
    assert list(back.state_dict()) == list(model.state_dict())
    assert all(isinstance(item, torch.nn.Parameter) for item in back.parameters())


def test_weights_that_were_tied_are_tied_again(names):
    _, back = there_and_back(names.Tied().eval(), names)

    assert back.out.weight is back.embed.weight


@pytest.mark.parametrize(
    ("make", "x"),
    [
        (lambda: torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.Softmax(dim=1)), (3, 4)),
        (lambda: torch.nn.LSTM(4, 3, num_layers=2, batch_first=True), (2, 5, 4)),
        (lambda: torch.nn.Conv2d(1, 2, 3, padding="same"), (1, 1, 6, 6)),
        (lambda: torch.nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), (2, 3, 4)),
        (lambda: torch.nn.LayerNorm([4]), (2, 4)),
    ],
    ids=["sequential", "lstm", "conv", "transformer", "norm"],
)  # fmt: skip
def test_modules_of_the_library_are_rebuilt(make, x):
    model, rows = make().eval(), torch.randn(*x)

    codec, back = there_and_back(model)
    one, other = answers(model, rows), answers(back, rows)

    assert codec == "tree"
    assert (
        torch.equal(one[0], other[0])
        if isinstance(one, tuple)
        else torch.equal(one, other)
    )


def test_a_state_dict_is_a_plain_file_of_safetensors(names):
    import safetensors.torch

    weights = names.Net().state_dict()

    codec, back = there_and_back(weights)

    assert codec == "safetensors"
    assert list(back) == list(weights)
    assert all(torch.equal(back[key], weights[key]) for key in weights)
    assert len(safetensors.torch.load(encoded(weights)[1].data)) == len(weights)


@pytest.mark.parametrize(
    "dtype", ["float64", "float32", "bfloat16", "float16", "int64", "uint8", "bool"]
)
def test_a_tensor_keeps_its_dtype_and_gradient(dtype):
    tensor = torch.tensor([[1, 0], [2, 3]]).to(getattr(torch, dtype)).t()
    tensor.requires_grad_(dtype == "float64")

    codec, back = there_and_back(tensor)

    assert codec == "safetensors"
    assert torch.equal(back, tensor)
    assert (back.dtype, back.requires_grad) == (tensor.dtype, tensor.requires_grad)


def test_equal_modules_give_equal_bytes(names):
    one, other = names.Net(), names.Net()
    other.load_state_dict(one.state_dict())

    assert encoded(one)[1].data == encoded(other)[1].data


def test_devices_dtypes_and_sizes_come_back():
    value = [torch.device("cpu"), torch.float32, torch.zeros(2, 3).shape, np.ones(1)]

    _, back = there_and_back(value)

    assert back[:3] == value[:3]


def test_what_was_on_an_accelerator_goes_to_the_device_of_the_process(monkeypatch):
    value = [torch.device("cuda:1"), torch.device("cpu")]

    _, back = there_and_back(value)
    monkeypatch.setenv("MLOPS_DEVICE", "meta")
    _, there = there_and_back(value)

    assert back == [torch.device("cpu"), torch.device("cpu")]
    assert there == [torch.device("meta"), torch.device("cpu")]


def test_a_tensor_of_an_accelerator_follows_the_device(monkeypatch):
    placed = shipped_module("_device").placed
    monkeypatch.setenv("MLOPS_DEVICE", "meta")

    moved = placed(torch.ones(2), follows=True, requires_grad=True, is_parameter=True)

    assert (moved.device.type, type(moved)) == ("meta", torch.nn.Parameter)


def test_what_safetensors_cannot_hold_is_refused_with_the_fix():
    with pytest.raises(HazardError, match="safetensors") as refused:
        encoded({"a": torch.eye(2).to_sparse()})

    assert "to_dense" in refused.value.hint


def test_scripted_modules_are_refused_with_the_fix(names):
    with pytest.warns((DeprecationWarning, FutureWarning), match="deprecated"):
        scripted = torch.jit.trace(names.Net().eval(), torch.zeros(1, 4))

    with pytest.raises(HazardError) as refused:
        encoded({"model": scripted})

    assert "TorchScript" in refused.value.hint
