"""Exported packages that are served: a real process on loopback, asked as clients ask."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import threading
import time

import httpx
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.captures import FARE_MODULE, write_capture, write_frame_capture
from support.serving import ServerProcess, estimator_site, served, site_of

pytestmark = pytest.mark.xdist_group("serving")
BIRD = {"flipper_mm": 10.0, "count": 2, "island": "Dream", "sex": "male"}
REFUSING = FARE_MODULE.replace("RATES[zone]", 'RATES[zone if km >= 0 else "Z"]')
SLOW = FARE_MODULE.replace(
    "    rate = RATES[zone]\n",
    "    import time\n    time.sleep(1.0 if km == 77 else 0.0)\n"
    "    rate = RATES[zone]\n",
)


@pytest.fixture(scope="module")
def fares(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fares")
    capture = write_capture(folder / "capture", module=REFUSING)
    site = site_of(folder, "served_fares", capture)
    with served(site, "served_fares", "--max-body-mib", "0.01") as server:
        yield server


@pytest.fixture(scope="module")
def masses(tmp_path_factory):
    folder = tmp_path_factory.mktemp("masses")
    site = site_of(folder, "served_masses", write_frame_capture(folder / "capture"))
    with served(site, "served_masses") as server:
        yield server


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A random forest over a matrix, in two workers."""
    site = estimator_site(
        tmp_path_factory.mktemp("digits"),
        "served_digits",
        imports="from sklearn.ensemble import RandomForestClassifier",
        fit="RandomForestClassifier(20, random_state=3).fit(X, y)",
    )
    with served(site, "served_digits", "--workers", "2") as server:
        yield server


def _asked(server, *instances):
    answer = server.client.post("/predict", json={"instances": list(instances)})
    return answer.status_code, answer.json()


def test_calls_are_answered_as_the_notebook_did(fares):
    status, answer = _asked(fares, {"zone": "A", "km": 10}, {"zone": "B", "km": 10})

    assert status == 200
    assert answer == {
        "predictions": [{"zone": "A", "price": 13.5}, {"zone": "B", "price": 12.0}],
        "model_version": "1.0.0",
    }


def test_rows_of_a_data_frame_are_answered(masses):
    status, answer = _asked(masses, BIRD, {**BIRD, "count": 3, "id": 7})

    assert status == 200
    assert answer["predictions"] == [
        {"mass": 20.0, "where": "Dream", "known": True},
        {"mass": 30.0, "where": "Dream", "known": True},
    ]


@pytest.mark.parametrize(
    ("server", "instance", "field", "message"),
    [
        ("masses", {**BIRD, "count": "2"}, "instances[0].count", "int"),
        ("masses", {**BIRD, "count": 2.5}, "instances[0].count", "int"),
        ("masses", {**BIRD, "count": None}, "instances[0].count", "int"),
        ("masses", {**BIRD, "count": 2**63}, "instances[0].count", ""),
        ("masses", {**BIRD, "island": "Tenerife"}, "instances[0].island", "'Dream'"),
        ("masses", {**BIRD, "island": ["x"]}, "instances[0].island", ""),
        ("masses", {"count": 2}, "instances[0].flipper_mm", "missing"),
        ("masses", [1, 2], "instances[0]", "object"),
        ("fares", {"zone": "A"}, "instances[0].km", "missing"),
        ("fares", {"zone": "A", "km": "far"}, "instances[0].km", "'far'"),
        ("fares", {"zone": 1, "km": 1}, "instances[0].zone", "string"),
        ("fares", {"zone": "A", "km": True}, "instances[0].km", "True"),
        ("fares", {"zone": "A", "km": 1, "mile": 1}, "instances[0].mile", "known are"),
        (
            "fares",
            {"zone": {"$record": {"type": "x"}}, "km": 1},
            "instances[0].zone",
            "",
        ),
        ("digits", [1.0, 2.0], "instances[0]", "shape"),
        ("digits", [1, 2, 3, 4, 5, "six"], "instances[0][5]", "float"),
        ("digits", [1, 2, 3, 4, 5, None], "instances[0][5]", "null"),
    ],
)
def test_wrong_input_names_its_field(request, server, instance, field, message):
    status, answer = _asked(request.getfixturevalue(server), instance)

    assert status == 422, answer
    assert answer["field"] == field
    assert field in answer["error"]
    assert message in answer["error"]


