"""What an author declared of the inputs is held on both routes, and both name the field."""

from __future__ import annotations

import numpy as np
import pytest

from support.executed import ExecutedNotebook
from support.serving import served, site_of

pytestmark = pytest.mark.xdist_group("declared-inputs")
GOLDEN = """
import nbship
import numpy as np
import pandas as pd
"""
NOTEBOOKS = {
    "trips": """
@nbship.golden(
    ranges={"km": (0, 500)}, categories={"zone": ["A", "B"]}, nulls=["note"]
)
def price(trips):
    return trips["km"] * trips["zone"].map({"A": 2.0, "B": 3.0}) + trips["stops"]
""",
    "rides": """
@nbship.golden(
    ranges={"km": (0, 500), "stops": (0, None)}, categories={"zone": ["A", "B"]}
)
def price(km, zone, stops=0):
    return km * (2.0 if zone == "A" else 3.0) + stops
""",
    "matrix": """
@nbship.golden(ranges={"rows": (-1, 1)})
def price(rows):
    return rows[:, 0] + 2 * rows[:, 1]
""",
    "texts": """
@nbship.golden(categories={"texts": ["far", "near"]})
def price(texts):
    return [{"far": 2.0, "near": 1.0}[text] for text in texts]
""",
}
CALLS = {
    "trips": (
        "price(pd.DataFrame({'km': [1.5, 2.5, 4.0], 'zone': ['A', 'B', 'A'],"
        " 'stops': [0, 1, 2], 'note': ['x', 'y', 'z']}))"
    ),
    "rides": "[price(km, zone, stops=1) for km in (1.5, 2.5) for zone in 'AB']",
    "matrix": "price(np.array([[0.5, -0.25], [1.0, -1.0], [0.125, 0.0]]))",
    "texts": "price(['far', 'near', 'far'])",
}
TRIP = {"km": 1.5, "zone": "B", "stops": 1, "note": "x"}
RIDE = {"km": 1.5, "zone": "B", "stops": 1}
#: root, second instance of two, its field in either route, what the message says
REFUSED = [
    ("trips", {**TRIP, "km": 501.0}, ".km", "km[1]", "0 to 500"),
    ("trips", {**TRIP, "km": -0.5}, ".km", "km[1]", "0 to 500"),
    ("trips", {**TRIP, "km": None}, ".km", "km", ""),
    ("trips", {**TRIP, "zone": "C"}, ".zone", "zone[1]", "'A', 'B'"),
    ("trips", {**TRIP, "zone": None}, ".zone", "zone[1]", ""),
    ("rides", {**RIDE, "km": 501.0}, ".km", "km[1]", "0 to 500"),
    ("rides", {**RIDE, "stops": -1}, ".stops", "stops[1]", "from 0"),
    ("rides", {**RIDE, "zone": "C"}, ".zone", "zone[1]", "'A', 'B'"),
    ("matrix", [0.5, 1.5], "[1]", "rows[1][1]", "-1 to 1"),
    ("texts", "middling", "", "texts[1]", "'far', 'near'"),
]
ANSWERED = [
    ("trips", {**TRIP, "km": 0.0, "note": None}, 1.0),
    ("trips", {**TRIP, "km": 500.0}, 1501.0),
    ("rides", {**RIDE, "stops": 10_000}, 10_004.5),
    ("matrix", [-1.0, 1.0], 1.0),
    ("texts", "near", 1.0),
]
FIRST = {"trips": TRIP, "rides": RIDE, "matrix": [0.5, 0.5], "texts": "far"}


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """Have one server for each root, started when it is first asked for."""
    running = {}
    folder = tmp_path_factory.mktemp("declared")

    def server(name):
        if name not in running:
            notebook = ExecutedNotebook(GOLDEN, NOTEBOOKS[name], CALLS[name], roots=())
            notebook.capture(folder / name / "capture", "price")
            site = site_of(folder / name, f"held_{name}", folder / name / "capture")
            context = served(site, f"held_{name}")
            running[name] = (context, context.__enter__())
        return running[name][1]

    yield server
    for context, _ in running.values():
        context.__exit__(None, None, None)


def _tensors(server, name, instances):
    """Write instances as tensors, as the model's metadata wants them."""
    model = server.client.get(f"/v2/models/held_{name}").json()
    inputs = []
    for tensor in model["inputs"]:
        columns = [i[tensor["name"]] if isinstance(i, dict) else i for i in instances]
        shape = list(np.shape(columns)) if name == "matrix" else [len(columns)]
        inputs.append({**tensor, "shape": shape, "data": columns})
    return {"inputs": inputs}


def _asked(server, name, instances, route):
    if route == "predict":
        answer = server.client.post("/predict", json={"instances": instances})
    else:
        body = _tensors(server, name, instances)
        answer = server.client.post(f"/v2/models/held_{name}/infer", json=body)
    return answer.status_code, answer.json()


@pytest.mark.parametrize("route", ["predict", "infer"])
@pytest.mark.parametrize(("name", "instance", "plain", "tensor", "message"), REFUSED)
def test_what_lies_outside_is_refused_by_its_field(  # noqa: PLR0913, PLR0917
    servers, name, instance, plain, tensor, message, route
):
    status, answer = _asked(servers(name), name, [FIRST[name], instance], route)

    assert status == 422, answer
    assert answer["field"] == (
        f"instances[1]{plain}" if route == "predict" else f"inputs.{tensor}"
    )
    assert message in answer["error"]


@pytest.mark.parametrize("route", ["predict", "infer"])
@pytest.mark.parametrize(("name", "instance", "wanted"), ANSWERED)
def test_what_lies_inside_is_answered(servers, name, instance, wanted, route):
    status, answer = _asked(servers(name), name, [FIRST[name], instance], route)

    assert status == 200, answer
    values = (
        answer["predictions"] if route == "predict" else answer["outputs"][0]["data"]
    )
    assert values[1] == wanted


def test_all_that_lies_outside_is_told_at_once(servers):
    wrong = {**TRIP, "km": -1.0, "zone": "C"}

    paths = {
        route: [
            problem["path"]
            for problem in _asked(servers("trips"), "trips", [wrong, wrong], route)[1][
                "problems"
            ]
        ]
        for route in ("predict", "infer")
    }

    assert paths["predict"] == [
        f"instances[{n}].{name}" for n in (0, 1) for name in ("km", "zone")
    ]
    assert paths["infer"] == [
        f"inputs.{name}[{n}]" for n in (0, 1) for name in ("km", "zone")
    ]
