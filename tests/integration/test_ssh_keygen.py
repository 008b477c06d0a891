"""OpenSSH reads our seals, and we read OpenSSH's."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from nbship.adapters.bundles.ssh_seal import SshSealer, check_seal, create_key
from nbship.records.vetting import Decision
from nbship.workflow.review import decide
from support.review_case import AT, ReviewCase
from support.tools import need_tool

SPACE = "nbship-approval"


@pytest.fixture
def ssh_keygen():
    return need_tool("ssh-keygen")


def test_ssh_keygen_verifies_our_seal_and_refuses_a_changed_message(
    ssh_keygen, tmp_path
):
    line = create_key(tmp_path / "key")
    (tmp_path / "allowed").write_text(f"ann {line}\n")
    seal = SshSealer(tmp_path / "key").seal(b"facts", namespace=SPACE)
    (tmp_path / "seal").write_text(seal)
    words = f"{ssh_keygen} -Y verify -f allowed -I ann -n {SPACE} -s seal".split()
    good = subprocess.run(words, cwd=tmp_path, input=b"facts", check=False)
    bad = subprocess.run(words, cwd=tmp_path, input=b"Facts", check=False)
    assert (good.returncode, bad.returncode) == (0, 255)


@pytest.mark.parametrize("passphrase", ["", "open sesame"])
def test_we_verify_what_ssh_keygen_signed_with_its_own_key(
    ssh_keygen, tmp_path, passphrase, monkeypatch
):
    make = [ssh_keygen, "-q", "-t", "ed25519", "-N", passphrase, "-f", "key"]
    subprocess.run(make, cwd=tmp_path, check=True)
    line = " ".join((tmp_path / "key.pub").read_text().split()[:2])
    monkeypatch.setenv("MLOPS_KEY_PASSPHRASE", passphrase)
    sealer = SshSealer(tmp_path / "key")
    assert sealer.public_key() == line
    if not passphrase:
        (tmp_path / "facts").write_bytes(b"facts")
        sign = [ssh_keygen, "-q", "-Y", "sign", "-f", "key", "-n", SPACE, "facts"]
        subprocess.run(sign, cwd=tmp_path, check=True)
        seal = (tmp_path / "facts.sig").read_text()
        assert check_seal(b"facts", seal, namespace=SPACE) == line


def test_the_page_of_the_docs_checks_an_approval_without_nbship(ssh_keygen, tmp_path):
    case = ReviewCase(tmp_path / "project")
    case.finish()
    create_key(tmp_path / "key")
    approval = decide(
        case.store,
        case.vet(),
        decision=Decision.APPROVED,
        reason="gelesen, zweimal: größer",
        reviewer="Änn",
        reviewers=(),
        sealer=SshSealer(tmp_path / "key"),
        approval_id="approval-20261123-093000-0000",
        at=AT,
    )
    stored = case.store.folder / "approvals" / f"{approval.id}.json"
    (tmp_path / "approval.json").write_bytes(stored.read_bytes())
    page = (Path(__file__).parents[2] / "docs" / "review.md").read_text("utf-8")
    recipe = page.rpartition("```sh\n")[2].partition("```")[0]
    done = subprocess.run(
        ["sh", "-ec", recipe], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert 'Good "nbship-approval" signature for reviewer' in done.stdout
