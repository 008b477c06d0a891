"""Signatures for OpenSSF's model-signing, with an elliptic-curve key in a PEM file.

Its own package is not used for signing: version 1.1.1 brings the whole of Sigstore (35
distributions), lacks one that it needs, and signs with random numbers, so that equal releases
would differ. The signatures here are deterministic (RFC 6979), and its command verifies them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.adapters.bundles.ssh_keys import key_passphrase
from nbship.errors import ApprovalError

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ec import (
        EllipticCurvePrivateKey,
        EllipticCurvePublicKey,
    )

#: curve -> hash, as model-signing pairs them
_HASHES = {"secp256r1": "SHA256", "secp384r1": "SHA384", "secp521r1": "SHA512"}


class EcModelSealer:
    """Signs with one private key, read when it is first needed; checks anybody's signatures.

    Parameters
    ----------
    key_path
        A private key in PEM over P-256, P-384 or P-521; None where nothing is to be signed.
    """

    def __init__(self, key_path: Path | None) -> None:
        self.key_path = key_path.expanduser() if key_path else None
        self._key: EllipticCurvePrivateKey | None = None

    def public_key(self) -> str:
        """Return the public key in PEM.

        Raises
        ------
        ApprovalError
            If the key cannot be read or is no such key.
        """
        from cryptography.hazmat.primitives import serialization

        return (
            self._private_key()
            .public_key()
            .public_bytes(
                serialization.Encoding.PEM,
                serialization.PublicFormat.SubjectPublicKeyInfo,
            )
            .decode()
        )

    def sign(self, message: bytes) -> bytes:
        """Sign a message: equal messages give equal signatures.

        Raises
        ------
        ApprovalError
            If the key cannot be read or is no such key.
        """
        from cryptography.hazmat.primitives.asymmetric import ec

        key = self._private_key()
        return key.sign(
            message, ec.ECDSA(_hash_of(key.public_key()), deterministic_signing=True)
        )

    def check(self, message: bytes, signature: bytes, *, public_key: str) -> None:
        """Check a signature; see :func:`check_model_signature`. No private key is read."""
        check_model_signature(message, signature, public_key=public_key)

    def _private_key(self) -> EllipticCurvePrivateKey:
        if self.key_path is None:
            raise ApprovalError(
                "there is no key for model-signing", hint="Set release.model_key."
            )
        if self._key is None:
            self._key = _read_private_key(self.key_path)
        return self._key


def check_model_signature(message: bytes, signature: bytes, *, public_key: str) -> None:
    """Check a signature by a public key in PEM.

    Raises
    ------
    ApprovalError
        If the key cannot be read, is no such key, or did not sign the message.
    """
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(public_key.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ApprovalError(f"no public key in PEM: {error}") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in _HASHES:
        raise ApprovalError("no key over P-256, P-384 or P-521")
    try:
        key.verify(signature, message, ec.ECDSA(_hash_of(key)))
    except InvalidSignature:
        raise ApprovalError("the signature does not fit what it is over") from None


def _read_private_key(path: Path) -> EllipticCurvePrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    hint = (
        "Make one, `openssl ecparam -name prime256v1 -genkey -noout -out KEY`, and set"
        " release.model_key to it."
    )
    try:
        data = path.read_bytes()
        try:
            key: Any = load_pem_private_key(data, password=None)
        except TypeError:  # cryptography's answer to an encrypted key
            key = load_pem_private_key(data, password=key_passphrase(path))
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise ApprovalError(
            f"{path}: cannot be read as a private key in PEM: {error}", hint=hint
        ) from error
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name not in _HASHES:
        raise ApprovalError(
            f"{path}: not the kind of key that model-signing takes: P-256, P-384 or"
            " P-521",
            hint=hint,
        )
    return key


def _hash_of(key: EllipticCurvePublicKey) -> Any:  # noqa: ANN401  # a HashAlgorithm
    from cryptography.hazmat.primitives import hashes

    return getattr(hashes, _HASHES[key.curve.name])()
