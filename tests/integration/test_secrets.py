"""A canary: a secret that a job does everything with stands in no file that is kept."""

import base64
import json
import os
import secrets
from urllib.parse import quote

import pytest

from support.notebook_files import write_notebook
from support.project import Project

pytestmark = pytest.mark.kernel

CELLS = [
    "\nimport os, sys, base64, logging, warnings, urllib.parse\ntoken = os.environ['API_TOKEN']\nprint('said:', token); print(token, file=sys.stderr)\nlogging.warning('logged %s', token); warnings.warn(token)\n",
    "print(base64.b64encode(f'user:{token}'.encode()).decode())\nprint(urllib.parse.quote(token), token.encode().hex(), repr(token))\nprint(base64.urlsafe_b64encode(token.encode()))\n",
    "for letter in token: print(letter, end='', flush=True)\nos.system('echo from a shell $API_TOKEN')\n",
    "from IPython.display import HTML, display, update_display\nbundle = {'text/plain': token, 'application/json': {token: [token]}}\ndisplay(bundle, raw=True, display_id=token)\nupdate_display(HTML(f'<b title=\"{token}\">{token}</b>'), display_id=token)\n{token: [token]}\n",
    "from ipywidgets import Text; Text(value=token, description=token)\n",
    "token\n",
    "raise ValueError(f'cannot log in with {token}')\n",
]


def _spellings(value):
    data = value.encode()
    return {
        "raw": data,
        "url": quote(value, safe="").encode(),
        "hex": data.hex().encode(),
        "base64": base64.b64encode(data)[:-4],
        "base64, one on": base64.b64encode(b"x" + data)[2:-4],
        "base64, two on": base64.b64encode(b"xx" + data)[3:-4],
    }


def _leaks(folder, value):
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "token.txt":
            data = path.read_bytes()
            found += [
                f"{path.relative_to(folder)}: {how}"
                for how, spelling in _spellings(value).items()
                if spelling in data
            ]
        found += [f"{path}: name"] if value in path.name else []
    return found


def _canary():
    return f"canary/{secrets.token_urlsafe(12)}?&+{secrets.token_hex(4)}"


@pytest.fixture
def project(tmp_path):
    made = Project(
        tmp_path / "project",
        settings='[job.secrets]\nAPI_TOKEN = "env:MY_TOKEN"\n',
    )
    made.environ["WANDB_MODE"] = "offline"
    # under pytest, ipykernel leaves what programs print to the worker's own output
    made.environ.pop("PYTEST_CURRENT_TEST", None)
    return made


@pytest.mark.parametrize(
    "options", [(), pytest.param(("--direct",), marks=pytest.mark.full)]
)
def test_a_canary_is_found_in_no_file(project, options):
    canary = _canary()
    project.environ["MY_TOKEN"] = canary
    cells = [cell for cell in CELLS if not (options and "ipywidgets" in cell)]
    write_notebook(project.folder / "in.ipynb", *cells)

    done = project.call("submit", "in.ipynb", *options)

    assert done.returncode == 1
    assert "ValueError: cannot log in with [secret API_TOKEN]" in done.stdout
    assert canary not in done.stdout + done.stderr
    (job,) = project.records("jobs/*/job.json")
    assert job["secrets"] == {"API_TOKEN": "env:MY_TOKEN"}
    project.must("sync")
    (log,) = project.store.glob("jobs/*/attempts/1/log.txt")
    assert _leaks(project.folder, canary) == []
    (output,) = project.store.glob("jobs/*/attempts/1/output.ipynb")
    text = output.read_text()
    assert text.count("[secret API_TOKEN]") >= 12
    assert "from a shell [secret API_TOKEN]" in text
    (log,) = project.store.glob("jobs/*/attempts/1/log.txt")
    assert "[secret API_TOKEN]" in log.read_text()
    mirrored = [path for path in (project.store / "wandb").rglob("*") if path.is_file()]
    assert mirrored


