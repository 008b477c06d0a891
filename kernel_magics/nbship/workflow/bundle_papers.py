"""The papers of a bundle: pages, reports, bill of materials, provenance, baseline."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbship.monitor.baselines import baseline_of, from_training
from nbship.records.codec import json_text
from nbship.records.digest import digest_json
from nbship.records.inspection import Inspection
from nbship.release.advisories import vulnerability_report, vulnerability_text
from nbship.release.annex import annex_points
from nbship.release.changelog import CHANGELOG, changelog_text, version_remark
from nbship.release.facts import page_facts
from nbship.release.golden_columns import golden_columns
from nbship.release.licences import licence_report, licence_text
from nbship.release.lock_text import lock_hashes, read_lock
from nbship.release.operating import Operated, operating_facts
from nbship.release.provenance import STATEMENT, provenance_statement
from nbship.release.sbom import SBOM, bill_of_materials
from nbship.release.sums import MANIFEST, SEAL, SUMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from nbship.ports import Store
    from nbship.ports_shipping import PageWriter, Replayer
    from nbship.records.baseline import Baseline
    from nbship.records.release import ParityReport, PlatformLock
    from nbship.release.changes import Changes
    from nbship.release.facts import Evidence
    from nbship.workflow.release import Wish

#: a longer request is not shown
MAX_REQUEST = 600
#: pages, by their place in the bundle; their templates lie in ``templates/deploy``
PAGES = (
    "ANNEX_IV.md",
    "HANDOFF.md",
    "MODEL_CARD.md",
    "deploy/Dockerfile",
    "deploy/kubernetes/autoscaler.yaml",
    "deploy/kubernetes/deployment.yaml",
    "deploy/kubernetes/disruptions.yaml",
    "deploy/kubernetes/network.yaml",
    "deploy/kubernetes/service.yaml",
    "ops/ROLLBACK.md",
    "ops/RUNBOOK.md",
    "ops/alerts.yaml",
)
BASELINE = "baseline/drift.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """What was built and proven before the papers are written."""

    #: file name of the wheel
    wheel: str
    wheel_digest: str
    #: path in the bundle -> sha256 of what was built
    subjects: Mapping[str, str]
    #: text and name of the lock of everything: the one for serving, where there is one
    lock: str
    lock_name: str
    #: text of the golden cases
    golden: str
    parity: ParityReport
    inspection: Inspection
    #: what answers in the package, and why
    serving: Mapping[str, Any]
    has_model_signature: bool
    #: where it was replayed, and where only wheels were found
    platforms: tuple[PlatformLock, ...] = ()
    #: since the release before; None where there is none, or it cannot be read
    changes: Changes | None = None
    #: why it cannot be read
    not_compared: str = ""
    has_wheelhouse: bool = False
    #: profiles of the training data, made in the job's kernel; None where none was found
    training: Baseline | None = None


def write_papers(  # noqa: PLR0913  # what pages are made of
    evidence: Evidence,
    built: Built,
    *,
    wish: Wish,
    pages: PageWriter,
    names: Iterable[str],
    request: str = "",
) -> dict[str, str]:
    """Write every paper; equal inputs give equal texts.

    Parameters
    ----------
    evidence
        What the release rests on.
    built
        What was built.
    wish
        What the owner said, and wants.
    pages
        Fills templates.
    names
        Paths of the files that the bundle holds besides.
    request
        The body of a request to show; "" for none.

    Returns
    -------
    dict
        Path in the bundle -> text.
    """
    baseline = _baseline(evidence, built)
    licences = licence_report(
        read_lock(built.lock), built.inspection, model=wish.said["licence"]
    )
    vulnerabilities = vulnerability_report(read_lock(built.lock), wish.advisories)
    texts = {
        **_machine_papers(evidence, built, wish),
        BASELINE: json_text(baseline),
        "reports/licences.json": _json(licences),
        "reports/vulnerabilities.json": _json(vulnerabilities),
    }
    operated = Operated(
        said=wish.said,
        inspection=built.inspection,
        baseline=baseline,
        base_image=wish.base_image,
        licence_text=licence_text(licences),
        vulnerability_text=vulnerability_text(vulnerabilities),
        has_wheelhouse=built.has_wheelhouse,
        has_model_signature=built.has_model_signature,
        has_advisories=wish.advisories is not None,
        lock_name=built.lock_name,
        platforms=built.platforms,
    )
    there = frozenset((*names, *texts, *PAGES, MANIFEST, SUMS, SEAL))
    facts = {
        **page_facts(
            evidence,
            parity=built.parity,
            wheel=built.wheel,
            wheel_digest=built.wheel_digest,
        ),
        **operating_facts(evidence, operated),
        "version_remark": version_remark(built.changes, evidence.version),
        "request": request if len(request) <= MAX_REQUEST else "",
        "points": annex_points(wish.said, names=there),
    }
    return texts | {
        page: pages.write(page.removeprefix("deploy/"), facts) for page in PAGES
    }


def _machine_papers(evidence: Evidence, built: Built, wish: Wish) -> dict[str, str]:
    """Write what programs read: bill of materials, provenance, proofs, and the changelog."""
    pins = read_lock(built.lock)
    bill = bill_of_materials(
        evidence,
        pins=pins,
        hashes=lock_hashes(built.lock),
        inspection=built.inspection,
        wheel=built.wheel,
        wheel_digest=built.wheel_digest,
        tool=wish.tool,
        said=wish.said,
    )
    statement = provenance_statement(evidence, subjects=built.subjects, tool=wish.tool)
    return {
        CHANGELOG: changelog_text(
            evidence.version,
            evidence.released_at.date(),
            built.changes,
            before=evidence.before,
            not_compared=built.not_compared,
        ),
        SBOM: _json(bill),
        STATEMENT: _json(statement),
        "reports/parity.json": json_text(built.parity),
        "reports/performance.json": json_text(built.inspection),
    }


def inspected(  # noqa: PLR0913  # a wheel, its lock, and who looks at them
    store: Store,
    wheel: Path,
    lock: Path,
    *,
    evidence: Evidence,
    replayer: Replayer,
    key: tuple[str, str],
) -> Inspection:
    """Look at a package once, and remember what was seen.

    Times differ with each measurement; kept by the digests of wheel and lock, they are an input
    of the release like any other, and the same release has the same bytes.

    Parameters
    ----------
    store
        Keeps ``inspections/<digest>.json``.
    wheel, lock
        What is installed.
    evidence
        Package and Python version.
    replayer
        Installs and looks.
    key
        Digests of wheel and lock.
    """
    path = store.folder / "inspections" / f"{digest_json(key)}.json"
    if path.is_file():
        return store.load(Inspection, path)
    found = replayer.inspect(
        wheel,
        lock,
        package=evidence.package,
        python_version=evidence.capture.python_version,
    )
    store.save(found, path)
    return found


def _baseline(evidence: Evidence, built: Built) -> Baseline:
    cases = [json.loads(line) for line in built.golden.splitlines() if line.strip()]
    inputs, outputs = golden_columns(cases, evidence.capture.signature)
    golden = baseline_of(
        evidence.capture.signature,
        inputs=inputs,
        outputs=outputs,
        source="golden cases",
    )
    return from_training(built.training, golden) if built.training else golden


def _json(value: Any) -> str:  # noqa: ANN401  # any JSON value
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
