"""Which GPUs a job may be given, and why it can be given none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.records.environment import GpuSurvey

if TYPE_CHECKING:
    from nbship.records.environment import Accelerator
    from nbship.records.job import Resources

_GPU_PREFIX, _MIG_PREFIX = "GPU-", "MIG-"


def visible(survey: GpuSurvey, setting: str | None) -> GpuSurvey:
    """Leave the GPUs that an outer ``CUDA_VISIBLE_DEVICES`` allows.

    Slurm and Ray set the variable for what runs below them. As CUDA reads it: indices or
    beginnings of UUIDs, up to the first one that means nothing; an empty value allows none.
    Indices count in the order of the bus.

    Parameters
    ----------
    survey
        What the machine has.
    setting
        The variable's value; None where it is not set.
    """
    if setting is None:
        return survey
    remark = f"CUDA_VISIBLE_DEVICES={setting!r} limits the choice"
    allowed: list[Accelerator] = []
    for word in (part.strip() for part in setting.split(",")):
        meant = _meant(survey.accelerators, word)
        if not meant:
            break
        allowed += [one for one in meant if one not in allowed]
    return GpuSurvey(accelerators=tuple(allowed), remarks=(*survey.remarks, remark))


def _meant(accelerators: tuple[Accelerator, ...], word: str) -> list[Accelerator]:
    if word.isdecimal():
        return [one for one in accelerators if one.index == int(word)]
    if not word.startswith((_GPU_PREFIX, _MIG_PREFIX)):
        return []
    named = [one for one in accelerators if one.uuid.startswith(word)]
    parts = [one for one in accelerators if one.parent_uuid.startswith(word)]
    return (named or parts) if len(named) <= 1 else []


def fitting(resources: Resources, survey: GpuSurvey) -> tuple[Accelerator, ...]:
    """List the GPUs that can serve a job: the smallest that suffice come first.

    A CUDA process sees one instance of MIG at most, so that instances serve jobs that ask for
    one GPU.
    """
    large_enough = (
        one
        for one in survey.accelerators
        if one.memory_gib >= resources.gpu_memory_gib
        and (resources.gpus <= 1 or not one.parent_uuid)
    )
    return tuple(sorted(large_enough, key=lambda one: one.memory_gib))


def refusal(resources: Resources, found: GpuSurvey) -> str:
    """Say why a job can never be given the GPUs it asks for; "" where it can, once they are free.

    Parameters
    ----------
    resources
        What the job asks for.
    found
        The GPUs that may be used; see :func:`visible`.
    """
    if len(fitting(resources, found)) >= resources.gpus:
        return ""
    listed = ", ".join(_described(one) for one in found.accelerators) or "no GPU"
    remarks = "".join(f"; {remark}" for remark in found.remarks)
    return f"it asks for {_wish(resources)}; found: {listed}{remarks}"


def _wish(resources: Resources) -> str:
    many = "" if resources.gpus == 1 else "s"
    memory = resources.gpu_memory_gib
    room = f" with {memory:g} GiB" if memory else ""
    whole = " (instances of MIG serve only jobs with one)" if many else ""
    return f"{resources.gpus} GPU{many}{room}{whole}"


def _described(one: Accelerator) -> str:
    part = " (MIG)" if one.parent_uuid else ""
    return f"{one.name}{part} {one.memory_gib:g} GiB"
