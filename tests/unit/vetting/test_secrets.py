"""Secrets: found where they are, not where they are not, and never repeated."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbship.records.notebook import CellKind
from nbship.testing import ask_gate, make_cell, make_dossier, make_notebook
from nbship.vetting.gates.secrets import NoSecrets
from nbship.vetting.secrets import find_secrets, redact

# put together here, so that no scanner of this repository stumbles over them
SECRETS = {
    "AWS access key": "AKIA" + "Q3EGRT5JXNBVC2MZ",
    "GitHub token": "ghp_" + "x7Kq2Rm9Tz4Lp8Wv3Bn6Yc1Hd5Jf0SgAoEuI",
    "GitLab token": "glpat-" + "Zx9_kLm2Qp7Rt4Vw8Yb1",
    "Slack token": "xoxb-" + "123456789012-abcdefGHIJKL",
    "JSON web token": "eyJhbGciOiJIUzI1NiJ9."
    "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "Google key": "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
    "Hugging Face token": "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZ012345",
}
TOKEN = st.text(string.ascii_letters + string.digits, min_size=36, max_size=60)


@pytest.mark.parametrize(("kind", "secret"), SECRETS.items())
def test_each_form_is_found_and_hidden(kind, secret):
    text = f"before\nx = '{secret}' # after"
    [found] = find_secrets(text)
    assert (found.kind, found.line) == (kind, 2)
    assert secret not in redact(text)
    assert redact(text).startswith("before\nx = '")


@pytest.mark.parametrize(
    "text",
    [
        'password = "Tr0ub4dor&3"',
        "db_passwd='s3cr3t-thing'",
        'PASSWORD: str = "correct horse"'.replace(" horse", "-horse"),
        '{"api_key": "9f8a7c6b5d4e3f2a1b0c"}',
        'os.environ["SECRET_TOKEN"] = "q7w8e9r0t1y2u3i4"',
        'connect("host", password="pa55word!")',
        'url = "postgresql://ada:lovelace1815@db/prod"',
        "wandb_api_key = '0a1b2c3d4e5f60718293a4b5c6d7e8f901234567'",
    ],
)
def test_values_of_telling_names_are_found(text):
    assert len(find_secrets(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        'password = "your-password-here"',
        'password = os.environ["DB_PASSWORD"]',
        'token = "<paste it here>"',
        'api_key = "${API_KEY}"',
        'secret = "changeme"',
        'password = ""',
        'password = "********"',
        'tokenizer = "bert-base-uncased"',
        'pad_token = "[PAD]"',
        'token = "the quick brown fox"',
        'column = "secret_santa"',
        "https://example.org/path:80@2x.png",
        "https://{user}:{password}@example.org/",
        "AKIAIOSFODNN7EXAMPLE",
        "def password(self, value): ...",
        'print("password:", "is required")',
        "data:image/png;base64," + "AKIAQ3EGRT5JXNBVC2MZ" * 3,
        "sha256:0a1b2c3d4e5f60718293a4b5c6d7e8f9012345670a1b2c3d4e5f60718293a4b5",
        'tokens = "a b c d e f 1 2 3 4 5"',
    ],
)
def test_words_placeholders_and_digests_are_not_secrets(text):
    assert find_secrets(text) == ()


@given(st.text(), TOKEN, st.text())
def test_what_is_found_is_hidden_whatever_stands_around_it(before, token, after):
    secret = f"ghp_{token}"
    text = f"{before} {secret} {after}"
    assert secret not in redact(text)
    assert redact(redact(text)) == redact(text)


@given(st.text(max_size=300))
def test_places_lie_in_the_text_and_do_not_overlap(text):
    end = 0
    for secret in find_secrets(text):
        assert end <= secret.start < secret.end <= len(text)
        assert secret.line == text.count("\n", 0, secret.start) + 1
        end = secret.end


def test_the_gate_reads_decoded_text_and_never_repeats_what_it_found():
    secret = SECRETS["GitHub token"]
    stream = {
        "output_type": "stream",
        "name": "stdout",
        "text": [secret[:9], secret[9:]],
    }
    picture = {"output_type": "display_data", "data": {"image/png": secret}}
    notebook = make_notebook(
        make_cell(f'password = "{secret}"', outputs=[stream, picture]),
        make_cell(f"the token is {secret}", kind=CellKind.MARKDOWN),
        make_cell("1", outputs=[picture]),
    )
    dossier = make_dossier(notebook, values={"nested": {"token": [secret]}})
    findings = ask_gate(NoSecrets(), dossier)
    assert [(f.cell_id, f.line) for f in findings] == [
        (None, None),
        ("cell-0", 1),
        ("cell-1", 1),
        ("cell-0", None),
    ]
    assert secret not in repr(findings)
