"""Write a bundle: in a folder beside its place, sealed, then renamed."""

from __future__ import annotations

import dataclasses
import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbship.errors import ReleaseError
from nbship.records.codec import json_text
from nbship.records.digest import digest_file
from nbship.release.budgets import over_budget
from nbship.release.manifest import manifest_of
from nbship.release.model_signature import (
    MODEL_SIGNATURE,
    MODEL_SIGNER,
    signature_text,
    signed_bytes,
    signed_payload,
)
from nbship.release.openapi import OPENAPI, example_request
from nbship.release.schemas import PLACES
from nbship.release.sums import MANIFEST, NAMESPACE, SEAL, SIGNER, SUMS, sums_text
from nbship.release.wheelhouse import WHEELHOUSE
from nbship.resources import template_folder
from nbship.workflow.bundle_files import regular_files
from nbship.workflow.bundle_papers import Built, inspected, write_papers
from nbship.workflow.bundle_proof import lock_bundle, prove
from nbship.workflow.release_changes import changes_since
from nbship.workflow.training_baseline import read_training

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nbship.ports import Store
    from nbship.ports_shipping import ModelSealer, Sealer
    from nbship.records.release import Manifest
    from nbship.release.changes import Changes
    from nbship.release.facts import Evidence
    from nbship.workflow.export import Proven
    from nbship.workflow.release import Makers, Wish


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
    #: the page of ``mlops report``, as it is with the approvals that the release rests on
    report: str
    #: wheels of the job's environment that no index has
    carried: Path | None = None


def write_bundle(  # noqa: PLR0913  # what goes in, and what makes the rest
    place: Path,
    evidence: Evidence,
    *,
    store: Store,
    sources: Sources,
    makers: Makers,
    wish: Wish,
) -> tuple[Manifest, Changes | None]:
    """Write and seal a bundle; a whole one or none.

    Returns
    -------
    tuple
        Its manifest, and what changed since the release before, where there is one.

    Raises
    ------
    ReleaseError
        If the replay does not give the golden cases' answers, or another release of that
        version was made meanwhile.
    StoreError
        If the file system refuses.
    """
    with store.whole_folder(place) as folder:
        proven = prove(folder, evidence, sources, makers)
        lock, platforms = lock_bundle(
            folder, proven.wheel, evidence, sources=sources, makers=makers, wish=wish
        )
        _copy(folder, evidence, sources)
        built = _built(folder, proven, evidence, lock=lock, store=store, makers=makers)
        built = dataclasses.replace(
            built,
            platforms=platforms,
            training=read_training(sources.capture_folder),
            has_wheelhouse=(folder / WHEELHOUSE).is_dir(),
        )
        _keep_budget(proven.wheel, evidence, built, wish)
        _write_texts(folder, evidence, built, sources=sources, makers=makers, wish=wish)
        manifest = _manifest(folder, evidence, built, wish)
        _sign(folder, evidence.name, makers.model_sealer)
        _seal(folder, makers.sealer)
        if place.exists():
            raise ReleaseError(
                f"{evidence.name} {evidence.version} was released meanwhile",
                hint="Leave --version out for the next one.",
            )
        folder.chmod(0o755)  # IT reads it, whatever the umask here
    return manifest, built.changes


def _copy(folder: Path, evidence: Evidence, sources: Sources) -> None:
    capture = sources.capture_folder
    tests = template_folder("deploy") / "tests"
    copies = {
        **sources.files,
        **{f"tests/{p.name}": p for p in tests.iterdir() if p.is_file()},
        "provenance/capture.json": capture / "capture.json",
        "src/model.py": capture / evidence.capture.module,
        "tests/golden.jsonl": capture / evidence.capture.golden,
    }
    for name, path in copies.items():
        shutil.copyfile(path, _place(folder, name))
    source_map = json.dumps(dict(evidence.capture.source_map), indent=1, sort_keys=True)
    _place(folder, "src/sourcemap.json").write_text(source_map + "\n", "utf-8")


