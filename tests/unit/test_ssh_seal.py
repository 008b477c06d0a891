"""Seals by SSH keys: what holds, what does not, and what is said about it."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from nbship.adapters.bundles.ssh_seal import SshSealer, check_seal, create_key
from nbship.errors import ApprovalError

SPACE = "nbship-approval"


@pytest.fixture
def key(tmp_path):
    create_key(tmp_path / "key")
    return tmp_path / "key"


def test_a_seal_names_the_key_that_made_it(key):
    sealer = SshSealer(key)
    seal = sealer.seal(b"facts", namespace=SPACE)
    assert check_seal(b"facts", seal, namespace=SPACE) == sealer.public_key()


def test_checking_needs_no_private_key(key, tmp_path):
    seal = SshSealer(key).seal(b"facts", namespace=SPACE)
    stranger = SshSealer(tmp_path / "none")
    assert stranger.check_seal(b"facts", seal, namespace=SPACE).startswith(
        "ssh-ed25519 "
    )


def test_a_changed_message_breaks_the_seal(key):
    seal = SshSealer(key).seal(b"facts", namespace=SPACE)
    with pytest.raises(ApprovalError, match="one of the two was changed"):
        check_seal(b"Facts", seal, namespace=SPACE)


def test_a_seal_for_another_use_is_refused(key):
    seal = SshSealer(key).seal(b"facts", namespace="nbship-bundle")
    with pytest.raises(ApprovalError, match="'nbship-bundle' where 'nbship-approval'"):
        check_seal(b"facts", seal, namespace=SPACE)


@given(st.data())
def test_no_changed_byte_of_a_seal_passes(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("seal")
    create_key(folder / "key")
    lines = SshSealer(folder / "key").seal(b"facts", namespace=SPACE).splitlines()
    blob = bytearray(base64.b64decode("".join(lines[1:-1])))
    position = data.draw(st.integers(0, len(blob) - 1))
    blob[position] ^= data.draw(st.integers(1, 255))
    seal = "\n".join([lines[0], base64.b64encode(blob).decode(), lines[-1]])
    with pytest.raises(ApprovalError):
        check_seal(b"facts", seal, namespace=SPACE)


@given(st.text() | st.binary().map(lambda b: _armored(base64.b64encode(b).decode())))
def test_whatever_is_no_seal_is_refused_in_words(text):
    with pytest.raises(ApprovalError, match="cannot be read as an SSH signature"):
        check_seal(b"facts", text, namespace=SPACE)


def test_a_created_key_is_private_and_never_overwritten(key):
    assert key.stat().st_mode & 0o777 == 0o600
    public_line = key.with_name("key.pub").read_text().strip()
    assert public_line == SshSealer(key).public_key()
    with pytest.raises(ApprovalError, match="never overwritten"):
        create_key(key)


def test_a_passphrase_comes_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("MLOPS_KEY_PASSPHRASE", "open sesame")
    line = create_key(tmp_path / "key")
    assert SshSealer(tmp_path / "key").public_key() == line
    monkeypatch.setenv("MLOPS_KEY_PASSPHRASE", "wrong")
    with pytest.raises(ApprovalError, match="cannot be read as a private SSH key"):
        SshSealer(tmp_path / "key").public_key()


def test_without_terminal_a_missing_passphrase_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("MLOPS_KEY_PASSPHRASE", "open sesame")
    create_key(tmp_path / "key")
    monkeypatch.delenv("MLOPS_KEY_PASSPHRASE")
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(ApprovalError, match="no terminal to ask"):
        SshSealer(tmp_path / "key").public_key()


def test_a_missing_key_says_how_to_make_one(tmp_path):
    with pytest.raises(ApprovalError) as caught:
        SshSealer(tmp_path / "none").public_key()
    assert "mlops key" in caught.value.hint


def test_a_file_that_is_no_key_is_refused(tmp_path):
    (tmp_path / "key").write_text("not a key")
    with pytest.raises(ApprovalError, match="cannot be read as a private SSH key"):
        SshSealer(tmp_path / "key").public_key()


def test_another_kind_of_key_is_refused_by_name(tmp_path):
    private = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    (tmp_path / "key").write_bytes(private)
    with pytest.raises(ApprovalError, match="where an ed25519 key was expected"):
        SshSealer(tmp_path / "key").public_key()


def _armored(body: str) -> str:
    return f"-----BEGIN SSH SIGNATURE-----\n{body}\n-----END SSH SIGNATURE-----"
