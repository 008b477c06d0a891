"""Write a bundle: in a folder beside its place, sealed, then renamed."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbship.errors import ReleaseError
from nbship.records.codec import json_text
from nbship.records.digest import digest_file
from nbship.release.facts import page_facts
from nbship.release.manifest import manifest_of
from nbship.release.schemas import PLACES, schema_files
from nbship.release.sums import MANIFEST, NAMESPACE, SEAL, SIGNER, SUMS, sums_text
from nbship.workflow.bundle_files import regular_files
from nbship.workflow.export import build_and_replay

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nbship.ports import Store
    from nbship.ports_shipping import Sealer
    from nbship.records.release import Manifest
    from nbship.release.facts import Evidence
    from nbship.workflow.release import Makers

PAGES = ("HANDOFF.md", "MODEL_CARD.md")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sources:
    """What goes into a bundle as it is."""

    capture_folder: Path
    #: path in the bundle -> file
    files: Mapping[str, Path]
    #: path in the bundle -> record, written as it was read and checked
    records: Mapping[str, object]
    #: version of every distribution in the job's environment
    installed: Mapping[str, str]


def write_bundle(  # noqa: PLR0913  # what goes in, and what makes the rest
    place: Path,
    evidence: Evidence,
    *,
    store: Store,
    sources: Sources,
    makers: Makers,
    tool: str,
) -> Manifest:
    """Write and seal a bundle; a whole one or none.

    Raises
    ------
    ReleaseError
        If the replay does not give the golden cases' answers, or another release of that
        version was made meanwhile.
    StoreError
        If the file system refuses.
    """
    with store.whole_folder(place) as folder:
        manifest = _fill(folder, evidence, sources, makers, tool)
        _seal(folder, makers.sealer)
        if place.exists():
            raise ReleaseError(
                f"{evidence.name} {evidence.version} was released meanwhile",
                hint="Leave --version out for the next one.",
            )
        folder.chmod(0o755)  # IT reads it, whatever the umask here
    return manifest


def _fill(
    folder: Path, evidence: Evidence, sources: Sources, makers: Makers, tool: str
) -> Manifest:
    wheel, parity = build_and_replay(
        evidence.capture,
        sources.capture_folder,
        into=folder,
        origin=evidence.origin(),
        builder=makers.builder,
        replayer=makers.replayer,
        installed=sources.installed,
    )
    if not parity.passed:
        raise ReleaseError(
            f"{evidence.capture.name}: the package does not answer as the notebook did:\n"
            + "\n".join(parity.differences[:10]),
            hint="Make its answers depend on its inputs and captured values only.",
        )
    _copy(folder, evidence, sources)
    facts = page_facts(
        evidence, parity=parity, wheel=wheel.name, wheel_digest=digest_file(wheel)
    )
    texts = {page: makers.pages.write(page, facts) for page in PAGES}
    texts |= {name: json_text(record) for name, record in sources.records.items()}
    texts["reports/parity.json"] = json_text(parity)
    schemas = schema_files(evidence.capture, evidence.origin())
    texts |= {PLACES[name]: text for name, text in schemas.items()}
    texts[SIGNER] = makers.sealer.public_key() + "\n"
    for name, text in texts.items():
        _place(folder, name).write_text(text, "utf-8")
    manifest = manifest_of(
        evidence,
        parity=parity,
        wheel=wheel.relative_to(folder).as_posix(),
        files={
            name: {"sha256": digest_file(path), "size_bytes": path.stat().st_size}
            for name, path in regular_files(folder).items()
        },
        tool=tool,
    )
    (folder / MANIFEST).write_text(json_text(manifest), "utf-8")
    return manifest


def _copy(folder: Path, evidence: Evidence, sources: Sources) -> None:
    capture = sources.capture_folder
    copies = {
        **sources.files,
        "provenance/capture.json": capture / "capture.json",
        "src/model.py": capture / evidence.capture.module,
        "tests/golden.jsonl": capture / evidence.capture.golden,
    }
    for name, path in copies.items():
        shutil.copyfile(path, _place(folder, name))
    source_map = json.dumps(dict(evidence.capture.source_map), indent=1, sort_keys=True)
    _place(folder, "src/sourcemap.json").write_text(source_map + "\n", "utf-8")


def _seal(folder: Path, sealer: Sealer) -> None:
    files = regular_files(folder)
    sums = sums_text({name: digest_file(path) for name, path in files.items()})
    (folder / SUMS).write_text(sums, "utf-8")
    (folder / SEAL).write_text(sealer.seal(sums.encode(), namespace=NAMESPACE), "utf-8")


def _place(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
