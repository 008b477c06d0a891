"""Secrets are taken out of what is recorded, in every usual spelling."""

import base64
import html
import json
from itertools import pairwise
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbship.capture.redaction import Redactor

VALUE = "s3cr3t/Ünï \"q\" <&> \\ 'x'+~"
KEY = "-----BEGIN KEY-----\nMIIBVwIBADANBgkqhkiG9w0BAQEF\nAASCAT8wggE7AgEAAkEA\n-----END-----"


@pytest.mark.parametrize(
    "spelling",
    [
        VALUE,
        json.dumps(VALUE),
        json.dumps(VALUE, ensure_ascii=False),
        repr(VALUE),
        html.escape(VALUE),
        quote(VALUE),
        quote(VALUE, safe=""),
        quote_plus(VALUE),
        quote(VALUE).lower().replace("%c3%bcn%c3%af", "%c3%9cn%c3%af"),
        VALUE.encode().hex(),
        VALUE.encode().hex().upper(),
        *sorted(
            {
                encode(b"x" * length + VALUE.encode() + b"!").decode()
                for length in range(7)
                for encode in (base64.b64encode, base64.urlsafe_b64encode)
            }
        ),
    ],
)
def test_a_secret_is_found_in_every_spelling(spelling):
    redactor = Redactor({"TOKEN": VALUE})

    hidden = redactor.text(f"before {spelling} behind")

    assert "[secret TOKEN]" in hidden
    assert hidden.startswith("before ")
    assert hidden.endswith(" behind")
    assert redactor.names_in(f"x{spelling}".encode()) == ("TOKEN",)
    assert redactor.names_in(hidden) == ()


def test_the_lines_of_a_key_are_secrets_too():
    redactor = Redactor({"KEY": KEY})

    assert redactor.text(KEY) == "[secret KEY]"
    assert redactor.text("| AASCAT8wggE7AgEAAkEA |") == "| [secret KEY] |"


def test_everything_in_a_json_value_is_looked_at():
    redactor = Redactor({"TOKEN": "abcdef1"})

    assert redactor.value({"abcdef1": ["xabcdef1x", 3, None, {"a": "abcdef"}]}) == {
        "[secret TOKEN]": ["x[secret TOKEN]x", 3, None, {"a": "abcdef"}]
    }


def test_bytes_keep_their_length():
    redactor = Redactor({"TOKEN": "abcdef1"})

    assert redactor.masked(b"\xff abcdef1 \x00") == b"\xff ******* \x00"


def _stream(text, name="stdout"):
    content = {"name": name, "text": text}
    return {"msg_type": "stream", "content": content, "metadata": {}, "buffers": []}


IDLE = {
    "msg_type": "status",
    "content": {"execution_state": "idle"},
    "metadata": {},
    "buffers": [],
}


def _said(redactor, *messages):
    passed = [m for message in messages for m in redactor.messages("iopub", message)]
    return "".join(m["content"]["text"] for m in passed if m["msg_type"] == "stream")


@given(
    st.lists(st.integers(0, 80), max_size=6),
    st.text("abcdefsx1 ", max_size=20),
    st.text("abcdefsx1 ", max_size=20),
)
def test_a_secret_is_found_however_the_stream_is_cut(cuts, before, behind):
    whole = f"{before}abcdabcdef1{behind}"
    places = sorted({min(cut, len(whole)) for cut in (0, *cuts, len(whole))})
    pieces = [whole[a:b] for a, b in pairwise(places)]
    redactor = Redactor({"TOKEN": "abcdef1"})

    said = _said(redactor, *map(_stream, pieces), IDLE)

    assert said == whole.replace("abcdef1", "[secret TOKEN]")


def test_what_may_begin_a_secret_is_let_go_by_the_next_message():
    redactor = Redactor({"TOKEN": "abcdef1"})

    assert _said(redactor, _stream("x abc")) == "x "
    assert _said(redactor, _stream("note", "stderr")) == "note"
    passed = list(redactor.messages("iopub", IDLE))
    assert [m["msg_type"] for m in passed] == ["stream", "status"]
    assert passed[0]["content"] == {"name": "stdout", "text": "abc"}


def test_errors_displays_and_replies_lose_their_secrets():
    redactor = Redactor({"TOKEN": "abcdef1"})
    error = {
        "msg_type": "error",
        "content": {"ename": "E", "evalue": "abcdef1", "traceback": ["at abcdef1"]},
        "metadata": {"k": "abcdef1"},
        "buffers": [memoryview(b"-abcdef1-")],
    }

    for channel in ("iopub", "shell"):
        (passed,) = redactor.messages(channel, error)

        assert passed == {
            "msg_type": "error",
            "content": {
                "ename": "E",
                "evalue": "[secret TOKEN]",
                "traceback": ["at [secret TOKEN]"],
            },
            "metadata": {"k": "[secret TOKEN]"},
            "buffers": [b"-*******-"],
        }


def test_without_secrets_everything_passes():
    redactor = Redactor({})

    assert redactor.text("abc") == "abc"
    assert redactor.names_in(b"abc") == ()
