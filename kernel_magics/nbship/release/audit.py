"""What differs between a bundle and what it says of itself; every difference is named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nbship.errors import RecordFormatError
from nbship.records.baseline import TRAINING
from nbship.records.codec import from_json, to_json
from nbship.records.digest import digest_bytes, digest_json
from nbship.records.explanation import EXPLANATION
from nbship.records.release import RootCapture
from nbship.release.model_signature import MODEL_SIGNATURE
from nbship.release.sums import MANIFEST, SEAL, SUMS
from nbship.release.wheel_text import record_failures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.records.job import Job, Outcome
    from nbship.records.release import Manifest
    from nbship.records.vetting import Verdict

_DIFFERING_CASES_SHOWN = 10


def file_failures(listed: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Name files that are missing, not listed, or changed.

    Parameters
    ----------
    listed
        path -> sha256 as SHA256SUMS has them.
    found
        path -> sha256 of the files that are there, SHA256SUMS and its seal left out.
    """
    failures = [f"{path}: missing" for path in sorted(listed.keys() - found.keys())]
    failures += [
        f"{path}: not listed in {SUMS}" for path in sorted(found.keys() - listed.keys())
    ]
    failures += [
        f"{path}: changed: sha256 {found[path]} where {SUMS} has {listed[path]}"
        for path in sorted(found.keys() & listed.keys())
        if found[path] != listed[path]
    ]
    return failures


def manifest_failures(manifest: Manifest, listed: Mapping[str, str]) -> list[str]:
    """Name where the manifest's list and SHA256SUMS disagree."""
    known = {path: str(item.get("sha256")) for path, item in manifest.files.items()}
    others = {
        path: digest
        for path, digest in listed.items()
        if path not in {MANIFEST, MODEL_SIGNATURE, SUMS, SEAL}
    }
    return [
        f"{path}: {MANIFEST} and {SUMS} disagree"
        for path in sorted(known.keys() | others.keys())
        if known.get(path) != others.get(path)
    ]


def wheel_failures(
    files: Mapping[str, bytes],
    *,
    manifest: Manifest,
    beside: Mapping[str, bytes],
    version: str,
) -> list[str]:
    """Name what is wrong inside the wheel.

    Parameters
    ----------
    files
        The wheel's files by name.
    manifest
        What the bundle says of it.
    beside
        Files of the bundle that repeat files of the package, by their name in the package.
    version
        The bundle's version.
    """
    name = manifest.wheel.rpartition("/")[2]
    prefix = f"{manifest.package}/"
    package = {
        path.removeprefix(prefix): content
        for path, content in files.items()
        if path.startswith(prefix)
    }
    failures = record_failures(files)
    try:
        capture = from_json(
            RootCapture, json.loads(package["capture.json"]), where="capture.json"
        )
        origin = json.loads(package["origin.json"])
    except (KeyError, ValueError, RecordFormatError) as error:
        return [f"{name}: {text}" for text in (*failures, f"not a package: {error}")]
    failures += _capture_failures(package, capture, manifest)
    if origin.get("version") != version or manifest.version != version:
        failures.append(f"version {origin.get('version')} where {version} was expected")
    if manifest.serving and origin.get("serving") != dict(manifest.serving):
        failures.append("origin.json: another way to answer than manifest.json says")
    for path, content in beside.items():
        if package.get(path) != content:
            failures.append(_differing(path, package.get(path, b""), content))
    return [f"{name}: {text}" for text in failures]


def provenance_failures(
    manifest: Manifest, *, job: Job, outcome: Outcome, verdict: Verdict
) -> list[str]:
    """Name where manifest, job, outcome and verdict do not fit together."""
    roots = {root.digest for root in outcome.roots}
    pairs = {
        "manifest.json and job.json: job": (manifest.job_id, job.id),
        "outcome.json and job.json: job": (outcome.job_id, job.id),
        "verdict.json and job.json: job": (verdict.job_id, job.id),
        "manifest.json and verdict.json: verdict": (manifest.verdict_id, verdict.id),
        "manifest.json and verdict.json: digest": (
            manifest.verdict_digest,
            digest_json(to_json(verdict)),
        ),
        "manifest.json and verdict.json: subject": (
            dict(manifest.subject),
            dict(verdict.subject),
        ),
    }
    failures = [
        f"{where} differ: {left} and {right}"
        for where, (left, right) in pairs.items()
        if left != right
    ]
    if not verdict.passed:
        failures.append(f"reports/verdict.json: {verdict.id} did not pass")
    if manifest.capture_digest not in roots:
        failures.append(
            "provenance/outcome.json: the root that ships is not one the job captured"
        )
    return failures


def _capture_failures(
    package: Mapping[str, bytes], capture: RootCapture, manifest: Manifest
) -> list[str]:
    names = {capture.module: "model.py", capture.golden: "golden.jsonl"}
    wanted = {
        capture.module: capture.module_digest,
        capture.golden: capture.golden_digest,
        **{f"state/{entry.file}": entry.digest for entry in capture.state},
        **{f"golden/{entry.file}": entry.digest for entry in capture.golden_files},
        **{module.file: module.digest for module in capture.local_modules},
    }
    told = package.keys() & {EXPLANATION, TRAINING}  # not every capture has them
    if capture.graph:
        wanted[capture.graph.file] = capture.graph.digest
    own = ["capture.json", *wanted, *told]
    digests = {
        name: digest_bytes(package.get(names.get(name, name), b"")) for name in own
    }
    failures = [
        f"{names.get(name, name)}: not what capture.json says"
        for name, digest in wanted.items()
        if digests[name] != digest
    ]
    if digest_json(digests) != manifest.capture_digest:
        failures.append("its model and state are not those that the job captured")
    return failures


def _differing(path: str, inside: bytes, beside: bytes) -> str:
    text = f"{path}: not the one beside it in the bundle"
    if path != "golden.jsonl":
        return text
    pairs = zip(inside.splitlines(), beside.splitlines(), strict=False)
    cases = [
        _case(right, i) for i, (left, right) in enumerate(pairs, 1) if left != right
    ]
    shown = ", ".join(cases[:_DIFFERING_CASES_SHOWN])
    return f"{text}: case {shown}" if cases else text


def _case(line: bytes, number: int) -> str:
    try:
        found: Any = json.loads(line)
        return str(found["case"])
    except (KeyError, TypeError, ValueError):
        return f"on line {number}"