@pytest.mark.full
def test_a_secret_of_a_file_and_of_a_program_reach_the_kernel(project):
    canary, other = _canary(), _canary()
    (project.folder / "token.txt").write_text(f"{canary}\n")
    project.environ["SHELL_TOKEN"] = other
    (project.folder / "mlops.toml").write_text(
        "trackers = []\n[job.secrets]\n"
        'A = "file:token.txt"\nB = "cmd:sh -c \'echo $SHELL_TOKEN\'"\n'
    )
    write_notebook(
        project.folder / "in.ipynb",
        "import os; a, b = os.environ['A'], os.environ['B']",
        "print(len(a), len(b), a[:6], b[:6], sorted(k for k in os.environ if 'SECRETS' in k))",
        "print(a, b)",
        "import os; os.write(2, f'past the kernel {a}\\n'.encode())",
    )
    project.environ["PYTEST_CURRENT_TEST"] = "the kernel watches no descriptors"

    project.must("submit", "in.ipynb")

    (output,) = project.store.glob("jobs/*/attempts/1/output.ipynb")
    cells = json.loads(output.read_text())["cells"]
    said = ["".join(cell["outputs"][0]["text"]) for cell in cells[1:3]]
    assert said == [
        f"{len(canary)} {len(other)} canary canary ['MLOPS_SECRETS']\n",
        "[secret A] [secret B]\n",
    ]
    (log,) = project.store.glob("jobs/*/attempts/1/log.txt")
    assert "past the kernel " + len(canary) * "*" in log.read_text()
    assert _leaks(project.folder, canary) == _leaks(project.store, other) == []


def test_missing_secrets_are_refused_by_name_alone(project):
    project.environ.pop("MY_TOKEN", None)
    (project.folder / "mlops.toml").write_text(
        '[job.secrets]\nAPI_TOKEN = "env:MY_TOKEN"\nB = "file:no-such"\n'
        'C = "cmd:no-such-program x"\nD = "env:PATH"\n'
    )
    write_notebook(project.folder / "in.ipynb", "1")

    done = project.call("submit", "in.ipynb")

    assert done.returncode == 3
    assert "no value for the secret API_TOKEN, B, C" in done.stderr
    assert os.environ["PATH"] not in done.stderr + done.stdout
    assert not list(project.store.glob("jobs/*"))


def test_a_notebook_with_the_value_in_it_is_refused(project):
    canary = project.environ["MY_TOKEN"] = _canary()
    write_notebook(project.folder / "in.ipynb", f"login({canary!r})")

    done = project.call("submit", "in.ipynb")

    assert done.returncode == 3
    assert "the value of the secret API_TOKEN stands in it" in done.stderr
    assert canary not in done.stderr
    assert not list(project.store.glob("jobs/*"))


@pytest.mark.full
def test_a_secret_that_is_gone_when_the_kernel_starts_fails_the_job_by_name(project):
    (project.folder / "mlops.toml").write_text(
        'trackers = []\n[job.secrets]\nAPI_TOKEN = "cmd:false"\n'
    )
    write_notebook(project.folder / "in.ipynb", "1")

    done = project.call("submit", "in.ipynb")

    assert done.returncode == 1
    (outcome,) = project.records("jobs/*/attempts/1/outcome.json")
    assert outcome["status"] == "failed"
    assert outcome["cause"] == "JobError: no value for the secret API_TOKEN"


@pytest.mark.full
def test_a_root_that_has_captured_a_secret_is_refused(project):
    canary = project.environ["MY_TOKEN"] = _canary()
    (project.folder / "mlops.toml").write_text(
        'trackers = []\n[export]\nroots = ["predict"]\n'
        '[job.secrets]\nAPI_TOKEN = "env:MY_TOKEN"\n'
    )
    write_notebook(
        project.folder / "in.ipynb",
        "import os\nPREFIX = os.environ['API_TOKEN']",
        "def predict(x):\n    return [PREFIX + str(v) for v in x]",
        "predict([1.0])",
    )

    done = project.call("submit", "in.ipynb")

    (outcome,) = project.records("jobs/*/attempts/1/outcome.json")
    (root,) = outcome["roots"]
    assert root["digest"] == ""
    assert root["refusal"] == "it holds the value of the secret API_TOKEN"
    assert canary not in done.stdout + done.stderr
    assert _leaks(project.folder, canary) == []


@pytest.mark.full
def test_jobs_of_a_sweep_that_share_cells_hide_their_secrets(project):
    canary = project.environ["MY_TOKEN"] = _canary()
    (project.folder / "mlops.toml").write_text(
        'trackers = []\n[job.secrets]\nAPI_TOKEN = "env:MY_TOKEN"\n'
    )
    write_notebook(
        project.folder / "in.ipynb",
        "import os\nword = os.environ['API_TOKEN']\nprint('shared', word)",
        "print(lr, word)",
        parameters="lr = 0.1",
    )

    project.must("sweep", "in.ipynb", "-p", "lr=0.1,0.2,0.3")

    outputs = list(project.store.glob("jobs/*/attempts/1/output.ipynb"))
    assert len(outputs) == 3
    assert all("shared [secret API_TOKEN]" in path.read_text() for path in outputs)
    assert _leaks(project.folder, canary) == []
