"""Where a package comes from, as an in-toto statement with SLSA's predicate for provenance.

The build that it tells of is the job: from the notebook's bytes, its values, its environment and
its data to the captured state that the wheel holds. What a continuous integration adds later
(images, deployments) are statements of their own over the same digests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.records.release import Manifest
    from nbship.release.facts import Evidence

STATEMENT = "provenance/statement.intoto.json"
_TYPE = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://slsa.dev/provenance/v1"
_BUILD_TYPE = "urn:nbship:build:notebook-job:1"


def provenance_statement(
    evidence: Evidence, *, subjects: Mapping[str, str], tool: str
) -> dict[str, Any]:
    """Write the statement.

    Parameters
    ----------
    evidence
        What the release rests on.
    subjects
        Path in the bundle -> sha256 of what was built.
    tool
        Name and version of the program.
    """
    job = evidence.job
    return {
        "_type": _TYPE,
        "subject": [
            {"name": path, "digest": {"sha256": digest}}
            for path, digest in sorted(subjects.items())
        ],
        "predicateType": _PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": _BUILD_TYPE,
                "externalParameters": {
                    "notebook": job.notebook,
                    "root": evidence.capture.name,
                    "values": dict(job.values),
                },
                "internalParameters": {
                    "kernel": job.kernel_name,
                    "python": evidence.capture.python_version,
                    "plan": job.plan_digest,
                },
                "resolvedDependencies": _materials(evidence),
            },
            "runDetails": _run_details(evidence, tool),
        },
    }


def statement_failures(
    statement: Mapping[str, Any], manifest: Manifest, *, digests: Mapping[str, str]
) -> list[str]:
    """Name where a statement and the bundle it lies in disagree.

    Parameters
    ----------
    statement
        The statement as it was read.
    manifest
        The bundle's manifest.
    digests
        Path -> sha256 of the files that are there.
    """
    predicate = statement.get("predicate", {})
    build, run = predicate.get("buildDefinition", {}), predicate.get("runDetails", {})
    failures = []
    if (statement.get("_type"), statement.get("predicateType")) != (_TYPE, _PREDICATE):
        failures.append("no in-toto statement of provenance")
    built = {s["name"]: s["digest"].get("sha256") for s in statement.get("subject", ())}
    if manifest.wheel not in built:
        failures.append(f"does not tell of {manifest.wheel}")
    failures += [
        f"{path} is another file than the one that was built"
        for path, digest in sorted(built.items())
        if digests.get(path, digest) != digest
    ]
    materials = {m.get("name"): m for m in build.get("resolvedDependencies", ())}
    notebook = _digest_of(materials.get("notebook/input.ipynb", {}))
    if notebook != digests.get("notebook/input.ipynb", notebook):
        failures.append("made from another notebook")
    commit = materials.get("repository", {}).get("digest", {}).get("gitCommit", "")
    told = {
        "job": (run.get("metadata", {}).get("invocationId", "").partition("/")[0],
                manifest.job_id),
        "run": (_named(run, "run").get("uri"), f"urn:nbship:{manifest.run_id}"),
        "commit": (commit, str(manifest.git.get("commit") or "")),
        "captured state": (_digest_of(_named(run, "captured state")),
                           manifest.capture_digest),
        "verdict": (_digest_of(_named(run, "verdict")), manifest.verdict_digest),
    }  # fmt: skip
    failures += [
        f"tells of another {what}: {found}"
        for what, (found, wanted) in told.items()
        if found != wanted
    ]
    return [f"{STATEMENT}: {text}" for text in failures]


def _run_details(evidence: Evidence, tool: str) -> dict[str, Any]:
    outcome, verdict = evidence.outcome, evidence.verdict
    name, _, version = tool.partition(" ")
    digests = {
        "notebook/executed.ipynb": outcome.output_digest,
        "captured state": evidence.capture_digest,
    }
    return {
        "builder": {"id": f"urn:nbship:{name}", "version": {name: version}},
        "metadata": {
            "invocationId": f"{outcome.job_id}/attempts/{outcome.attempt}",
            "startedOn": outcome.started_at.isoformat(),
            "finishedOn": outcome.ended_at.isoformat(),
        },
        "byproducts": [
            _resource("run", outcome.run_id),
            *(_resource(item, "", sha256=digest) for item, digest in digests.items()),
            _resource("verdict", verdict.id, sha256=evidence.verdict_digest),
        ],
    }


def _materials(evidence: Evidence) -> list[dict[str, Any]]:
    job, git = evidence.job, evidence.git
    materials = [
        _resource("notebook/input.ipynb", "", sha256=job.snapshot_digest),
        _resource("environment lock", "", sha256=job.lock_digest),
        *(_resource(f"module {m.path}", "", sha256=m.digest) for m in job.modules),
        *(
            _resource(f"data {item.path}", "", sha256=item.digest)
            for item in evidence.outcome.data
        ),
    ]
    if git.get("commit"):
        source = {"name": "repository", "digest": {"gitCommit": git["commit"]}}
        if git.get("remote_url"):
            source["uri"] = f"git+{git['remote_url']}"
        if git.get("is_dirty"):
            source["annotations"] = {"uncommitted_changes": True}
        materials.append(source)
    return materials


def _resource(name: str, identity: str, *, sha256: str = "") -> dict[str, Any]:
    resource: dict[str, Any] = {"name": name}
    if identity:
        resource["uri"] = f"urn:nbship:{identity}"
    if sha256:
        resource["digest"] = {"sha256": sha256}
    return resource


def _named(run: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = (item for item in run.get("byproducts", ()) if item.get("name") == name)
    return next(found, {})


def _digest_of(resource: Mapping[str, Any]) -> str | None:
    found: str | None = resource.get("digest", {}).get("sha256")
    return found
