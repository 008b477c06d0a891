"""The Open Inference Protocol and the OpenAPI page, asked by their own clients."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
import schemathesis
from schemathesis import GenerationMode
from schemathesis.checks import positive_data_acceptance
from tritonclient import http
from tritonclient.utils import InferenceServerException

from support.captures import write_capture, write_frame_capture
from support.executed import ExecutedNotebook
from support.serving import estimator_site, served, site_of

pytestmark = pytest.mark.xdist_group("serving-protocol")
ROW = [0.5, -1.0, 0.25, 2.0, -0.5, 1.5]


@pytest.fixture(scope="module")
def masses(tmp_path_factory):
    folder = tmp_path_factory.mktemp("masses")
    site = site_of(folder, "told_masses", write_frame_capture(folder / "capture"))
    with served(site, "told_masses") as server:
        yield server


@pytest.fixture(scope="module")
def fares(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fares")
    site = site_of(folder, "told_fares", write_capture(folder / "capture"))
    with served(site, "told_fares") as server:
        yield server


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    site = estimator_site(
        tmp_path_factory.mktemp("matrix"),
        "told_matrix",
        imports="from sklearn.linear_model import LinearRegression",
        fit="LinearRegression().fit(X, (y == 'yes') + 0.0)",
    )
    with served(site, "told_matrix") as server:
        yield server


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """A function of one list, with an answer for each item and values that are declared."""
    folder = tmp_path_factory.mktemp("texts")
    notebook = ExecutedNotebook(
        "import nbship",
        "@nbship.golden(categories={'words': ['far', 'near']})\n"
        "def score(words):\n    return [float(len(word)) for word in words]",
        "score(['far', 'near', 'far'])",
        roots=(),
    )
    notebook.capture(folder / "capture", "score")
    site = site_of(folder, "told_texts", folder / "capture")
    with served(site, "told_texts") as server:
        yield server


def test_the_page_is_the_file_that_the_export_made(masses, texts, tmp_path):
    for server, name in ((masses, "told_masses"), (texts, "told_texts")):
        (file,) = server.site.glob(f"{name}/openapi.json")
        assert server.client.get("/openapi.json").content == file.read_bytes()

    schemas = texts.client.get("/openapi.json").json()["components"]["schemas"]
    page = masses.client.get("/openapi.json").json()
    body = page["paths"]["/predict"]["post"]["requestBody"]["content"]
    example = body["application/json"]["example"]
    assert schemas["Instance"] == {"type": "string", "enum": ["far", "near"]}
    assert example == {
        "instances": [
            {"flipper_mm": 181.0, "count": 1, "island": "Dream", "sex": "male"}
        ]
    }
    assert masses.client.post("/predict", json=example).status_code == 200


def _infer(server, name, body, **headers):
    answer = server.client.post(f"/v2/models/{name}/infer", json=body, headers=headers)
    return answer.status_code, answer.json()


def _birds(change=None, *, number=1):
    tensors = {
        "flipper_mm": ("FP64", [10.0] * number),
        "count": ("INT64", [2] * number),
        "island": ("BYTES", ["Dream"] * number),
        "sex": ("BYTES", ["male"] * number),
    } | (change or {})
    return {
        "id": "r1",
        "inputs": [
            {"name": name, "shape": [number], "datatype": datatype, "data": data}
            for name, (datatype, data) in tensors.items()
        ],
    }


def test_columns_are_tensors(masses):
    status, answer = _infer(masses, "told_masses", _birds(number=2))

    assert status == 200
    assert answer == {
        "model_name": "told_masses",
        "model_version": "1.0.0",
        "id": "r1",
        "outputs": [
            {"name": "mass", "shape": [2], "datatype": "FP64", "data": [20.0, 20.0]},
            {
                "name": "where",
                "shape": [2],
                "datatype": "BYTES",
                "data": ["Dream", "Dream"],
            },
            {"name": "known", "shape": [2], "datatype": "BOOL", "data": [True, True]},
        ],
    }


def test_only_the_outputs_that_are_wanted_are_sent(masses):
    body = {**_birds(), "outputs": [{"name": "mass"}]}

    _, answer = _infer(masses, "told_masses", body)
    status, refused = _infer(
        masses, "told_masses", {**body, "outputs": [{"name": "weight"}]}
    )

    assert [output["name"] for output in answer["outputs"]] == ["mass"]
    assert (status, refused["field"]) == (422, "outputs.weight")


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"count": ("FP64", [2.0])}, "inputs.count", "FP64 where INT64"),
        ({"count": ("INT64", [2.5])}, "inputs.count", "2.5"),
        ({"count": ("INT64", [True])}, "inputs.count", "True"),
        ({"count": ("INT99", [2])}, "inputs.count", "not known"),
        ({"count": ("INT64", [2, 3])}, "inputs.count", "2 values where"),
        ({"count": ("INT64", None)}, "inputs.count", "no data"),
        ({"island": ("BYTES", ["Oz"])}, "inputs.island[0]", "'Dream'"),
        ({"island": ("BYTES", [7])}, "inputs.island", "text"),
        ({"weight": ("FP64", [1.0])}, "inputs.weight", "not known"),
    ],
)
def test_wrong_tensors_are_named(masses, change, field, message):
    status, answer = _infer(masses, "told_masses", _birds(change))

    assert status == 422, answer
    assert answer["field"] == field
    assert message in answer["error"]


def test_a_missing_tensor_is_named(masses):
    body = _birds()
    del body["inputs"][1]

    status, answer = _infer(masses, "told_masses", body)

    assert (status, answer["field"]) == (422, "inputs.count")


def test_arguments_are_tensors_with_a_value_for_each_call(fares):
    body = {
        "inputs": [
            {"name": "zone", "shape": [2], "datatype": "BYTES", "data": ["A", "B"]},
            {"name": "km", "shape": [2], "datatype": "FP64", "data": [10, 10]},
        ]
    }

    status, answer = _infer(fares, "told_fares", body)

    assert status == 200
    assert [o["data"] for o in answer["outputs"]] == [["A", "B"], [13.5, 12.0]]


def test_a_cut_off_text_and_a_wrong_length_are_refused(masses):
    tensor = {"name": "island", "shape": [1], "datatype": "BYTES"}
    tensor["parameters"] = {"binary_data_size": 6}
    text = json.dumps({"inputs": [tensor]}).encode()
    bodies = {
        422: (text + struct.pack("<I", 9) + b"Dr", len(text)),
        400: (text, len(text) + 10),
    }

    for status, (body, length) in bodies.items():
        answer = masses.client.post(
            "/v2/models/told_masses/infer",
            content=body,
            headers={"Inference-Header-Content-Length": str(length)},
        )
        assert answer.status_code == status


def test_the_official_client_talks_to_the_server(matrix, masses):
    client = http.InferenceServerClient(matrix.address)
    rows = np.array([ROW, ROW])
    tensor = http.InferInput("X", list(rows.shape), "FP64")
    plain = matrix.client.post("/predict", json={"instances": [ROW, ROW]}).json()

    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("told_matrix", "1.0.0")
    assert client.get_server_metadata()["name"] == "told_matrix"
    assert client.get_model_metadata("told_matrix")["inputs"] == [
        {"name": "X", "datatype": "FP64", "shape": [-1, 6]}
    ]
    for binary in (True, False):
        tensor.set_data_from_numpy(rows, binary_data=binary)
        for outputs in (
            None,
            [http.InferRequestedOutput("output", binary_data=binary)],
        ):
            result = client.infer("told_matrix", [tensor], outputs=outputs)
            assert result.as_numpy("output").tolist() == plain["predictions"]
    narrow = http.InferInput("X", [2, 5], "FP64").set_data_from_numpy(rows[:, :5])
    with pytest.raises(InferenceServerException, match=r"shape \[2, 5\]"):
        client.infer("told_matrix", [narrow])
    client.close()

    client = http.InferenceServerClient(masses.address)
    inputs = []
    for name, values in {
        "flipper_mm": np.array([10.0, 20.0]),
        "count": np.array([2, 3]),
        "island": np.array(["Dream", "Biscoe"], dtype=object),
        "sex": np.array(["male", "female"], dtype=object),
    }.items():
        datatype = {"f": "FP64", "i": "INT64", "O": "BYTES"}[values.dtype.kind]
        inputs.append(http.InferInput(name, [2], datatype).set_data_from_numpy(values))
    result = client.infer("told_masses", inputs)
    client.close()

    assert result.as_numpy("mass").tolist() == [20.0, 60.0]
    assert result.as_numpy("where").tolist() == [b"Dream", b"Biscoe"]
    assert result.as_numpy("known").tolist() == [True, True]


@pytest.mark.full
@pytest.mark.parametrize("server", ["masses", "fares", "matrix", "texts"])
def test_no_request_of_the_page_is_a_fault_of_the_server(request, server):
    served = request.getfixturevalue(server)
    url = f"http://{served.address}"
    page = schemathesis.openapi.from_url(f"{url}/openapi.json")
    asked = 0
    for found in page.get_all_operations():
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            if mode is GenerationMode.POSITIVE or found.ok().body:
                strategy = found.ok().as_strategy(generation_mode=mode)
                asked += _ask_all(strategy, url)

    assert asked > 30
    assert served.events("fault") == []


def _ask_all(strategy, url):
    from hypothesis import HealthCheck, Phase, given, settings

    asked = []

    @settings(
        max_examples=8,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def ask(case):
        answer = case.call(base_url=url)
        asked.append(answer.status_code)
        assert answer.status_code < 500 or answer.status_code == 503, answer.text
        # the author's code may refuse what the types allow
        case.validate_response(answer, excluded_checks=[positive_data_acceptance])

    ask()
    return len(asked)
