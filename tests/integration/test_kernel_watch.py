"""Processes that are really watched: their memory, their GPUs, and how they die."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from nbship.adapters.probes.cgroups import memory_cgroup
from nbship.adapters.probes.kernel_watch import KernelWatch
from nbship.records.cause import Evidence
from nbship.records.codec import from_json
from support.gpus import machine, outside
from support.memory import limited_memory
from support.notebook_files import wait_for

_MIB = 1 << 20
#: allocates as many MiB as each line of standard input says, and keeps them
_EATER = """
import sys
kept = []
print("up", flush=True)
for line in sys.stdin:
    kept.append(b"x" * (int(line) << 20))
    print(len(kept), flush=True)
"""


class Eater:
    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", _EATER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.process.stdout.readline()

    def eat(self, mib):
        self.process.stdin.write(f"{mib}\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


@contextmanager
def watched(**options):
    eater, watch = Eater(), KernelWatch(**options)
    watch.begin(eater.process.pid, eater.process.kill)
    try:
        yield eater, watch
    finally:
        eater.end()
        watch.close()


def test_a_cells_growth_and_peak_are_told():
    with watched() as (eater, watch):
        watch.cell_started()
        eater.eat(100)
        wait_for(lambda: watch.evidence().samples)
        usage = watch.cell_ended()
        watch.cell_started()
        wait_for(lambda: len(watch.evidence().samples) > 2)
        idle = watch.cell_ended()

    assert 100 * _MIB <= usage.memory_growth_bytes < 110 * _MIB
    assert usage.peak_memory_bytes > usage.memory_growth_bytes
    assert (usage.peak_gpu_memory_bytes, usage.gpu_busy_percent) == (None, None)
    assert idle.memory_growth_bytes < _MIB
    assert idle.peak_memory_bytes >= 100 * _MIB


def test_a_cell_that_is_over_at_once_costs_nothing():
    with watched() as (_, watch):
        watch.cell_started()
        assert watch.cell_ended() is None
        assert watch.evidence().samples == ()


def test_a_kernel_beyond_its_limit_is_stopped():
    with watched(limit_bytes=150 * _MIB, may_confine=False) as (eater, watch):
        assert watch.limit_remark == "150 MiB, by samples of its resident memory"
        wait_for(lambda: watch.evidence().samples)
        assert eater.process.poll() is None
        eater.eat(200)
        assert eater.process.wait(30) == -signal.SIGKILL
        assert watch.evidence().exceeded_bytes == 150 * _MIB


def test_a_kernel_that_somebody_killed_has_lost_nothing_to_lack_of_memory():
    with watched() as (eater, watch):
        eater.process.kill()
        eater.process.wait()
        assert watch.evidence().oom_kills in {0, None}


@pytest.mark.full
def test_the_systems_kill_for_lack_of_memory_is_counted():
    with limited_memory(64) as cgroup, watched() as (eater, watch):
        (cgroup / "cgroup.procs").write_text(str(eater.process.pid))
        wait_for(lambda: watch.evidence().memory_limit_bytes == 64 * _MIB)
        eater.eat(128)
        assert eater.process.wait(30) == -signal.SIGKILL
        evidence = watch.evidence()
    assert evidence.oom_kills == 1
    assert evidence.memory_limit_bytes == 64 * _MIB
    assert evidence.samples[-1].memory_bytes < 64 * _MIB


@pytest.mark.full
def test_a_limit_is_held_by_a_cgroup_where_one_can_be_made():
    if memory_cgroup(os.getpid()).version > 1:
        pytest.skip("version 2 lets no process make one below its own")
    with (
        limited_memory(512) as cgroup,
        watched(limit_bytes=64 * _MIB) as (eater, watch),
    ):
        assert cgroup.is_dir()  # so one can
        assert watch.limit_remark == "64 MiB, by a cgroup"
        made = watch._confinement._folder
        eater.eat(128)
        assert eater.process.wait(30) == -signal.SIGKILL
        evidence = watch.evidence()
    assert (evidence.oom_kills, evidence.memory_limit_bytes) == (1, 64 * _MIB)
    assert evidence.exceeded_bytes == 0
    assert not made.exists()


_WATCHER = """
import json, subprocess, sys
from nbship.adapters.probes.accelerators import survey_gpus
from nbship.adapters.probes.kernel_watch import KernelWatch
from nbship.records.codec import to_json
child = subprocess.Popen(["sleep", "600"])
watch = KernelWatch(gpus=survey_gpus().accelerators)
watch.begin(child.pid, child.kill)
watch.cell_started()
for line in sys.stdin:
    usage = watch.cell_ended()
    print(json.dumps([to_json(watch.evidence()), to_json(usage), child.poll()]), flush=True)
child.kill()
child.wait()
"""


@pytest.fixture
def gpu_machine(tmp_path):
    made = machine(
        tmp_path,
        "gpu GPU-1 1024 100 50 ok A100",
        "gpu GPU-2 1024 200 70 ok A100",
    )
    process = subprocess.Popen(
        [sys.executable, "-c", _WATCHER],
        env=outside(made),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def ask():
        process.stdin.write("\n")
        process.stdin.flush()
        evidence, usage, exit_code = json.loads(process.stdout.readline())
        return from_json(Evidence, evidence), usage, exit_code

    yield made, ask
    process.stdin.close()
    process.wait(30)
    process.stdout.close()


def test_memory_and_utilisation_of_leased_gpus_are_sampled(gpu_machine):
    _, ask = gpu_machine
    wait_for(lambda: ask()[0].samples)
    evidence, usage, exit_code = ask()

    assert evidence.samples[-1].gpu_memory_bytes == 300 * _MIB
    assert evidence.samples[-1].gpu_busy_percent == 60.0
    assert usage["peak_gpu_memory_bytes"] == 300 * _MIB
    assert usage["gpu_busy_percent"] == 60.0
    assert exit_code is None


def test_a_kernel_whose_gpu_disappears_is_stopped_and_the_gpu_named(gpu_machine):
    made, ask = gpu_machine
    wait_for(lambda: ask()[0].samples)
    made.has("gpu GPU-1 1024 100 50 lost A100", "gpu GPU-2 1024 200 70 ok A100")
    wait_for(lambda: ask()[2] is not None)

    evidence, _, exit_code = ask()
    assert evidence.lost_gpus == ("GPU-1",)
    assert exit_code == -signal.SIGKILL


def test_watching_leaves_neither_threads_nor_descriptors():
    before = len(tuple(Path("/proc/self/fd").iterdir()))
    with watched() as (_, watch):
        wait_for(lambda: watch.evidence().samples)
    assert len(tuple(Path("/proc/self/fd").iterdir())) == before
    assert not watch._thread.is_alive()
