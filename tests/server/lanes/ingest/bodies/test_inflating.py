"""gzip comes off while a body streams in, and a bomb is noticed before it is in memory."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.errors import BodyTooLarge, MalformedBody, UnsupportedMediaType
from kivuko.server.lanes.ingest.bodies import Inflater, inflater_for


def inflated(chunks: Iterable[bytes]) -> bytes:
    """All that comes out."""
    inflater = Inflater()
    whole = b"".join(piece for chunk in chunks for piece in inflater.feed(chunk))
    inflater.finish()
    return whole


@given(st.binary(max_size=2000), st.integers(1, 300))
def test_a_body_is_the_same_however_it_is_cut(body: bytes, size: int) -> None:
    packed = gzip.compress(body, mtime=0)
    assert inflated(packed[at : at + size] for at in range(0, len(packed), size)) == body


@pytest.mark.parametrize("size", [256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 256 * 1024 + 200, 1024 * 1024])
def test_nothing_is_left_behind_at_the_end_of_a_piece(size: int) -> None:
    body = b"a" * size
    assert inflated([gzip.compress(body, mtime=0)]) == body


def test_several_members_are_one_body() -> None:
    assert inflated([gzip.compress(b"a", mtime=0) + gzip.compress(b"b", mtime=0)]) == b"ab"


def test_data_that_does_not_shrink_may_be_large() -> None:
    body = os.urandom(3_000_000)
    assert inflated([gzip.compress(body, mtime=0)]) == body


def test_an_empty_body_needs_no_header() -> None:
    assert inflated([]) == b""


@pytest.mark.parametrize(
    "packed",
    [
        b"{}",
        gzip.compress(b"abc", mtime=0)[:-1],
        gzip.compress(b"abc", mtime=0)[:5],
        gzip.compress(b"a", mtime=0) + b"x",
        zlib.compress(b"a"),
    ],
)
def test_what_is_not_gzip_is_refused(packed: bytes) -> None:
    with pytest.raises(MalformedBody):
        inflated([packed])


def test_a_bomb_is_refused_with_little_in_memory() -> None:
    packed = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join([packed.compress(bytes(1_000_000)) for _ in range(300)]) + packed.flush()
    inflater, sizes = Inflater(), []
    with pytest.raises(BodyTooLarge):
        sizes.extend(len(piece) for at in range(0, len(bomb), 16_384) for piece in inflater.feed(bomb[at : at + 16_384]))
    assert max(sizes) <= 256 * 1024
    assert sum(sizes) <= 5_000_000


@pytest.mark.parametrize("name", [None, "", "identity", "IDENTITY"])
def test_most_bodies_have_no_encoding(name: str | None) -> None:
    assert inflater_for(name) is None


@pytest.mark.parametrize("name", ["gzip", "GZIP", "x-gzip", " gzip "])
def test_gzip_has_two_names(name: str) -> None:
    assert inflater_for(name) is not None


@pytest.mark.parametrize("name", ["br", "deflate", "zstd", "gzip, gzip"])
def test_other_encodings_are_refused(name: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        inflater_for(name)


@given(st.binary(max_size=300))
def test_whatever_comes_is_unpacked_or_refused(packed: bytes) -> None:
    try:
        inflated([packed])
    except (MalformedBody, BodyTooLarge):
        return
