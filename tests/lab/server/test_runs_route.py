"""``GET /nbship/runs`` in a real Jupyter server."""

from __future__ import annotations

import json

import pytest
from tornado.httpclient import HTTPClientError

from nbship.adapters.store.files import FileStore
from support.runs import write_run

pytestmark = pytest.mark.lab


@pytest.fixture
def jp_server_config():
    return {"ServerApp": {"jpserver_extensions": {"nbship_lab": True}}}


@pytest.fixture
def ask(jp_fetch):
    async def ask(**params):
        response = await jp_fetch("nbship", "runs", params=params)
        return json.loads(response.body)

    return ask


def refusal(error):
    return error.value.code, json.loads(error.value.response.body)


async def test_without_a_project_there_are_no_runs(ask):
    overview = await ask()
    assert (overview["schema"], overview["project"], overview["total"]) == (
        "overview/1",
        "",
        0,
    )


async def test_the_runs_of_the_root_are_listed(ask, jp_root_dir):
    run_id = write_run(FileStore(jp_root_dir / ".mlops"), 1, metrics={"loss": 0.5})
    overview = await ask()
    assert overview["folder"] == ""
    assert overview["project"] == jp_root_dir.name
    (row,) = overview["rows"]
    assert (row["id"], row["stage"], row["status"]) == (run_id, "design", "succeeded")
    assert row["metrics"] == [{"name": "loss", "value": 0.5, "step": None, "unit": ""}]


async def test_the_project_around_a_notebook_is_chosen(ask, jp_root_dir):
    write_run(FileStore(jp_root_dir / ".mlops"), 1)
    inner = jp_root_dir / "team" / "birds"
    (inner / "notebooks").mkdir(parents=True)
    run_id = write_run(FileStore(inner / ".mlops"), 2)
    overview = await ask(path="team/birds/notebooks/new.ipynb")
    assert (overview["project"], overview["folder"]) == ("birds", "team/birds")
    assert [row["id"] for row in overview["rows"]] == [run_id]


async def test_a_number_that_json_lacks_is_null(ask, jp_root_dir):
    write_run(FileStore(jp_root_dir / ".mlops"), 1, metrics={"loss": float("nan")})
    assert (await ask())["rows"][0]["metrics"][0]["value"] is None


async def test_a_limit_keeps_the_newest(ask, jp_root_dir):
    store = FileStore(jp_root_dir / ".mlops")
    ids = [write_run(store, number) for number in range(3)]
    overview = await ask(limit="1")
    assert [row["id"] for row in overview["rows"]] == ids[-1:]
    assert overview["total"] == 3


@pytest.mark.parametrize("limit", ["0", "-1", "many", "9999999", "²"])
async def test_a_senseless_limit_is_refused(ask, limit):
    with pytest.raises(HTTPClientError) as error:
        await ask(limit=limit)
    code, body = refusal(error)
    assert code == 400
    assert "limit" in body["message"]


@pytest.mark.parametrize("path", ["../outside", "a/../../..", "/../x"])
async def test_a_path_out_of_the_root_is_refused(ask, path):
    with pytest.raises(HTTPClientError) as error:
        await ask(path=path)
    code, body = refusal(error)
    assert code == 400
    assert body["hint"] == "Ask for a path below it."


async def test_damaged_settings_are_told_with_a_hint(ask, jp_root_dir):
    (jp_root_dir / "mlops.toml").write_text("tracker = ['x']\n")
    with pytest.raises(HTTPClientError) as error:
        await ask()
    code, body = refusal(error)
    assert code == 400
    assert "did you mean 'trackers'?" in body["message"]
    assert body["hint"]


async def test_who_is_not_signed_in_sees_nothing(jp_fetch):
    with pytest.raises(HTTPClientError) as error:
        await jp_fetch("nbship", "runs", headers={"Authorization": ""})
    assert error.value.code == 403


async def test_who_is_not_authorized_sees_nothing(jp_serverapp, jp_fetch, monkeypatch):
    asked = []

    def refuse(_handler, _user, action, resource):
        asked.append((action, resource))
        return False

    monkeypatch.setattr(jp_serverapp.authorizer, "is_authorized", refuse)
    with pytest.raises(HTTPClientError) as error:
        await jp_fetch("nbship", "runs")
    assert error.value.code == 403
    assert asked == [("read", "nbship")]
