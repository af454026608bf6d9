"""Frames arrive whole whatever the pipe does, and what is no frame is refused."""

from __future__ import annotations

import fcntl
import os
import termios
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.engines.frames import HEADER, BadFrame, Frame, FrameReader, json_frame, raw_frame, state_frame

KINDS = "plcdexf"
MOST = 1 << 26


class Pipe:
    """A pipe with a reader at its end."""

    def __init__(self, known: str = KINDS, most_bytes: int = MOST) -> None:
        output, self.input = os.pipe()
        os.set_blocking(output, False)
        os.set_blocking(self.input, False)
        self.output = output
        self.reader = FrameReader(output, dict.fromkeys(known, most_bytes))

    def write(self, data: bytes) -> list[Frame]:
        found: list[Frame] = []
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self.input, view) :]
            except BlockingIOError:
                found += self.reader.available()
        return found + self.rest()

    def rest(self) -> list[Frame]:
        """All frames that are in the pipe and in the reader."""
        found, waiting = list(self.reader.available()), bytearray(4)
        while not self.reader.ended and fcntl.ioctl(self.output, termios.FIONREAD, waiting) == 0 and any(waiting):
            found += self.reader.available()
        return found

    def close(self) -> None:
        for descriptor in (self.output, self.input):
            os.close(descriptor)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


def sent_in_pieces(sent: list[tuple[str, bytes]], pieces: list[int]) -> list[tuple[str, bytes]]:
    pipe = Pipe()
    data = b"".join(b"".join(raw_frame(kind, payload)) for kind, payload in sent)
    got: list[Frame] = []
    at, number = 0, 0
    while at < len(data):
        size = pieces[number % len(pieces)]
        got += pipe.write(data[at : at + size])
        at, number = at + size, number + 1
    pipe.close()
    return [(frame.kind, bytes(frame.payload)) for frame in got]


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.binary(max_size=40)), max_size=6), st.lists(st.integers(1, 9), min_size=1))
def test_small_frames_arrive_as_they_were_sent_however_the_pipe_cuts_them(sent: list[tuple[str, bytes]], pieces: list[int]) -> None:
    assert sent_in_pieces(sent, pieces) == sent


@given(st.lists(st.integers(0, 900_000), max_size=4), st.lists(st.integers(5_000, 90_000), min_size=1, max_size=9))
def test_large_frames_arrive_as_they_were_sent_however_the_pipe_cuts_them(sizes: list[int], pieces: list[int]) -> None:
    got = sent_in_pieces([("d", bytes(size)) for size in sizes], pieces)
    assert [(kind, len(payload), any(payload)) for kind, payload in got] == [("d", size, False) for size in sizes]


@given(st.dictionaries(st.text(), st.integers()), st.binary(max_size=5000))
def test_meta_and_state_of_a_frame_come_apart_again(meta: dict[str, int], state: bytes) -> None:
    head, tail = state_frame("d", meta, state)
    assert Frame("d", (head + tail)[HEADER.size :]).split() == (meta, state)


def test_a_json_frame_holds_one_object(pipe: Pipe) -> None:
    (frame,) = pipe.write(json_frame("p", {"ok": True}))
    assert frame.json() == {"ok": True}


def test_the_end_of_the_pipe_is_noticed(pipe: Pipe) -> None:
    os.close(pipe.input)
    assert list(pipe.reader.available()) == []
    assert pipe.reader.ended
    pipe.input = os.open(os.devnull, os.O_WRONLY)


def test_the_end_of_the_pipe_inside_a_large_frame_is_noticed(pipe: Pipe) -> None:
    head, _ = raw_frame("d", bytes(10))
    assert pipe.write((2_000_000).to_bytes(4, "little") + head[4:] + bytes(600_000)) == []
    os.close(pipe.input)
    assert list(pipe.reader.available()) == []
    assert pipe.reader.ended
    pipe.input = os.open(os.devnull, os.O_WRONLY)


@pytest.mark.parametrize("kind", ["R", "\x00", "z"])
def test_a_frame_of_an_unknown_type_is_refused(pipe: Pipe, kind: str) -> None:
    with pytest.raises(BadFrame, match="unknown type"):
        pipe.write(b"".join(raw_frame(kind, b"{}")))


def test_what_was_taken_is_not_given_again_when_the_taker_stops(pipe: Pipe) -> None:
    os.write(pipe.input, b"".join(json_frame("l", {"n": number}) for number in range(3)))
    for frame in pipe.reader.available():
        assert frame.json() == {"n": 0}
        break
    os.write(pipe.input, json_frame("l", {"n": 3}))
    assert [frame.json()["n"] for frame in pipe.reader.available()] == [1, 2, 3]


def test_one_call_takes_a_bounded_part_of_what_is_there() -> None:
    pipe = Pipe()
    os.set_blocking(pipe.input, True)
    writer = threading.Thread(target=lambda: os.write(pipe.input, json_frame("l", {"x": 1}) * 200_000))
    writer.start()
    counts: list[int] = []
    while sum(counts) < 200_000:
        counts.append(len(list(pipe.reader.available())))
    writer.join()
    pipe.close()
    assert max(counts) < 50_000


def test_a_frame_longer_than_the_limit_is_refused_before_it_is_read() -> None:
    pipe = Pipe(most_bytes=1000)
    with pytest.raises(BadFrame, match="more than the limit of 1000"):
        pipe.write(HEADER.pack(1001, ord("d")))
    pipe.close()


@pytest.mark.parametrize("payload", [b"[" * 100_000, b"", b"[1]", b"{", b"\xff\xfe", b'"text"'])
def test_a_payload_that_is_no_json_object_is_refused(payload: bytes) -> None:
    with pytest.raises(BadFrame):
        Frame("p", payload).json()


metas = st.dictionaries(st.text(), st.integers() | st.text())


@given(metas, st.binary(max_size=50), st.data())
def test_a_frame_with_state_that_is_cut_off_inside_its_meta_is_refused(meta: dict[str, object], state: bytes, data: st.DataObject) -> None:
    payload = b"".join(state_frame("d", meta, state))[HEADER.size :]
    rest = len(payload) - len(state)
    cut = data.draw(st.integers(0, len(payload)))
    if cut < rest:
        with pytest.raises(BadFrame):
            Frame("d", payload[:cut]).split()
    else:
        assert Frame("d", payload[:cut]).split() == (meta, payload[rest:cut])


@given(metas, st.integers(0, 2**32 - 1) | st.integers(0, 80))
def test_a_frame_that_lies_about_the_length_of_its_meta_is_refused(meta: dict[str, object], length: int) -> None:
    payload = b"".join(state_frame("d", meta, b'{"data":1}'))[HEADER.size :]
    true = int.from_bytes(payload[:4], "little")
    changed = length.to_bytes(4, "little") + payload[4:]
    if length == true:
        assert Frame("d", changed).split() == (meta, b'{"data":1}')
    else:
        with pytest.raises(BadFrame):
            Frame("d", changed).split()