def _built(  # noqa: PLR0913  # two ports and what they are asked
    folder: Path,
    proven: Proven,
    evidence: Evidence,
    *,
    lock: Path,
    store: Store,
    makers: Makers,
) -> Built:
    wheel = proven.wheel
    digests = {
        name: digest_file(folder / name)
        for name in (wheel.relative_to(folder).as_posix(), lock.name, "src/model.py")
    }
    key = (digest_file(wheel), digests[lock.name])
    changes, not_compared = _changes(
        folder, wheel, lock, evidence=evidence, store=store, makers=makers
    )
    return Built(
        wheel=wheel.name,
        wheel_digest=key[0],
        subjects=digests,
        lock=lock.read_text("utf-8"),
        lock_name=lock.name,
        golden=(folder / "tests" / "golden.jsonl").read_text("utf-8"),
        parity=proven.parity,
        serving=proven.serving,
        inspection=inspected(
            store,
            wheel,
            lock,
            evidence=evidence,
            replayer=makers.replayer,
            key=key,
        ),
        has_model_signature=makers.model_sealer is not None,
        changes=changes,
        not_compared=not_compared,
    )


def _changes(  # noqa: PLR0913  # this release, and what asks it
    folder: Path,
    wheel: Path,
    lock: Path,
    *,
    evidence: Evidence,
    store: Store,
    makers: Makers,
) -> tuple[Changes | None, str]:
    if evidence.before is None:
        return None, ""
    return changes_since(
        store.releases / evidence.name / evidence.before.version,
        evidence,
        wheel=wheel,
        lock=lock,
        golden=folder / "tests" / "golden.jsonl",
        reader=makers.builder,
        replayer=makers.replayer,
    )


def _keep_budget(wheel: Path, evidence: Evidence, built: Built, wish: Wish) -> None:
    """Refuse a package that is too large or too slow.

    Raises
    ------
    ReleaseError
        If it exceeds a limit; all are named together, with what has the largest part.
    """
    found = over_budget(
        wish.budget,
        wheel_bytes=wheel.stat().st_size,
        capture=evidence.capture,
        inspection=built.inspection,
    )
    if found:
        raise ReleaseError(
            f"{evidence.capture.name} is over its budget:\n" + "\n".join(found),
            hint="Leave out what the root does not need, or raise the limit.",
        )


def _write_texts(  # noqa: PLR0913  # what is written, and from what
    folder: Path,
    evidence: Evidence,
    built: Built,
    *,
    sources: Sources,
    makers: Makers,
    wish: Wish,
) -> None:
    texts = {name: json_text(record) for name, record in sources.records.items()}
    texts["reports/notebook.html"] = sources.report
    texts[SIGNER] = makers.sealer.public_key() + "\n"
    if makers.model_sealer is not None:
        texts[MODEL_SIGNER] = makers.model_sealer.public_key()
    contents = makers.builder.read(folder / "dist" / built.wheel)
    texts |= {
        place: contents[f"{evidence.package}/{name}"].decode()
        for name, place in PLACES.items()
    }
    names = [*regular_files(folder), *texts]
    texts |= write_papers(
        evidence,
        built,
        wish=wish,
        pages=makers.pages,
        names=names,
        request=example_request(texts[PLACES[OPENAPI]]),
    )
    for name, text in texts.items():
        _place(folder, name).write_text(text, "utf-8")


def _manifest(folder: Path, evidence: Evidence, built: Built, wish: Wish) -> Manifest:
    manifest = manifest_of(
        evidence,
        parity=built.parity,
        serving=built.serving,
        wheel=f"dist/{built.wheel}",
        files={
            name: {"sha256": digest_file(path), "size_bytes": path.stat().st_size}
            for name, path in regular_files(folder).items()
        },
        tool=wish.tool,
        platforms=built.platforms,
    )
    (folder / MANIFEST).write_text(json_text(manifest), "utf-8")
    return manifest


def _sign(folder: Path, name: str, sealer: ModelSealer | None) -> None:
    if sealer is None:
        return
    files = regular_files(folder)
    digests = {path: digest_file(file) for path, file in files.items()}
    payload = signed_payload(name, digests)
    signature = sealer.sign(signed_bytes(payload))
    text = signature_text(payload, signature, public_key=sealer.public_key())
    (folder / MODEL_SIGNATURE).write_text(text, "utf-8")


def _seal(folder: Path, sealer: Sealer) -> None:
    files = regular_files(folder)
    sums = sums_text({name: digest_file(path) for name, path in files.items()})
    (folder / SUMS).write_text(sums, "utf-8")
    (folder / SEAL).write_text(sealer.seal(sums.encode(), namespace=NAMESPACE), "utf-8")


def _place(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
