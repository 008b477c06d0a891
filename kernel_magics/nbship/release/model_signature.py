"""A signature that OpenSSF's ``model_signing verify key`` checks: its text, without the key.

The format is that of model-signing 1.x: a Sigstore bundle with a DSSE envelope around an in-toto
statement that lists every file. The seal and its checksums are left out and say so; the
signature itself stands in the checksums, so that the seal covers it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

from nbship.release.sums import SEAL, SUMS

if TYPE_CHECKING:
    from collections.abc import Mapping

MODEL_SIGNATURE = "model.sig"
MODEL_SIGNER = "model.sig.pub"
#: files that the signature does not cover; its verifier reads them out of it
UNSIGNED = (SUMS, SEAL, MODEL_SIGNATURE)

_PAYLOAD_TYPE = "application/vnd.in-toto+json"
_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
#: left out by the verifier where they are there, so that no bundle may hold them
_GIT_PATHS = (".git", ".gitattributes", ".github", ".gitignore")


def signed_payload(name: str, digests: Mapping[str, str]) -> bytes:
    """Write the statement over the files of a bundle.

    Parameters
    ----------
    name
        The bundle's name, for people.
    digests
        Path -> sha256 of every file; those of :data:`UNSIGNED` are left out.
    """
    listed = sorted(
        (path for path in digests if path not in UNSIGNED),
        key=lambda path: path.split("/"),  # as pathlib orders them
    )
    root = hashlib.sha256(b"".join(bytes.fromhex(digests[path]) for path in listed))
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": root.hexdigest()}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": sorted((*UNSIGNED, *_GIT_PATHS)),
            },
            "resources": [
                {"name": path, "algorithm": "sha256", "digest": digests[path]}
                for path in listed
            ],
        },
    }
    return json.dumps(statement, indent=1).encode()


def signed_bytes(payload: bytes) -> bytes:
    """Return what is signed: DSSE's encoding of the payload and its type."""
    head = f"DSSEv1 {len(_PAYLOAD_TYPE)} {_PAYLOAD_TYPE} {len(payload)} "
    return head.encode() + payload


def signature_text(payload: bytes, signature: bytes, *, public_key: str) -> str:
    """Write the file ``model.sig``.

    Parameters
    ----------
    payload
        What :func:`signed_payload` wrote.
    signature
        ECDSA over :func:`signed_bytes` of it, DER.
    public_key
        The key in PEM; its digest tells verifiers which one it was.
    """
    bundle: dict[str, Any] = {
        "mediaType": _MEDIA_TYPE,
        "verificationMaterial": {
            "publicKey": {"hint": hashlib.sha256(public_key.encode()).hexdigest()},
            "tlogEntries": [],
        },
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": _PAYLOAD_TYPE,
            "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": ""}],
        },
    }
    return json.dumps(bundle) + "\n"


def read_signature(text: str) -> bytes:
    """Return the signature out of a file ``model.sig``.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        (found,) = json.loads(text)["dsseEnvelope"]["signatures"]
        return base64.b64decode(found["sig"], validate=True)
    except (KeyError, TypeError) as error:
        raise ValueError(f"no signature in it: {error}") from error
