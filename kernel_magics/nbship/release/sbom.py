"""The bill of materials of a bundle: CycloneDX 1.6 with the model, its data and its software.

Software comes from the lock, the model from what was captured, data from what the job read. The
model card holds what was recorded; what only the owner can say stands in it as said, or is left
out, since a field that says MISSING would count as filled.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from nbship.records.statements import missing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbship.records.inspection import Distribution, Inspection
    from nbship.records.release import RootCapture
    from nbship.release.facts import Evidence

SBOM = "sbom.cdx.json"
#: serial numbers are made from what a bill is about, so that equal releases have equal ones
_SPACE = uuid.UUID("3e9f6f0e-6d0c-5d0e-9a4e-7c1b9d3a7f55")
_TASKS = {"classifier": "classification", "regressor": "regression"}


def bill_of_materials(  # noqa: PLR0913  # what is in a bundle
    evidence: Evidence,
    *,
    pins: Mapping[str, str],
    hashes: Mapping[str, Sequence[str]],
    inspection: Inspection,
    wheel: str,
    wheel_digest: str,
    tool: str,
    said: Mapping[str, str],
) -> dict[str, Any]:
    """Write the bill of materials.

    Parameters
    ----------
    evidence
        What the release rests on.
    pins, hashes
        Version and sha256 of the files of every distribution of the lock.
    inspection
        What was found installed, with its licences.
    wheel, wheel_digest
        File name and sha256 of the package.
    tool
        Name and version of the program.
    said
        The owner's statements.
    """
    known = {item.name: item for item in inspection.distributions}
    software = [
        _distribution(name, version, hashes.get(name, ()), known.get(name))
        for name, version in sorted(pins.items())
    ]
    data = [_data(item.name, item.digest) for item in evidence.outcome.data]
    data = list({item["bom-ref"]: item for item in data}.values())
    model = _model(evidence, wheel_digest, [item["bom-ref"] for item in data], said)
    package = _package(evidence, wheel, wheel_digest)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_SPACE, wheel_digest)}",
        "version": 1,
        "metadata": {
            "timestamp": evidence.released_at.isoformat(),
            "lifecycles": [{"phase": "post-build"}],
            "tools": {"components": [_program(tool)]},
            "component": package,
        },
        "components": [model, *data, *software],
        "dependencies": [
            {
                "ref": package["bom-ref"],
                "dependsOn": [model["bom-ref"], *_direct(evidence, pins)],
            },
            {"ref": model["bom-ref"], "dependsOn": [d["bom-ref"] for d in data]},
            *({"ref": item["bom-ref"]} for item in (*data, *software)),
        ],
        "compositions": _untold(software),
    }


def bill_failures(
    bill: Mapping[str, Any],
    *,
    pins: Mapping[str, str],
    hashes: Mapping[str, Sequence[str]],
    wheel_digest: str,
) -> list[str]:
    """Name where a bill of materials and what is in the bundle disagree.

    Parameters
    ----------
    bill
        The bill as it was read.
    pins, hashes
        Of the lock.
    wheel_digest
        sha256 of the wheel.
    """
    listed = {
        item.get("name"): (item.get("version"), _sha256(item))
        for item in bill.get("components", ())
        if item.get("type") == "library"
    }
    wanted = {name: (pins[name], sorted(hashes.get(name, ()))) for name in pins}
    failures = [
        f"{SBOM}: {name}: not what requirements.lock pins"
        for name in sorted(listed.keys() | wanted.keys())
        if listed.get(name) != wanted.get(name)
    ]
    package = bill.get("metadata", {}).get("component", {})
    if _sha256(package) != [wheel_digest]:
        failures.append(f"{SBOM}: about another wheel")
    return failures


def _program(tool: str) -> dict[str, Any]:
    name, _, version = tool.partition(" ")
    return {"type": "application", "name": name, "version": version or "0"}


def _direct(evidence: Evidence, pins: Mapping[str, str]) -> list[str]:
    names = {_name(pin) for pin in evidence.capture.requirements.values()}
    return [_purl(name, pins[name]) for name in sorted(names) if name in pins]


def _untold(software: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Say that what each distribution of the lock depends on itself is not told."""
    if not software:
        return []
    names = [item["bom-ref"] for item in software]
    return [{"aggregate": "incomplete", "dependencies": names}]


def _sha256(component: Mapping[str, Any]) -> list[str]:
    """List the sha256 of the files of a component, its own included."""
    own = [*component.get("hashes", ())]
    for reference in component.get("externalReferences", ()):
        own += reference.get("hashes", ())
    return sorted(item["content"] for item in own if item.get("alg") == "SHA-256")


