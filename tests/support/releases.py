"""A vetted, approved job with a captured root, and the bundle that is released from it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
from typing import TYPE_CHECKING, Any

import nbformat
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from nbship.adapters.bundles.model_seal import EcModelSealer
from nbship.adapters.bundles.pages import JinjaPages
from nbship.adapters.bundles.ssh_keys import create_key
from nbship.adapters.bundles.ssh_seal import SshSealer
from nbship.adapters.bundles.wheel import WheelBuilder, read_wheel, zip_bytes
from nbship.adapters.notebooks.renderer import render_report
from nbship.adapters.store.files import FileStore
from nbship.records.codec import to_json
from nbship.records.digest import digest_file, digest_json, digest_tree
from nbship.records.inspection import Distribution, Inspection
from nbship.records.job import CapturedRoot
from nbship.records.policy import Policy
from nbship.records.release import ParityReport
from nbship.records.release_diff import Answered
from nbship.records.vetting import Decision
from nbship.release.model_signature import (
    MODEL_SIGNATURE,
    MODEL_SIGNER,
    signature_text,
    signed_bytes,
    signed_payload,
)
from nbship.release.sums import MANIFEST, NAMESPACE, SEAL, SIGNER, SUMS, sums_text
from nbship.release.wheel_text import record_text
from nbship.workflow.bundle_files import regular_files
from nbship.workflow.release import Makers, Wish, release_job
from nbship.workflow.review import decide
from nbship.workflow.verify import Trust, verify
from support.captures import write_capture
from support.review_case import AT, JOB_ID, ReviewCase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nbship.records.release import Release, Verification

#: what would be installed, were there a lock
DISTRIBUTIONS = (
    Distribution(
        name="packaging",
        version="26.3",
        licence="Apache-2.0 OR BSD-2-Clause",
        size_bytes=200_000,
        is_expression=True,
    ),
    Distribution(name="six", version="1.17.0", licence="MIT License", size_bytes=900),
)
APPROVAL_ID = "approval-20261123-093000-2b2b"


def write_model_key(path: Path) -> Path:
    """Write a private key as `openssl ecparam -genkey` does."""
    path.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    return path


class FakePackage:
    """Answers each call as it was recorded."""

    def ask(self, case: dict[str, Any]) -> Answered:
        return Answered(answer=case["output"])

    def laps_ms(self, cases: list[dict[str, Any]], *, calls: int) -> list[float]:
        return [0.01 * len(cases)] * calls


SERVING = {
    "form": "arguments",
    "answers": "the author's code",
    "why": "each call has arguments of its own",
    "row_by_row": False,
    "why_row_by_row": "each call has arguments of its own",
}


class FakeReplayer:
    """Answers as a replay in which every golden case is equal."""

    @contextlib.contextmanager
    def installed(
        self,
        wheel: Path,  # noqa: ARG002  # the port's
        lock: Path,  # noqa: ARG002
        *,
        package: str,  # noqa: ARG002
        python_version: str,  # noqa: ARG002
    ) -> Iterator[FakePackage]:
        yield FakePackage()

    def inspect(
        self,
        wheel: Path,  # noqa: ARG002  # the port's
        lock: Path,  # noqa: ARG002
        *,
        package: str,  # noqa: ARG002
        python_version: str,
    ) -> Inspection:
        return Inspection(
            python_version=python_version,
            machine="x86_64",
            cpus=2,
            distributions=DISTRIBUTIONS,
            installed_bytes=40_000,
            load_ms=12.5,
            calls=200,
            latency_p50_ms=0.011,
            latency_p99_ms=0.034,
            latency_max_ms=0.08,
            memory_peak_mib=41.2,
        )

    def serving(
        self,
        wheel: Path,  # noqa: ARG002  # the port's
        lock: Path,  # noqa: ARG002
        *,
        package: str,  # noqa: ARG002
        python_version: str,  # noqa: ARG002
    ) -> dict[str, Any]:
        return SERVING

    def replay(
        self,
        wheel: Path,  # noqa: ARG002  # the port's
        lock: Path,  # noqa: ARG002
        *,
        package: str,  # noqa: ARG002
        python_version: str,
    ) -> ParityReport:
        return ParityReport(
            passed=True,
            cases=24,
            rows=24,
            is_proven=True,
            python_version=python_version,
            isolation="namespace",
        )


class ReleaseCase(ReviewCase):
    """A review case whose job has captured the root ``fare``."""

    def __init__(self, project: Path, **capture: Any) -> None:
        super().__init__(project)
        folder = self.store.job_folder(JOB_ID)
        nbformat.write(self.notebook, folder / "input.ipynb")
        self.job = dataclasses.replace(
            self.job,
            snapshot_digest=digest_file(folder / "input.ipynb"),
            lock_digest=digest_json(to_json(self.lock)),
            roots=("fare",),
        )
        self.store.save(self.job, folder / "job.json")
        self.capture = write_capture(
            self.store.attempt_folder(JOB_ID, 1) / "roots" / "fare", **capture
        )
        create_key(project / "key")
        self.sealer = SshSealer(project / "key")
        self.model_sealer: EcModelSealer | None = None

    @classmethod
    def reopen(cls, project: Path) -> ReleaseCase:
        """Return the case of a project that another case made, wherever it lies now."""
        case = cls.__new__(cls)
        case.project, case.store = project, FileStore(project / ".mlops")
        case.sealer = SshSealer(project / "key")
        key = project / "model.pem"
        case.model_sealer = EcModelSealer(key) if key.exists() else None
        return case

    def sign_models(self) -> None:
        """Let releases be signed for model-signing too."""
        self.model_sealer = EcModelSealer(write_model_key(self.project / "model.pem"))

    def captured(self) -> CapturedRoot:
        return CapturedRoot(name="fare", digest=digest_tree(self.capture))

    def approve(self, **changes: Any) -> ReleaseCase:
        """Finish, vet and approve, so that only ``release`` is left."""
        self.finish(**{"roots": (self.captured(),), **changes})
        self.decide(self.vet())
        return self

    def decide(self, verdict: Any, decision: Decision = Decision.APPROVED) -> Any:
        return decide(
            self.store,
            verdict,
            decision=decision,
            reason="prices agree with the invoices",
            reviewer="Ann",
            reviewers=(),
            sealer=self.sealer,
            approval_id=APPROVAL_ID,
            at=AT,
        )

    def release(
        self,
        *,
        version: str = "",
        replayer: Any = None,
        root: str = "",
        builder: Any = None,
        wish: dict[str, Any] | None = None,
        **policy: Any,
    ) -> Release:
        return release_job(
            self.store,
            JOB_ID,
            root=root,
            wish=Wish(
                package="fares",
                name="fares",
                version=version,
                owner="Ann",
                at=AT,
                tool="nbship 0",
                **(wish or {}),
            ),
            policy=Policy(**policy),
            reviewers=(),
            makers=Makers(
                builder=builder or WheelBuilder(),
                replayer=replayer or FakeReplayer(),
                sealer=self.sealer,
                pages=JinjaPages(),
                render_report=render_report,
                model_sealer=self.model_sealer,
            ),
        )


def ask(bundle: Path, *, replayer: Any = None, **trust: Any) -> Verification:
    """Verify a bundle; without a real replay unless one is given."""
    return verify(
        bundle,
        trust=Trust(**trust),
        reader=WheelBuilder(),
        replayer=replayer or FakeReplayer(),
        sealer=SshSealer(None),
        model_sealer=EcModelSealer(None),
    )


class Forger:
    """Somebody who changes a bundle and recomputes everything that can be recomputed."""

    def __init__(self, bundle: Path, into: Path) -> None:
        self.bundle = shutil.copytree(bundle, into / "forged")
        manifest = json.loads((bundle / MANIFEST).read_bytes())
        self.package = manifest["package"]
        create_key(into / "forger")
        self.sealer = SshSealer(into / "forger")
        self.model_sealer = EcModelSealer(write_model_key(into / "forger.pem"))

    @property
    def wheel(self) -> Path:
        (path,) = (self.bundle / "dist").glob("*.whl")
        return path

    def rewrite_wheel(self, name: str, change: Callable[[bytes], bytes]) -> None:
        """Change one file of the package, and RECORD with it."""
        files = read_wheel(self.wheel)
        path = f"{self.package}/{name}"
        changed = change(files[path])
        assert changed != files[path]
        files[path] = changed
        record = next(p for p in files if p.endswith("RECORD"))
        files[record] = record_text(files, record).encode()
        self.wheel.write_bytes(zip_bytes(files))

    def rewrite(self, name: str, change: Callable[[bytes], bytes]) -> None:
        """Change one file of the bundle."""
        path = self.bundle / name
        changed = change(path.read_bytes())
        assert changed != path.read_bytes()
        path.write_bytes(changed)

    def rewrite_capture(self, **digests: str) -> None:
        """Let the captured record in wheel and bundle name other digests."""

        def change(data: bytes) -> bytes:
            return (json.dumps({**json.loads(data), **digests}) + "\n").encode()

        self.rewrite_wheel("capture.json", change)
        self.rewrite("provenance/capture.json", change)

    def _sign(self, name: str) -> None:
        if not (self.bundle / MODEL_SIGNATURE).exists():
            return
        files = regular_files(self.bundle)
        payload = signed_payload(name, {n: digest_file(p) for n, p in files.items()})
        text = signature_text(
            payload,
            self.model_sealer.sign(signed_bytes(payload)),
            public_key=self.model_sealer.public_key(),
        )
        (self.bundle / MODEL_SIGNATURE).write_text(text, "utf-8")

    def recompute(self, *, seal: bool = True, **manifest: Any) -> Path:
        """Recompute manifest and checksums, and seal with the forger's own key."""
        if seal:
            line = self.sealer.public_key() + "\n"
            (self.bundle / SIGNER).write_text(line, "utf-8")
            if (self.bundle / MODEL_SIGNER).exists():
                key = self.model_sealer.public_key()
                (self.bundle / MODEL_SIGNER).write_text(key, "utf-8")
        own = {MANIFEST, MODEL_SIGNATURE, SUMS, SEAL}
        files = {
            name: {"sha256": digest_file(path), "size_bytes": path.stat().st_size}
            for name, path in regular_files(self.bundle).items()
            if name not in own
        }
        path = self.bundle / MANIFEST
        data = {**json.loads(path.read_bytes()), "files": files, **manifest}
        path.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
        if seal:
            self._sign(data["name"])
        digests = {
            name: digest_file(path)
            for name, path in regular_files(self.bundle).items()
            if name not in {SUMS, SEAL}
        }
        sums = sums_text(digests)
        (self.bundle / SUMS).write_text(sums, "utf-8")
        if seal:
            text = self.sealer.seal(sums.encode(), namespace=NAMESPACE)
            (self.bundle / SEAL).write_text(text, "utf-8")
        return self.bundle
