"""Signatures for model-signing: deterministic, checked, and refused in words."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given, settings
from hypothesis import strategies as st

from nbship.adapters.bundles.model_seal import EcModelSealer, check_model_signature
from nbship.errors import ApprovalError
from nbship.release.model_signature import (
    UNSIGNED,
    read_signature,
    signature_text,
    signed_payload,
)

CURVES = (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())


def _write(path, key, passphrase=b""):
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase)
            if passphrase
            else serialization.NoEncryption(),
        )
    )
    return path


@pytest.fixture(scope="module", params=CURVES, ids=lambda curve: curve.name)
def sealer(request, tmp_path_factory):
    key = ec.generate_private_key(request.param)
    return EcModelSealer(_write(tmp_path_factory.mktemp("key") / "key.pem", key))


def test_equal_messages_get_equal_signatures_that_hold(sealer):
    signature = sealer.sign(b"bundle")

    assert sealer.sign(b"bundle") == signature
    check_model_signature(b"bundle", signature, public_key=sealer.public_key())


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_other_message_signature_or_key_is_refused(sealer, data):
    signature = bytearray(sealer.sign(b"bundle"))
    position = data.draw(st.integers(0, len(signature) - 1))
    signature[position] ^= data.draw(st.integers(1, 255))

    with pytest.raises(ApprovalError, match="does not fit"):
        check_model_signature(
            b"bundle", bytes(signature), public_key=sealer.public_key()
        )
    with pytest.raises(ApprovalError, match="does not fit"):
        check_model_signature(
            b"bundles", sealer.sign(b"bundle"), public_key=sealer.public_key()
        )


def test_a_key_with_a_passphrase_is_opened_by_the_variable(tmp_path, monkeypatch):
    key = _write(tmp_path / "key.pem", ec.generate_private_key(CURVES[0]), b"secret")
    monkeypatch.setenv("MLOPS_KEY_PASSPHRASE", "secret")

    assert EcModelSealer(key).sign(b"bundle")

    monkeypatch.setenv("MLOPS_KEY_PASSPHRASE", "other")
    with pytest.raises(ApprovalError, match=r"key\.pem: cannot be read"):
        EcModelSealer(key).sign(b"bundle")


def test_other_keys_are_refused_in_words(tmp_path):
    edwards = _write(tmp_path / "edwards.pem", ed25519.Ed25519PrivateKey.generate())
    koblitz = _write(tmp_path / "koblitz.pem", ec.generate_private_key(ec.SECP256K1()))
    (tmp_path / "none.pem").write_text("nothing")

    for path in (edwards, koblitz):
        with pytest.raises(ApprovalError, match="P-256, P-384 or P-521"):
            EcModelSealer(path).public_key()
    for path in (tmp_path / "none.pem", tmp_path / "gone.pem"):
        with pytest.raises(ApprovalError, match="cannot be read as a private key"):
            EcModelSealer(path).public_key()
    with pytest.raises(ApprovalError, match="there is no key"):
        EcModelSealer(None).public_key()
    with pytest.raises(ApprovalError, match="no public key in PEM"):
        check_model_signature(b"", b"", public_key="none")


def test_the_payload_lists_every_file_but_those_it_says_it_leaves_out(sealer):
    digests = dict.fromkeys(("b/c", "b.txt", "a", *UNSIGNED), "ab" * 32)

    payload = signed_payload("fares", digests)

    assert signed_payload("fares", dict(reversed(digests.items()))) == payload
    text = signature_text(payload, b"signed", public_key=sealer.public_key())
    assert read_signature(text) == b"signed"
    listed = [
        line.strip() for line in payload.decode().splitlines() if '"name": "' in line
    ]
    assert listed == [
        '"name": "fares",',
        '"name": "a",',
        '"name": "b/c",',
        '"name": "b.txt",',
    ]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"dsseEnvelope": {"signatures": []}}']
)
def test_what_is_no_signature_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        read_signature(text)