def _package(evidence: Evidence, wheel: str, wheel_digest: str) -> dict[str, Any]:
    name = wheel.partition("-")[0].replace("_", "-")
    return {
        "type": "application",
        "bom-ref": _purl(name, evidence.version),
        "name": name,
        "version": evidence.version,
        "purl": _purl(name, evidence.version),
        "description": f"{evidence.capture.name} of {evidence.job.notebook}, as a wheel",
        "hashes": [{"alg": "SHA-256", "content": wheel_digest}],
        "properties": [
            {"name": "nbship:job", "value": evidence.job.id},
            {"name": "nbship:run", "value": evidence.outcome.run_id},
            {"name": "nbship:verdict", "value": evidence.verdict.id},
            {"name": "nbship:notebook:sha256", "value": evidence.job.snapshot_digest},
            {"name": "nbship:capture:sha256", "value": evidence.capture_digest},
        ],
    }


def _model(
    evidence: Evidence, wheel_digest: str, data: Sequence[str], said: Mapping[str, str]
) -> dict[str, Any]:
    capture = evidence.capture
    component: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": f"model/{evidence.name}@{evidence.version}",
        "name": evidence.name,
        "version": evidence.version,
        "description": f"{capture.name} ({capture.kind}) as it stood in the job's kernel",
        "hashes": [{"alg": "SHA-256", "content": evidence.capture_digest}],
        "modelCard": _card(evidence, data, said),
        "properties": [
            {"name": "nbship:wheel:sha256", "value": wheel_digest},
            *(
                {"name": f"nbship:state:{entry.name}:sha256", "value": entry.digest}
                for entry in capture.state
            ),
        ],
    }
    if said["licence"] != missing("licence"):
        component["licenses"] = [{"license": {"name": said["licence"]}}]
    if evidence.owner:
        component["manufacturer"] = {"name": evidence.owner}
    return component


def _card(
    evidence: Evidence, data: Sequence[str], said: Mapping[str, str]
) -> dict[str, Any]:
    signature = evidence.capture.signature
    parameters: dict[str, Any] = {
        "approach": {"type": "supervised"} if _task(evidence.capture) else None,
        "task": _task(evidence.capture),
        "datasets": [{"ref": ref} for ref in data],
        "inputs": [{"format": f"{c.name}: {c.dtype}"} for c in signature.inputs],
        "outputs": [{"format": f"{c.name}: {c.dtype}"} for c in signature.outputs],
    }
    metrics = [
        {"type": name, "value": repr(float(value))}
        for name, value in sorted(evidence.outcome.metrics.items())
    ]
    words = {key: text for key, text in said.items() if text and text != missing(key)}
    considerations: dict[str, Any] = {
        "useCases": [words["intended_use"]] if "intended_use" in words else [],
        "technicalLimitations": [
            *([words["uses_to_avoid"]] if "uses_to_avoid" in words else []),
            *evidence.capture.remarks,
        ],
        "ethicalConsiderations": [{"name": words["risks"]}] if "risks" in words else [],
    }
    return {
        "modelParameters": {key: v for key, v in parameters.items() if v},
        **(
            {"quantitativeAnalysis": {"performanceMetrics": metrics}} if metrics else {}
        ),
        "considerations": {key: v for key, v in considerations.items() if v},
    }


def _task(capture: RootCapture) -> str:
    """Tell the task where the fitted object's own type names it; "" where it does not."""
    types = " ".join(t for e in capture.state for t in e.trusted_types).lower()
    return next((task for word, task in _TASKS.items() if word in types), "")


def _data(name: str, digest: str) -> dict[str, Any]:
    return {
        "type": "data",
        "bom-ref": f"data/{digest}",
        "name": name,
        "hashes": [{"alg": "SHA-256", "content": digest}],
        "data": [{"type": "dataset", "name": name}],
    }


def _distribution(
    name: str, version: str, hashes: Sequence[str], known: Distribution | None
) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": _purl(name, version),
        "name": name,
        "version": version,
        "purl": _purl(name, version),
        # the lock allows one of several files, by platform: none of them is the component itself
        "externalReferences": [
            {
                "type": "distribution",
                "url": _purl(name, version),
                "comment": "files that requirements.lock allows",
                "hashes": [{"alg": "SHA-256", "content": h} for h in sorted(hashes)],
            }
        ],
    }
    if known is not None and known.licence:
        component["licenses"] = [
            {"expression": known.licence}
            if known.is_expression
            else {"license": {"name": known.licence}}
        ]
    return component


def _purl(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version.replace('+', '%2B')}"


def _name(pin: str) -> str:
    return re.sub(r"[-_.]+", "-", pin.partition("==")[0]).lower()
