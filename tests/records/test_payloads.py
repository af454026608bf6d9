"""Bodies come back as they were stored, wherever they lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.errors import BodyWiped, RecordsUnavailable
from kivuko.records.ids import new_id
from kivuko.records.payloads import COMPRESS_ABOVE_BYTES, IN_ROW_UP_TO_BYTES, ObjectFolder, Payload, Payloads
from kivuko.records.states import Encoding


@given(st.binary(max_size=4096))
def test_any_bytes_come_back(body: bytes) -> None:
    payloads = Payloads()
    assert payloads.read(payloads.store(new_id(), body)) == body


def test_only_what_is_long_enough_is_compressed() -> None:
    payloads = Payloads()
    assert payloads.store(new_id(), b"a" * COMPRESS_ABOVE_BYTES).encoding is Encoding.RAW
    longer = payloads.store(new_id(), b"a" * (COMPRESS_ABOVE_BYTES + 1))
    assert (longer.encoding, longer.size_bytes) == (Encoding.ZSTD, COMPRESS_ABOVE_BYTES + 1)


def test_what_does_not_shrink_stays_as_it_is() -> None:
    assert Payloads().store(new_id(), os.urandom(5000)).encoding is Encoding.RAW


def test_a_large_body_lies_in_a_file_of_its_own(tmp_path: Path) -> None:
    folder = ObjectFolder(tmp_path)
    payloads, key = Payloads(folder), new_id()
    body = b"x" * (IN_ROW_UP_TO_BYTES + 1)
    stored = payloads.store(key, body)
    assert (stored.body, stored.object_key) == (None, key)
    assert payloads.read(stored) == body
    assert list(folder.keys()) == [key]
    folder.delete([key, new_id()])
    with pytest.raises(BodyWiped, match=str(key)):
        payloads.read(stored)


def test_a_body_at_the_limit_lies_in_the_row(tmp_path: Path) -> None:
    stored = Payloads(ObjectFolder(tmp_path)).store(new_id(), b"x" * IN_ROW_UP_TO_BYTES)
    assert stored.object_key is None
    assert stored.body


def test_a_wiped_body_is_an_error_never_empty() -> None:
    with pytest.raises(BodyWiped):
        Payloads().read(Payload(Encoding.RAW, None, None, 3))


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    folder = ObjectFolder(tmp_path)
    key = new_id()
    (tmp_path / key.hex()[-2:]).write_bytes(b"a file where a folder should be")
    with pytest.raises(RecordsUnavailable, match="cannot be written"):
        folder.put(key, b"x")
    assert list(folder.keys()) == []
