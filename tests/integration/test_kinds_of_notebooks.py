"""Eight notebooks as data scientists write them, each from its job to a server that answers.

A job of the notebook, vetted, approved, released; the bundle verified; its wheel served from an
environment that holds nothing else, and asked over plain JSON and the Open Inference Protocol.
"""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from support.kinds import (
    ABSENT,
    KINDS,
    agrees,
    forge_first_answer,
    goldens,
    install,
    pickles_in,
    release,
)
from support.project import Project
from support.serving import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.kinds import Golden, Kind

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kinds")]
ALL = [
    pytest.param(
        kind,
        id=kind.name,
        marks=pytest.mark.torch if kind.name == "wines" else pytest.mark.full,
    )
    for kind in KINDS
]
SETTINGS = """
trackers = []
[job]
lock = "on-demand"
[review]
approvals = 1
[release]
owner = "the eight"
"""


class Shipped:
    """A kind of notebook, its sealed bundle and what verification said of it."""

    def __init__(self, kind: Kind, project: Project) -> None:
        self.kind = kind
        self.bundle = release(project, kind)
        self.verified = json.loads(project.must("verify", self.bundle, "--json"))
        self.module = (self.bundle / "src" / "model.py").read_text("utf-8")
        self.goldens: list[Golden] = list(goldens(self.bundle))


class Served:
    """Its package, served from an environment that holds nothing else."""

    def __init__(self, shipped: Shipped, folder: Path) -> None:
        self.name = shipped.kind.name
        self.python = install(shipped.bundle, folder)
        self.process = ServerProcess(None, self.name, python=self.python)
        self.process.wait_ready()

    def ask(self, *instances: Any) -> tuple[int, dict[str, Any]]:
        answer = self.process.client.post("/predict", json={"instances": instances})
        return answer.status_code, answer.json()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("kinds") / "project", settings=SETTINGS)
    project.must("key", "reviewer")
    return project


@pytest.fixture(scope="module", params=ALL)
def shipped(request: pytest.FixtureRequest, project: Project) -> Shipped:
    return Shipped(request.param, project)


@pytest.fixture(scope="module")
def served(
    shipped: Shipped, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    served = Served(shipped, tmp_path_factory.mktemp(shipped.kind.name))
    yield served
    assert served.process.end() == 0


def test_the_bundle_verifies_and_its_parity_is_proven(shipped):
    parity = shipped.verified["parity"]

    assert shipped.verified["failures"] == []
    assert (parity["passed"], parity["is_proven"], parity["differences"]) == (
        True,
        True,
        [],
    )
    assert parity["cases"] == len(shipped.goldens)
    assert parity["rows"] >= 20


def test_what_only_looked_at_data_stays_out_and_the_authors_words_come_along(shipped):
    kind, module = shipped.kind, shipped.module

    assert [name for name in kind.out if name in module] == []
    assert [text for text in kind.comments if text not in module] == []
    assert re.findall(r"%\w+|plt|get_ipython|nbship\.log", module) == []


def test_nothing_in_the_bundle_is_a_pickle(shipped):
    assert pickles_in(shipped.bundle) == []


def test_the_environment_holds_the_lock_and_no_nbship(shipped, served):
    code = "import importlib.util as u; print(u.find_spec('nbship'), u.find_spec('jupyterlab'))"

    said = subprocess.run(
        [served.python, "-I", "-c", code], capture_output=True, text=True, check=True
    )

    assert said.stdout.split() == ["None", "None"]


def test_plain_json_gets_the_notebooks_answers(shipped, served):
    for case in shipped.goldens:
        status, answer = served.ask(*case.instances())

        assert status == 200, answer
        assert answer["model_version"] == "1.0.0"
        wanted = case.predictions()
        assert agrees(answer["predictions"], wanted), (answer["predictions"], wanted)


def test_the_open_inference_protocol_gets_the_notebooks_answers(shipped, served):
    client, name = served.process.client, shipped.kind.name
    metadata = client.get(f"/v2/models/{name}").json()
    for case in shipped.goldens[:3]:
        instances = case.instances()
        tensors = [_tensor(field, instances) for field in metadata["inputs"]]
        answer = client.post(
            f"/v2/models/{name}/infer", json={"inputs": [t for t in tensors if t]}
        )

        assert answer.status_code == 200, answer.text
        found = {out["name"]: out for out in answer.json()["outputs"]}
        assert list(found) == [field["name"] for field in metadata["outputs"]]
        assert _agree_by_tensor(found, case.predictions())


def test_wrong_input_gets_an_answer_that_names_the_field(shipped, served):
    first, *others = shipped.goldens[0].instances()
    for part, value, field in shipped.kind.wrong:
        status, answer = served.ask(_changed(first, part, value), *others)

        assert 400 <= status < 500, (part, value, status, answer)
        assert answer["field"] == field, answer
        assert field in answer["error"]


@pytest.mark.parametrize("strange", [None, 1e308, "", [], {}, [[]], {"$frame": {}}])
def test_strange_input_never_makes_the_server_fail(served, shipped, strange):
    first = shipped.goldens[0].instances()[0]
    names = list(first) if isinstance(first, dict) else [""]
    asked = [strange, *(_changed(first, name, strange) for name in names)]

    found = {served.ask(instance)[0] for instance in asked}

    assert found <= {200, 400, 422}
    assert served.process.client.get("/v2/health/ready").status_code == 200


def test_a_server_whose_answers_are_not_the_golden_ones_is_never_ready(served, shipped):
    forge_first_answer(served.python, served.name)
    server = ServerProcess(None, served.name, python=served.python)
    (said,) = server.wait_for("not_ready")
    instances = shipped.goldens[0].instances()
    ready = server.client.get("/v2/health/ready")
    asked = server.client.post("/predict", json={"instances": instances})

    assert said["differences"][0].startswith("case 1: ")
    assert (ready.status_code, asked.status_code) == (503, 503)
    assert server.end() == 0


def _changed(instance: Any, part: str, value: Any) -> Any:
    if not part:
        return value
    changed = {**instance, part: value}
    if value is ABSENT:
        del changed[part]
    return changed


def _tensor(field: dict[str, Any], instances: list[Any]) -> dict[str, Any] | None:
    """Write one input of the protocol; None where no instance has it."""
    name, datatype = field["name"], field["datatype"]
    rows = [
        row[name] if isinstance(row, dict) else row
        for row in instances
        if not isinstance(row, dict) or name in row
    ]
    if not rows:
        return None
    if datatype == "BYTES":
        rows = [x if isinstance(x, str) or x is None else json.dumps(x) for x in rows]
    shape = [len(rows), *field["shape"][1:]]
    return {"name": name, "datatype": datatype, "shape": shape, "data": rows}


def _agree_by_tensor(found: dict[str, Any], wanted: list[Any]) -> bool:
    for name, tensor in found.items():
        column = [
            row[name] if isinstance(row, dict) and name in row else row
            for row in wanted
        ]
        data = tensor["data"]
        if tensor["datatype"] == "BYTES":
            is_text = all(isinstance(item, str) for item in column)
            data = data if is_text else [json.loads(item) for item in data]
        if not agrees(data, column):
            return False
    return True