def test_all_mistakes_are_told_at_once(masses):
    _, answer = _asked(masses, {**BIRD, "count": "2"}, {**BIRD, "island": "Oz"})

    assert [problem["path"] for problem in answer["problems"]] == [
        "instances[0].count",
        "instances[1].island",
    ]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"{", 400, "no JSON"),
        (b"", 400, "no JSON"),
        (b"\xff", 400, "no JSON"),
        (b'{"instances": [{"zone": ' + b"[" * 5000, 400, "no JSON"),
        (b"[]", 422, "object"),
        (b'{"instances": []}', 422, "no row"),
        (b'{"rows": [{}]}', 422, "rows"),
        (b'{"instances": [{"zone": "A", "km": ' + b"1" * 20_000 + b"}]}", 413, "0.01"),
    ],
)
def test_bodies_that_cannot_be_read_are_refused(fares, body, status, message):
    answer = fares.client.post("/predict", content=body)

    assert answer.status_code == status
    assert message in answer.json()["error"]


def test_a_body_in_parts_is_held_to_the_limit_too(fares):
    parts = iter([b'{"instances": [', b'{"zone": "A", "km": 10}', b"]}"])
    assert fares.client.post("/predict", content=parts).status_code == 200

    answer = fares.client.post("/predict", content=iter([b" " * 1000] * 20))

    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status", "headers"),
    [
        ("GET", "/nowhere", 404, {}),
        ("GET", "/predict", 405, {}),
        ("POST", "/metrics", 405, {}),
        ("GET", "/v2/models/another", 404, {}),
        ("POST", "/predict", 415, {"content-type": "text/plain"}),
        ("POST", "/predict", 415, {"content-encoding": "gzip"}),
    ],
)
def test_what_is_not_offered_is_said(fares, method, path, status, headers):
    answer = fares.client.request(method, path, headers=headers)

    assert answer.status_code == status
    assert answer.json()["error"]
    assert (status == 405) == ("allow" in answer.headers)


def test_what_the_authors_code_refuses_names_the_cell(fares):
    before = len(fares.events("refused"))

    status, answer = _asked(fares, {"zone": "A", "km": -1})

    assert status == 422
    assert answer["error"].startswith("predict refused it: KeyError: 'Z'")
    (line,) = fares.events("refused")[before:]
    assert "model.py" in line["traceback"]
    assert "rate = RATES[zone if" in line["traceback"]


def test_a_line_of_the_module_is_told_as_a_line_of_its_cell(tmp_path):
    capture = write_capture(tmp_path / "capture", module=REFUSING)
    record = json.loads((capture / "capture.json").read_text())
    line = next(
        n for n, text in enumerate(REFUSING.splitlines(), 1) if "rate = RATES" in text
    )
    record["source_map"] = {
        str(line): {"cell_id": "fare-4", "execution_count": 4, "line": 3}
    }
    (capture / "capture.json").write_text(json.dumps(record))
    server = ServerProcess(site_of(tmp_path, "mapped", capture), "mapped").wait_ready()

    _, answer = _asked(server, {"zone": "A", "km": -1})

    assert server.end() == 0
    assert answer["error"].endswith("(cell fare-4, In[4], line 3)")
    (told,) = server.events("refused")
    assert told["cell"] == "cell fare-4, In[4], line 3"
    assert (
        f'model.py", line {line}, in fare (cell fare-4, In[4], line 3)'
        in (told["traceback"])
    )


