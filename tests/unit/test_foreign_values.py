"""Tensors and sparse matrices in golden cases."""

from __future__ import annotations

import json

import numpy as np
import pytest
import scipy.sparse

from nbship.records.codec import to_json
from nbship.release.golden import count_rows, modules_of
from nbship.release.json_schema import input_schema
from nbship.release.signature import signature_of
from nbship.resources import shipped_module

values = shipped_module("_values")
checks = shipped_module("inputs._checks")


def through_json(value):
    return json.loads(json.dumps(values.encode(value)))


@pytest.mark.parametrize("make", ["csr_matrix", "csc_array", "coo_matrix"])
def test_a_sparse_matrix_comes_back_as_it_was(make):
    value = getattr(scipy.sparse, make)(np.eye(3, 4) * [1.5, np.nan, 2, 0])

    back = values.decode(through_json(value))

    assert type(back) is type(value)
    assert values.compare(through_json(value), back) == []
    np.testing.assert_array_equal(back.toarray(), value.toarray())


def test_a_sparse_matrix_that_differs_is_named():
    one, other = (scipy.sparse.csr_matrix(np.eye(3) * n) for n in (1.0, 2.0))

    assert (
        values.compare(through_json(one), other)[0] == "[0]: 2.0 where 1.0 was recorded"
    )
    assert values.compare(through_json(one), other * 0.5) == []
    found = values.compare(through_json(one), scipy.sparse.csr_matrix(np.eye(4)))
    assert found == ["shape [4, 4] where [3, 3] was recorded"]


def case(*args, output):
    return {
        "args": [through_json(item) for item in args],
        "kwargs": {},
        "output": through_json(output),
    }


@pytest.mark.torch
@pytest.mark.parametrize("kind", ["float32", "bfloat16", "int64", "bool"])
def test_a_tensor_comes_back_as_it_was(kind):
    import torch

    value = torch.tensor([[1.5, 0.0], [2.0, 3.0]]).to(getattr(torch, kind))

    back = values.decode(through_json(value))

    assert back.dtype == value.dtype
    assert torch.equal(back, value)
    assert values.compare(through_json(value), back) == []


@pytest.mark.torch
def test_a_tensor_that_differs_is_named():
    import torch

    one = torch.tensor([[1.0, float("nan")]], requires_grad=True)

    assert values.compare(through_json(one), one.detach()) == []
    assert values.compare(through_json(one), torch.tensor([[1.0, 2.0]])) == [
        "row 0, column 1: 2.0 where nan was recorded"
    ]
    found = values.compare(through_json(one), one.double())
    assert found == ["dtype 'float64' where 'float32' was recorded"]


@pytest.mark.torch
def test_a_tensor_among_the_arguments_is_checked_and_made_of_lists():
    import torch

    cases = [case(torch.ones(2, 3), output=torch.ones(2))]
    signature = signature_of(cases, parameters=["x"])
    spec = checks.Spec(to_json(signature.inputs[0]))

    findings = checks.Findings()
    made = checks.convert(spec, [[1, 2, 3.5]], "x", findings)
    checks.convert(spec, [[1, 2]], "x", findings)

    assert made.dtype == torch.float32
    assert made.tolist() == [[1.0, 2.0, 3.5]]
    assert [(p.path, p.code) for p in findings.problems] == [("x[0]", "wrong_shape")]
    assert count_rows(cases) == 1
    assert modules_of(cases) == ("torch",)
    assert input_schema(signature)["properties"]["x"]["items"]["minItems"] == 3


@pytest.mark.torch
def test_a_module_is_the_same_after_it_answered():
    import torch

    digest_of = shipped_module("parity._fingerprint").digest_of
    model = torch.nn.Linear(3, 2)
    before = digest_of(model)

    model(torch.ones(1, 3))
    assert digest_of(model) == before != ""
    with torch.no_grad():
        model.weight += 1
    assert digest_of(model) != before
