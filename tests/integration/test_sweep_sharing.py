"""Leading cells executed once: what jobs give is what they give when each executes them itself."""

from __future__ import annotations

import json

import pytest

from nbship.adapters.store.files import FileStore
from nbship.adapters.store.queue import SqliteQueue
from nbship.workflow.jobs import published_outcome
from nbship.workflow.recording import load_run
from nbship.workflow.sweeping import load_sweep, points_of
from support.notebook_files import write_notebook
from support.project import Project

pytestmark = pytest.mark.kernel

PARAMETERS = """
from datetime import date
lr: float = 0.1
day: date = date(2024, 1, 2)
scale: int = 1
"""
LOAD = """
with open('/proc/self/stat') as file:
    loader = file.read().split()[0]
with open('numbers.txt') as file:
    numbers = [float(word) for word in file.read().split()]
print('loaded', len(numbers))
frame = pd.read_csv('data.csv')
frame * scale
"""
DRAW = """
np.random.seed(3)
random.seed(4)
first = (random.random(), float(np.random.rand()))
rng = np.random.default_rng(5)
sample = rng.normal(size=3) + random.random() + np.random.rand()
class Model:
    def __init__(self, data):
        self.data = list(data)
model = Model(numbers)
sample
"""
FIT = """
model.data.append(lr)
y = (random.random(), float(np.random.rand()), float(rng.random()))
%mlops log score=lr*sum(numbers) --direction maximize
print(first, y, day, model.data)
"""
STATES = """
import hashlib
states = random.getstate(), np.random.get_state(), rng.bit_generator.state
[hashlib.sha256(repr(state).encode()).hexdigest() for state in states]
"""
NOTE = """
from pathlib import Path
with Path('loaders.txt').open('a') as notes:
    notes.write(loader + chr(10))
"""
CELLS = (
    "%load_ext nbship\nimport random\nimport numpy as np\nimport pandas as pd",
    LOAD,
    DRAW,
    "import matplotlib.pyplot as plt\n%matplotlib inline\nplt.plot(numbers)\nplt.show()",
    FIT,
    STATES,
    "[text for text in In if 'Parameters' in text], _i2, len(In), _",
    "_, sorted(name for name in globals() if not name.startswith('_'))",
    NOTE,
)


@pytest.fixture
def project(tmp_path):
    made = Project(tmp_path / "project", settings="trackers = []\n")
    (made.folder / "data.csv").write_text("a,b\n1,2\n3,4\n")
    (made.folder / "numbers.txt").write_text("1 2 3.5")
    write_notebook(made.folder / "train.ipynb", *CELLS, parameters=PARAMETERS)
    yield made
    for ticket in SqliteQueue(FileStore(made.store)).tickets():
        made.call("cancel", ticket.job_id)  # it may have settled by now


def loaders(project):
    """Return the processes that have loaded the data, one a job, and forget them."""
    path = project.folder / "loaders.txt"
    found = path.read_text().split()
    path.unlink()
    return found


def outputs_of(path):
    """Read source, execution count and outputs of each code cell."""
    return [
        (cell["source"], cell["execution_count"], cell["outputs"])
        for cell in json.loads(path.read_text())["cells"]
        if cell["cell_type"] == "code"
    ]


def swept(project, *words):
    """Sweep, and return the sweep, and outputs, outcome and run of its jobs by their values."""
    project.must(
        "sweep", "train.ipynb", "-p", "lr=0.1,0.5", "-p", "day=2024-05-06,2025-07-08",
        "-p", "scale=3", "--workers", "1", *words,
    )  # fmt: skip
    store = FileStore(project.store)
    (sweep_id,) = store.ids("sweep")
    jobs = {}
    for point in points_of(store, sweep_id):
        outcome = published_outcome(store, point.job_id)
        path = store.attempt_folder(point.job_id, outcome.attempt) / "output.ipynb"
        run = load_run(store, outcome.run_id)
        jobs[str(point.values)] = (outputs_of(path), outcome, run)
    return load_sweep(store, sweep_id), jobs


def facts_of(run):
    """Return what a run records beside times, ids and how its kernel was started."""
    cells = [
        (c.cell_id if c.cell_id[:1] == "c" else "", c.source, c.status, c.execution_count, c.outputs)
        for c in run.cells
    ]  # fmt: skip
    metrics = [(m.name, m.value, m.step, m.direction) for m in run.metrics]
    return cells, metrics, run.data, run.values, run.status


@pytest.mark.full
def test_shared_cells_are_executed_once_and_every_job_gives_what_it_gives_alone(
    project, tmp_path
):
    sweep, shared = swept(project)
    assert sweep.shared_cells == ("parameters", "c1", "c2", "c3", "c4")
    assert sweep.sharing_ends.startswith("cell c5, line ")
    together = loaders(project)
    assert len(together) == 4
    assert len(set(together)) == 1

    project.store.rename(tmp_path / "kept")
    project.store.mkdir()
    alone_sweep, alone = swept(project, "--no-share")
    assert alone_sweep.shared_cells == ()
    assert len(set(loaders(project))) == 4

    assert shared.keys() == alone.keys()
    for values, (outputs, outcome, run) in shared.items():
        own_outputs, own_outcome, own_run = alone[values]
        assert outputs == own_outputs, values
        assert outcome.metrics == own_outcome.metrics
        assert outcome.data == own_outcome.data
        assert facts_of(run) == facts_of(own_run)
        assert run.shared_cells == outcome.shared_cells == sweep.shared_cells
        assert own_run.shared_cells == own_outcome.shared_cells == ()
