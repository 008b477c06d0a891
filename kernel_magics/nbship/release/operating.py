"""What the pages for IT say of running a package: names, sizes, and what is missing."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbship.errors import ReleaseError
from nbship.records.statements import missing
from nbship.release.platforms import platform_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.records.baseline import Baseline
    from nbship.records.inspection import Inspection
    from nbship.records.release import PlatformLock
    from nbship.release.facts import Evidence

#: where the server of a package listens, and the user that it runs as in a container
PORT = 8080
USER = 10001
NO_BASE_IMAGE = "MISSING: owner: base image with its digest (release.base_image)"
_LABEL_LENGTH = 63
_PINNED = re.compile(r"[a-z0-9][A-Za-z0-9._/:-]*@sha256:[0-9a-f]{64}")
_STEP_MIB = 64
_MIB = 1 << 20
#: an alert asks for this many times what one call took
_SLOW = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Operated:
    """What pages for IT are made from, beside the evidence of the release."""

    #: what the owner said, holes included
    said: Mapping[str, str]
    inspection: Inspection
    baseline: Baseline
    #: name, tag and digest; "" where nobody named one
    base_image: str
    licence_text: str
    vulnerability_text: str
    has_wheelhouse: bool
    has_model_signature: bool
    has_advisories: bool
    #: the lock that a server is installed from
    lock_name: str
    platforms: tuple[PlatformLock, ...] = ()


def operating_facts(evidence: Evidence, operated: Operated) -> dict[str, Any]:
    """Gather what the pages for IT say."""
    inspection = operated.inspection
    label = dns_label(evidence.name)
    return {
        "said": operated.said,
        "inspection": inspection,
        "baseline_text": _baseline_text(operated.baseline),
        "base_image": operated.base_image,
        "base_image_missing": NO_BASE_IMAGE,
        "licence_text": operated.licence_text,
        "vulnerability_text": operated.vulnerability_text,
        "has_wheelhouse": operated.has_wheelhouse,
        "lock_name": operated.lock_name,
        "platform_texts": [platform_text(entry) for entry in operated.platforms],
        "has_model_signature": operated.has_model_signature,
        "holes_text": _holes_text(operated),
        "speed_text": (
            f"one call {_time_text(inspection.latency_p50_ms)}, loaded in"
            f" {_time_text(inspection.load_ms)}, {inspection.memory_peak_mib:.0f} MiB of memory,"
            f" {_size_text(inspection.installed_bytes)} installed"
        ),
        "size_text": _size_text(inspection.installed_bytes),
        "latency_text": (
            f"{_time_text(inspection.latency_p50_ms)},"
            f" {_time_text(inspection.latency_p99_ms)}"
        ),
        "load_text": _time_text(inspection.load_ms),
        "label": label,
        "alert": "".join(part.capitalize() for part in label.split("-")),
        "image": f"{label}:{evidence.version}",
        "port": PORT,
        "user": USER,
        "memory_request_mib": _rounded_mib(inspection.memory_peak_mib),
        "memory_limit_mib": _rounded_mib(2 * inspection.memory_peak_mib),
        "slow_s": f"{max(_SLOW * inspection.latency_p99_ms / 1000, 0.05):.3g}",
        "git_commit": str(evidence.git.get("commit") or ""),
        "previous_version": evidence.before.version if evidence.before else "",
    }


def dns_label(name: str) -> str:
    """Return a name that Kubernetes takes for a service: ``fares-eu`` of ``Fares_EU``."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    label = "-".join(words) or "model"
    return (label if label[0].isalpha() else f"model-{label}")[:_LABEL_LENGTH].strip(
        "-"
    )


def check_base_image(image: str) -> None:
    """Refuse a base image without a digest: its name alone means another one tomorrow.

    Raises
    ------
    ReleaseError
        If it is not ``NAME@sha256:DIGEST``.
    """
    if image and not _PINNED.fullmatch(image):
        raise ReleaseError(
            f"release.base_image: {image!r} where NAME:TAG@sha256:DIGEST was expected",
            hint="Ask your registry for the digest: docker buildx imagetools inspect NAME:TAG",
        )


def _holes_text(operated: Operated) -> str:
    holes = [key for key, text in operated.said.items() if text == missing(key)]
    others = {
        "base image": bool(operated.base_image),
        "snapshot of advisories": operated.has_advisories,
        "model-signing signature": operated.has_model_signature,
    }
    absent = [name for name, is_there in others.items() if not is_there]
    if not holes and not absent:
        return "Nothing that only the owner can say is missing."
    parts = [
        f"statements ({', '.join(holes)})" if holes else "",
        *absent,
    ]
    return f"MISSING: owner: {', '.join(part for part in parts if part)}."


def _baseline_text(baseline: Baseline) -> str:
    inputs, outputs = len(baseline.inputs), len(baseline.outputs)
    text = (
        f"`baseline/drift.json` profiles {baseline.rows} rows of {baseline.source}:"
        f" {inputs} input{'s' if inputs != 1 else ''},"
        f" {outputs} output{'s' if outputs != 1 else ''}"
        + (
            f" of {baseline.outputs_rows} rows of {baseline.outputs_source}."
            if baseline.outputs_source
            else "."
        )
    )
    return " ".join([text, *(f"{remark}." for remark in baseline.remarks)])


def _rounded_mib(mib: float) -> int:
    """Round up, with a quarter more and room for the server, in steps that a person would choose."""
    return (1 + math.ceil(1.25 * mib / _STEP_MIB)) * _STEP_MIB


def _time_text(ms: float) -> str:
    return f"{ms / 1000:.3g} s" if ms >= 1000 else f"{ms:.3g} ms"  # noqa: PLR2004


def _size_text(size_bytes: int) -> str:
    if size_bytes < _MIB:
        return f"{math.ceil(size_bytes / 1000)} kB"
    return f"{size_bytes / _MIB:.1f} MiB"
