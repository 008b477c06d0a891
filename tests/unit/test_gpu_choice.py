"""Which GPUs serve a job, and what is said where none does."""

from __future__ import annotations

import pytest

from nbship.jobs.gpus import fitting, refusal, visible
from nbship.records.environment import Accelerator, GpuSurvey
from nbship.records.job import Resources


def gpu(uuid, *, memory_gib=80.0, index=0, parent_uuid=""):
    return Accelerator(
        uuid=uuid,
        name="A100",
        memory_gib=memory_gib,
        driver="570.1",
        index=index,
        parent_uuid=parent_uuid,
    )


LARGE, SMALL = gpu("GPU-aa1"), gpu("GPU-ab2", memory_gib=24, index=1)
PART = gpu("MIG-c3", memory_gib=10, index=2, parent_uuid="GPU-ac3")
PART_2 = gpu("MIG-c4", memory_gib=20, index=2, parent_uuid="GPU-ac3")
ALL = GpuSurvey(accelerators=(LARGE, SMALL, PART, PART_2))


@pytest.mark.parametrize(
    ("setting", "allowed"),
    [
        (None, (LARGE, SMALL, PART, PART_2)),
        ("", ()),
        ("-1", ()),
        ("NoDevFiles", ()),
        ("1,0", (SMALL, LARGE)),
        ("1,7,0", (SMALL,)),
        ("2", (PART, PART_2)),
        ("GPU-ab", (SMALL,)),
        ("GPU-a", ()),
        ("GPU-ac3", (PART, PART_2)),
        ("MIG-c4,GPU-aa1", (PART_2, LARGE)),
    ],
)
def test_an_outer_variable_limits_the_choice_as_cuda_reads_it(setting, allowed):
    assert visible(ALL, setting).accelerators == allowed


def test_the_smallest_that_suffices_comes_first():
    wish = Resources(gpus=1, gpu_memory_gib=15)
    assert fitting(wish, ALL) == (PART_2, SMALL, LARGE)


def test_instances_of_mig_never_serve_a_job_with_two():
    assert fitting(Resources(gpus=2), ALL) == (SMALL, LARGE)


def test_a_refusal_says_what_is_asked_for_and_what_was_found():
    nothing = GpuSurvey(remarks=("libx was looked for, not found",))
    assert refusal(Resources(gpus=1), nothing) == (
        "it asks for 1 GPU; found: no GPU; libx was looked for, not found"
    )
    assert refusal(Resources(gpus=1, gpu_memory_gib=81), ALL) == (
        "it asks for 1 GPU with 81 GiB; found: A100 80 GiB, A100 24 GiB, "
        "A100 (MIG) 10 GiB, A100 (MIG) 20 GiB"
    )
    assert "only jobs with one" in refusal(Resources(gpus=3), ALL)


@pytest.mark.parametrize("wish", [Resources(), Resources(gpus=2)])
def test_what_can_be_served_is_not_refused(wish):
    assert refusal(wish, ALL) == ""
