"""GPUs of a machine whose driver's library is a stand-in: discovery, leases, jobs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from nbship.records.cause import CauseKind
from nbship.records.codec import from_json
from nbship.records.environment import GpuSurvey
from nbship.records.job import Outcome
from support.gpus import machine, outside
from support.notebook_files import only_run, wait_for, write_notebook
from support.project import Project

ONE = "gpu GPU-11aa 24576 0 0 ok NVIDIA L4"
TWO = "gpu GPU-22bb 81920 100 7 ok NVIDIA H100"
SPLIT = (
    "gpu GPU-33cc 81920 0 0 mig NVIDIA A100",
    "mig MIG-3a 10240 0 0 ok NVIDIA A100 MIG 1g.10gb",
    "mig MIG-3b 20480 0 0 ok NVIDIA A100 MIG 2g.20gb",
)
_SURVEY = """
import json
from nbship.adapters.probes.accelerators import survey_gpus
from nbship.records.cause import CauseKind
from nbship.records.codec import to_json
print(json.dumps(to_json(survey_gpus())))
"""
#: leases GPUs, says which, and holds them until its standard input ends
_HOLDER = """
import os, subprocess, sys
from nbship.adapters.executors.leases import GpuLeases
from nbship.adapters.probes.accelerators import survey_gpus
from nbship.errors import NbshipError
from nbship.records.job import Resources
wish = Resources(gpus=int(sys.argv[1]), gpu_memory_gib=float(sys.argv[2]))
try:
    lease = GpuLeases(survey_gpus, os.environ).acquire(wish)
except NbshipError as error:
    print("refused:", error.message, flush=True)
    sys.exit()
print("busy" if lease is None else lease.grant.environ["CUDA_VISIBLE_DEVICES"], flush=True)
if lease and "kernel" in sys.argv:
    held = lease.grant.held_fds
    child = subprocess.Popen(["cat"], stdin=sys.stdin, pass_fds=held)
    lease.release()
    print(child.pid, flush=True)
    os._exit(9)