def test_requests_are_told_with_their_id_and_the_models_version(fares):
    answer = fares.client.post(
        "/predict",
        json={"instances": [{"zone": "A", "km": 1}]},
        headers={"x-request-id": "trace-7"},
    )
    other = fares.client.get("/v2")
    _wait_for(
        lambda: any(e["request_id"] == "trace-7" for e in fares.events("request"))
    )

    assert answer.headers["x-request-id"] == "trace-7"
    assert re.fullmatch(r"[0-9a-f]{12}-\d+", other.headers["x-request-id"])
    (line,) = [e for e in fares.events("request") if e["request_id"] == "trace-7"]
    assert (line["version"], line["status"], line["rows"]) == ("1.0.0", 200, 1)
    assert line["duration_ms"] > 0


def test_metadata_says_the_tensors(masses):
    model = masses.client.get("/v2/models/served_masses/versions/1.0.0").json()

    assert masses.client.get("/v2").json()["extensions"] == ["binary_tensor_data"]
    assert model["inputs"] == [
        {"name": "flipper_mm", "datatype": "FP64", "shape": [-1]},
        {"name": "count", "datatype": "INT64", "shape": [-1]},
        {"name": "island", "datatype": "BYTES", "shape": [-1]},
        {"name": "sex", "datatype": "BYTES", "shape": [-1]},
    ]
    assert model["outputs"][0] == {"name": "mass", "datatype": "FP64", "shape": [-1]}


def test_the_metrics_of_two_workers_are_added(digits):
    counted = _requests_of(digits)
    rows = np.random.default_rng(0).normal(size=(40, 6)).tolist()
    for row in rows:  # a connection each, so that both workers are asked
        with httpx.Client(base_url=f"http://{digits.address}", timeout=60) as client:
            assert client.post("/predict", json={"instances": [row]}).status_code == 200

    # a worker counts an answer after it was sent
    _wait_for(lambda: _requests_of(digits) == counted + 40)
    families = {family.name: family for family in _families(digits)}

    pids = {line["pid"] for line in digits.events("request")}
    assert families["model_workers"].samples[0].value == 2
    assert families["model_ready"].samples[0].value == 2
    assert len(pids) == 2
    assert families["model_rows"].samples[0].value >= 40
    buckets = [
        s.value
        for s in families["model_request_seconds"].samples
        if s.name.endswith("_bucket") and s.labels["route"] == "predict"
    ]
    assert buckets == sorted(buckets)


def test_a_worker_that_dies_is_replaced_and_the_counters_go_on(digits):
    counted = _requests_of(digits)
    before = {line["pid"] for line in digits.events("ready")}
    victim = max(before)
    os.kill(victim, signal.SIGKILL)
    _wait_for(lambda: {e["pid"] for e in digits.events("ready")} - before)
    digits.wait_ready()

    status, _ = _asked(digits, [0.0] * 6)

    assert status == 200
    _wait_for(lambda: _requests_of(digits) >= counted + 1)
    assert any(e.get("exit_code") == -9 for e in digits.events("worker_ended"))


