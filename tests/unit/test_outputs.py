"""Outputs of cells: merged, kept small, written in measure."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from nbship.capture.buffering import STREAM_LIMIT_CHARS, OutputBuffer
from nbship.capture.outputs import (
    PAYLOAD_LIMIT_BYTES,
    merge,
    put_payloads_aside,
    put_payloads_back,
)
from nbship.capture.terminal import collapse


def stream(text, name="stdout"):
    return {"output": {"output_type": "stream", "name": name, "text": text}}


def shown(text, display_id=None, *, is_update=False):
    data = {"output": {"output_type": "display_data", "data": {"text/plain": text}}}
    if display_id:
        data |= {"display_id": display_id, "is_update": is_update}
    return data


def folded(*events):
    outputs = []
    for event in events:
        merge(outputs, event)
    return outputs


def texts(outputs):
    return [o.get("text") or o["data"]["text/plain"] for o in outputs]


def test_streams_of_one_name_are_joined_and_others_are_not():
    outputs = folded(stream("a"), stream("b"), stream("c", "stderr"), stream("d"))
    assert texts(outputs) == ["ab", "c", "d"]


def test_a_progress_bar_keeps_its_last_state():
    outputs = folded(stream("\r10%", "stderr"), stream("\r90%", "stderr"))
    assert texts(outputs) == ["90%"]


def test_an_updated_display_is_replaced_where_it_stands():
    outputs = folded(shown("1", "x"), stream("s"), shown("2", "x", is_update=True))
    assert texts(outputs) == ["2", "s"]


def test_clear_output_empties_the_cell():
    assert texts(folded(stream("a"), {"clear": True}, stream("b"))) == ["b"]


def test_returns_are_shown_as_a_terminal_does():
    assert collapse("a\rb\nc\r\nd\r") == "b\nc\nd\r"


def test_a_large_image_becomes_a_blob_that_opens():
    picture = b"\x89PNG" + bytes(40_000)
    encoded = base64.b64encode(picture).decode()
    small, blobs = put_payloads_aside(
        {"output_type": "display_data", "data": {"image/png": encoded, "a/b": "x"}}
    )
    (digest,) = blobs
    assert blobs == {digest: picture}
    assert small["data"] == {
        "image/png": {"blob": digest, "encoding": "base64"},
        "a/b": "x",
    }
    assert put_payloads_back(small, blobs.get)["data"]["image/png"] == encoded


def test_a_lost_blob_says_so_and_stops_nothing():
    small, _ = put_payloads_aside({"data": {"text/plain": "x" * 40_000}})
    text = put_payloads_back(small, lambda _: None)["data"]["text/plain"]
    assert text.endswith("is lost]")


payloads = st.text() | st.lists(st.integers()) | st.dictionaries(st.text(), st.text())


@given(st.dictionaries(st.text(min_size=1), payloads), st.booleans())
def test_payloads_put_aside_come_back(data, is_large):
    if is_large:
        data["application/json"] = {"x": "y" * PAYLOAD_LIMIT_BYTES}
        data["image/png"] = "not base64! " * PAYLOAD_LIMIT_BYTES
    output = {"output_type": "display_data", "data": data}
    small, blobs = put_payloads_aside(output)
    assert put_payloads_back(small, blobs.get) == output


def test_ordinary_printing_is_written_at_once():
    written = []
    buffer = OutputBuffer(written.append)
    for second in range(3):
        buffer.stream("stdout", f"{second}\n", now_s=second)
    assert texts(folded(*written)) == ["0\n1\n2\n"]


def test_a_loop_that_prints_without_pause_costs_few_events():
    written = []
    buffer = OutputBuffer(written.append)
    for number in range(10_000):
        buffer.stream("stdout", f"{number}\n", now_s=number / 100_000)
    buffer.flush()
    assert len(written) < 100
    assert texts(folded(*written)) == ["".join(f"{n}\n" for n in range(10_000))]


def test_text_beyond_the_limit_is_counted_and_said():
    written = []
    buffer = OutputBuffer(written.append)
    buffer.stream("stdout", "x" * (STREAM_LIMIT_CHARS + 7), now_s=0)
    buffer.flush()
    outputs = texts(folded(*written))
    assert len(outputs[0]) == STREAM_LIMIT_CHARS
    assert outputs[1] == "\n[nbship left out 7 characters]\n"


def test_what_is_cleared_before_it_was_written_is_never_written():
    written = []
    buffer = OutputBuffer(written.append)
    for number in range(1000):
        buffer.clear()
        output = shown(str(number))["output"]
        buffer.display(output, now_s=number / 100_000)
    buffer.flush()
    assert len(written) < 200
    assert texts(folded(*written)) == ["999"]


events = st.lists(
    st.one_of(
        st.builds(stream, st.text(), st.sampled_from(["stdout", "stderr"])),
        st.builds(shown, st.text(), st.sampled_from(["a", "b"])),
        st.builds(
            lambda t, i: shown(t, i, is_update=True),
            st.text(),
            st.sampled_from(["a", "b"]),
        ),
        st.just({"clear": True}),
    )
)


@given(events)
def test_the_buffer_changes_no_final_state(sent):
    written = []
    buffer = OutputBuffer(written.append)
    for number, data in enumerate(sent):
        now_s = number / 1000
        if data.get("clear"):
            buffer.clear()
        elif data["output"]["output_type"] == "stream":
            output = data["output"]
            buffer.stream(output["name"], output["text"], now_s=now_s)
        else:
            buffer.display(
                data["output"],
                now_s=now_s,
                display_id=data["display_id"],
                is_update=data["is_update"],
            )
    buffer.flush()
    assert _final(written) == _final([d for d in sent if not _is_empty(d)])


def _is_empty(data):
    return data.get("output", {}).get("text") == ""


def _final(written):
    return [
        {**o, "text": collapse(o["text"]).rstrip("\r")} if "text" in o else o
        for o in folded(*written)
    ]
