"""The socket that the server listens on."""

from __future__ import annotations

import socket

import pytest

from kivuko.errors import SettingInvalid
from kivuko.server.listening import listen, url_of


def test_port_0_takes_one_that_is_free() -> None:
    with listen("127.0.0.1", 0) as listening:
        assert url_of(listening) == f"http://127.0.0.1:{listening.getsockname()[1]}"
        assert listening.proto == socket.IPPROTO_TCP


def test_a_port_in_use_is_said_with_what_to_do() -> None:
    with listen("127.0.0.1", 0) as first, pytest.raises(SettingInvalid, match="in use") as refused:
        listen("127.0.0.1", first.getsockname()[1])
    assert "--port" in refused.value.fix


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.77"])
def test_an_address_that_is_not_this_machines_is_refused(host: str) -> None:
    with pytest.raises(SettingInvalid):
        listen(host, 0)


def test_who_listens_everywhere_is_opened_on_this_machine() -> None:
    with listen("0.0.0.0", 0) as listening:
        assert url_of(listening).startswith("http://127.0.0.1:")