sys.stdin.read()
"""


def survey(made):
    done = subprocess.run(
        [sys.executable, "-c", _SURVEY],
        env=outside(made),
        capture_output=True,
        text=True,
        check=True,
    )
    return from_json(GpuSurvey, json.loads(done.stdout))


class Holder:
    """A process that leases GPUs."""

    def __init__(self, made, gpus=1, memory_gib=0.0, *words, **more):
        self.process = subprocess.Popen(
            [sys.executable, "-c", _HOLDER, str(gpus), str(memory_gib), *words],
            env=outside(made, **more),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.said = self.process.stdout.readline().strip()

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def said(made, *words, **more):
    with Holder(made, *words, **more) as holder:
        return holder.said


def test_whole_gpus_and_instances_of_mig_are_found(tmp_path):
    found = survey(machine(tmp_path, ONE, *SPLIT))

    assert [
        (one.uuid, one.parent_uuid, one.memory_gib) for one in found.accelerators
    ] == [
        ("GPU-11aa", "", 24.0),
        ("MIG-3a", "GPU-33cc", 10.0),
        ("MIG-3b", "GPU-33cc", 20.0),
    ]
    first = found.accelerators[0]
    assert (first.name, first.driver, first.index) == ("NVIDIA L4", "570.1", 0)
    assert found.remarks == ()


def test_a_lost_gpu_is_left_out_and_named(tmp_path):
    found = survey(machine(tmp_path, ONE.replace("ok", "lost"), TWO))

    assert [one.uuid for one in found.accelerators] == ["GPU-22bb"]
    assert found.remarks == ("GPU 0 cannot be used: GPU is lost",)


def test_a_machine_without_a_driver_says_what_was_looked_for(tmp_path):
    made = machine(tmp_path)
    made.environ.pop("LD_LIBRARY_PATH")
    if (
        subprocess.run(
            [sys.executable, "-c", "import ctypes; ctypes.CDLL('libnvidia-ml.so.1')"],
            env=outside(made),
            capture_output=True,
            check=False,
        ).returncode
        == 0
    ):
        pytest.skip("this machine has the NVIDIA driver")

    assert survey(made) == GpuSurvey(
        remarks=(
            "the NVIDIA driver's library libnvidia-ml.so.1 was looked for, not found",
        )
    )


def test_a_driver_that_does_not_answer_is_quoted(tmp_path):
    made = machine(tmp_path)
    made.devices.unlink()
    assert survey(made).remarks == (
        "libnvidia-ml.so.1 was found, and says: Driver Not Loaded",
    )
    made.has()
    assert survey(made).remarks == ("the driver 570.1 lists no GPU",)


def test_a_gpu_is_leased_to_one_process_at_a_time(tmp_path):
    made = machine(tmp_path, ONE, TWO)
    with Holder(made) as first:
        assert (first.said, said(made)) == ("GPU-11aa", "GPU-22bb")
        assert said(made, 2) == "busy"
        with Holder(made):
            assert said(made) == "busy"
    assert said(made, 2) == "GPU-11aa,GPU-22bb"


def test_a_killed_holder_leaves_no_lease_behind(tmp_path):
    made = machine(tmp_path, ONE)
    with Holder(made) as first:
        assert said(made) == "busy"
        first.process.kill()
        first.process.wait()
        assert said(made) == "GPU-11aa"


def test_a_kernel_that_outlives_its_worker_keeps_the_lease(tmp_path):
    made = machine(tmp_path, ONE)
    with Holder(made, 1, 0.0, "kernel") as first:
        first.process.wait(30)
        assert said(made) == "busy"
    wait_for(lambda: said(made) == "GPU-11aa")


def test_instances_of_mig_are_leased_one_by_one(tmp_path):
    made = machine(tmp_path, *SPLIT)
    with Holder(made) as first, Holder(made) as second:
        assert (first.said, second.said) == ("MIG-3a", "MIG-3b")
        assert said(made) == "busy"
    assert said(made, 1, 15) == "MIG-3b"
    assert said(made, 2).startswith("refused: it asks for 2 GPUs")


def test_an_outer_variable_limits_the_leases(tmp_path):
    made = machine(tmp_path, ONE, TWO)
    assert said(made, 1, CUDA_VISIBLE_DEVICES="1") == "GPU-22bb"
    assert "refused" in said(made, 2, CUDA_VISIBLE_DEVICES="1")
    assert "CUDA_VISIBLE_DEVICES=''" in said(made, 1, CUDA_VISIBLE_DEVICES="")


def test_a_gpu_that_has_disappeared_is_not_leased_again(tmp_path):
    made = machine(tmp_path, ONE, TWO)
    made.has(ONE.replace("ok", "lost"), TWO)
    with Holder(made) as first:
        assert first.said == "GPU-22bb"
        assert said(made) == "busy"


def test_a_folder_of_somebody_else_is_refused(tmp_path):
    made = machine(tmp_path, ONE)
    (tmp_path / "gpu-locks").symlink_to(tmp_path)
    assert "another user made it" in said(made)


@pytest.fixture
def project(tmp_path):
    project = Project(tmp_path / "project", settings="trackers = []\n")
    made = machine(tmp_path, ONE)
    project.environ = {**project.environ, **made.environ}
    project.environ.pop("CUDA_VISIBLE_DEVICES", None)
    project.machine = made
    return project


def outcomes(project):
    return [
        from_json(Outcome, record)
        for record in project.records("jobs/*/attempts/*/outcome.json")
    ]


def test_a_job_that_no_gpu_here_can_serve_is_refused_at_submission(project):
    write_notebook(project.folder / "in.ipynb", "1")

    done = project.call("submit", "in.ipynb", "--gpus", "1", "--gpu-memory-gib", "30")

    assert done.returncode == 3
    assert "asks for 1 GPU with 30 GiB; found: NVIDIA L4 24 GiB" in done.stderr
    assert project.records("jobs/*/job.json") == []


@pytest.mark.kernel
def test_the_kernel_sees_what_was_leased_and_nothing_without_gpus(project):
    source = (
        "import os\n"
        "print([os.environ.get(n) for n in ('CUDA_VISIBLE_DEVICES', 'CUDA_DEVICE_ORDER')])"
    )
    write_notebook(project.folder / "in.ipynb", source)

    project.must("submit", "in.ipynb", "--gpus", "1")
    project.must("submit", "in.ipynb")

    with_gpu, without = (one.log_end for one in outcomes(project))
    assert "['GPU-11aa', 'PCI_BUS_ID']" in with_gpu
    assert "['', None]" in without


@pytest.mark.kernel
def test_two_jobs_that_want_the_only_gpu_run_one_after_the_other(project):
    for name in ("a", "b"):
        source = f"# {name}\nimport time\ntime.sleep(0.5)"
        write_notebook(project.folder / f"{name}.ipynb", source)
    command = [sys.executable, "-m", "nbship.faces.cli", "submit", "--gpus", "1"]
    started = [
        subprocess.Popen(
            [*command, f"{name}.ipynb"],
            cwd=project.folder,
            env=project.environ,
            stdout=subprocess.DEVNULL,
        )
        for name in ("a", "b")
    ]
    assert [one.wait(120) for one in started] == [0, 0]

    first, second = sorted(
        (one["started_at"], one["ended_at"]) for one in executed(project)
    )
    assert first[1] <= second[0]


def executed(project):
    """Return start and end of the kernels' cells, by the clock of the notebooks."""
    found = []
    for path in project.store.glob("jobs/*/attempts/*/output.ipynb"):
        (cell,) = json.loads(path.read_text("utf-8"))["cells"]
        told = cell["metadata"]["papermill"]
        found.append({"started_at": told["start_time"], "ended_at": told["end_time"]})
    return found


@pytest.mark.kernel
def test_a_job_whose_gpu_disappears_ends_and_names_it(project):
    source = "import pathlib, time\npathlib.Path('ready').touch()\ntime.sleep(600)"
    write_notebook(project.folder / "in.ipynb", source, "'after'")
    command = [sys.executable, "-m", "nbship.faces.cli", "submit", "in.ipynb"]
    process = subprocess.Popen(
        [*command, "--gpus", "1"],
        cwd=project.folder,
        env=project.environ,
        stdout=subprocess.DEVNULL,
    )
    wait_for((project.folder / "ready").is_file)

    project.machine.has(ONE.replace("ok", "lost"))

    assert process.wait(120) == 1
    (outcome,) = outcomes(project)
    assert outcome.why.kind is CauseKind.GPU_LOST
    assert outcome.why.evidence.lost_gpus == ("GPU-11aa",)
    assert "GPU-11aa was lost" in outcome.cause
    assert outcome.cell_id == "c1"


@pytest.mark.kernel
def test_a_job_tells_its_gpus_memory_and_utilisation_by_cell(project):
    project.machine.has(ONE.replace(" 0 0 ok", " 512 40 ok"))
    write_notebook(project.folder / "in.ipynb", "import time\ntime.sleep(2)")

    project.must("submit", "in.ipynb", "--gpus", "1")

    usage = only_run(project.store).cells[0].usage
    assert usage.peak_gpu_memory_bytes == 512 << 20
    assert usage.gpu_busy_percent == 40.0
    assert usage.peak_memory_bytes > usage.memory_growth_bytes
