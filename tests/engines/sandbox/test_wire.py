"""Messages to and from the fork server."""

from __future__ import annotations

import os
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.engines.sandbox.wire import receive, send

values = st.dictionaries(st.text(), st.text() | st.integers() | st.booleans() | st.none() | st.lists(st.text()))


@given(values)
def test_a_message_arrives_as_it_was_sent(value):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        send(ours, value)
        assert receive(theirs) == (value, [])


def test_long_messages_arrive_whole_and_in_order():
    ours, theirs = socket.socketpair()
    sent = [{"number": number, "text": "x" * 700_000} for number in range(3)]
    with ours, theirs:
        sender = threading.Thread(target=lambda: [send(ours, one) for one in sent])
        sender.start()
        assert [receive(theirs)[0] for _ in sent] == sent
        sender.join()


def test_descriptors_come_along_and_are_closed_on_execve():
    ours, theirs = socket.socketpair()
    reading, writing = os.pipe()
    with ours, theirs:
        send(ours, {"a": 1}, [writing])
        value, (copy,) = receive(theirs)
    assert value == {"a": 1}
    assert not os.get_inheritable(copy)
    os.write(copy, b"through")
    assert os.read(reading, 10) == b"through"
    for one in (reading, writing, copy):
        os.close(one)


@pytest.mark.parametrize("part", [b"", b"\x05", b"\x05\0\0\0", b"\x05\0\0\0ab"])
def test_an_end_in_the_middle_is_an_end(part):
    ours, theirs = socket.socketpair()
    with theirs:
        with ours:
            ours.sendall(part)
        with pytest.raises(EOFError):
            receive(theirs)
