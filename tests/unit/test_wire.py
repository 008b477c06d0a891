"""Messages on the wire are those that jupyter_client reads and writes."""

from __future__ import annotations

from datetime import UTC, datetime

from jupyter_client.session import Session

from nbship.adapters.kernels.wire import Wire

KEY = b"a key"


def test_jupyter_client_reads_what_is_written():
    wire, session = Wire(KEY), Session(key=KEY)
    sent = wire.message("execute_request", {"code": "'ü\ud800'"}, metadata={"a": 1})

    _, parts = session.feed_identities(wire.pack(sent))
    read = session.deserialize(parts)

    assert read["msg_type"] == "execute_request"
    assert read["content"] == {"code": "'ü\ud800'"}
    assert read["metadata"] == {"a": 1}
    assert read["header"]["msg_id"] == sent["msg_id"]
    assert isinstance(read["header"]["date"], datetime)


def test_what_jupyter_client_writes_is_read():
    wire, session = Wire(KEY), Session(key=KEY)
    parent = session.msg("execute_request")["header"]
    sent = session.msg("display_data", {"data": {"a": 1.5}}, parent=parent)

    read = wire.unpack([b"topic", *session.serialize(sent), b"a buffer"])

    assert read["parent_header"]["msg_id"] == parent["msg_id"]
    assert read["content"] == sent["content"]
    assert read["buffers"] == [b"a buffer"]
    assert read["header"]["date"] == sent["header"]["date"].astimezone(UTC)


def test_what_another_key_signed_is_no_message():
    session = Session(key=b"another key")

    frames = session.serialize(session.msg("status", {"execution_state": "idle"}))

    assert Wire(KEY).unpack(frames) is None
    assert Wire(KEY).unpack([b"no", b"message"]) is None