def test_requests_that_come_together_share_calls_and_get_their_own_answers(digits):
    rows = np.random.default_rng(1).normal(size=(64, 6)).tolist()
    alone = [_asked(digits, row)[1]["predictions"][0] for row in rows]
    calls = _value(digits, "model_fast_calls")
    together: dict[int, str] = {}

    def ask(start):
        with httpx.Client(base_url=f"http://{digits.address}", timeout=60) as client:
            for place in range(start, 64, 16):
                body = {"instances": [rows[place]]}
                answer = client.post("/predict", json=body).json()
                together[place] = answer["predictions"][0]

    threads = [threading.Thread(target=ask, args=(start,)) for start in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [together[place] for place in range(64)] == alone
    assert 0 < _value(digits, "model_fast_calls") - calls <= 64


def test_sigterm_finishes_what_is_being_answered(tmp_path):
    capture = write_capture(tmp_path / "capture", module=SLOW)
    server = ServerProcess(
        site_of(tmp_path, "slow_fares", capture), "slow_fares", "--drain-s", "0.5"
    ).wait_ready()
    answers = []
    asking = threading.Thread(
        target=lambda: answers.append(_asked(server, {"zone": "A", "km": 77}))
    )
    asking.start()
    _wait_for(lambda: _value(server, "model_in_flight") == 2)

    server.process.terminate()
    with httpx.Client(base_url=f"http://{server.address}", timeout=60) as other:
        _wait_for(lambda: other.get("/v2/health/ready").status_code == 503)
    asking.join()

    assert answers == [
        (
            200,
            {
                "predictions": [{"zone": "A", "price": 2.5 + 1.1 * 77}],
                "model_version": "1.0.0",
            },
        )
    ]
    assert server.end() == 0
    assert server.events("ended")[0]["exit_code"] == 0


def test_what_takes_too_long_is_answered_with_504_and_said_by_readiness(tmp_path):
    capture = write_capture(tmp_path / "capture", module=SLOW)
    server = ServerProcess(
        site_of(tmp_path, "late_fares", capture), "late_fares", "--timeout-s", "0.3"
    ).wait_ready()

    status, answer = _asked(server, {"zone": "A", "km": 77})
    ready = server.client.get("/v2/health/ready")

    assert (status, answer["error"]) == (504, "no answer within 0.3 s")
    assert (ready.status_code, "does not end" in ready.text) == (503, True)
    assert server.client.get("/v2/health/live").status_code == 200
    server.wait_ready()
    assert _asked(server, {"zone": "A", "km": 10})[0] == 200
    assert server.end() == 0


def test_a_body_that_does_not_arrive_is_given_up(tmp_path):
    capture = write_capture(tmp_path / "capture")
    server = ServerProcess(
        site_of(tmp_path, "slow_body", capture), "slow_body", "--timeout-s", "0.3"
    ).wait_ready()
    host, _, port = server.address.rpartition(":")

    with socket.create_connection((host, int(port)), timeout=60) as connection:
        head = "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
        connection.sendall(head.encode())
        answer = b""
        while part := connection.recv(4096):
            answer += part

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert server.end() == 0


def test_a_golden_case_that_differs_is_never_ready(tmp_path):
    module = FARE_MODULE.replace("* km", "* km + 0.01")
    capture = write_capture(tmp_path / "capture", module=module)
    server = ServerProcess(site_of(tmp_path, "wrong_fares", capture), "wrong_fares")
    _wait_for(lambda: server.events("not_ready"))

    ready = server.client.get("/v2/health/ready")
    status, answer = _asked(server, {"zone": "A", "km": 10})

    assert (ready.status_code, status) == (503, 503)
    assert "case 1" in ready.json()["error"]
    assert "not ready" in answer["error"]
    assert server.end() == 0


def test_a_changed_file_is_not_served(tmp_path):
    site = site_of(tmp_path, "changed_fares", write_capture(tmp_path / "capture"))
    (site / "changed_fares" / "model.py").write_text("RATES = {}\n")

    with pytest.raises(AssertionError, match="changed since the capture"):
        ServerProcess(site, "changed_fares")


def test_a_port_that_is_taken_is_said(fares, tmp_path):
    port = fares.address.rpartition(":")[2]
    site = site_of(tmp_path, "second_fares", write_capture(tmp_path / "capture"))

    with pytest.raises(AssertionError, match="choose another --port"):
        ServerProcess(site, "second_fares", "--port", port, "--workers", "2")


def _families(server):
    return list(text_string_to_metric_families(server.client.get("/metrics").text))


def _value(server, name):
    return next(f for f in _families(server) if f.name == name).samples[0].value


def _requests_of(server):
    family = next(f for f in _families(server) if f.name == "model_requests")
    return sum(s.value for s in family.samples if s.labels["route"] == "predict")


def _wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
