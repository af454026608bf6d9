"""Which addresses a policy lets through."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.engines.egress import MULTI_TENANT, OPEN, SELF_HOSTED, Rules, name_servers, parse_destination
from kivuko.engines.egress.destinations import AllowList, Destination
from kivuko.engines.egress.embedded import embedded_ipv4
from kivuko.engines.run import EgressPolicy
from kivuko.errors import InputError

METADATA = ["169.254.169.254", "169.254.170.2", "fe80::a9fe:a9fe", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "fd20:ce::254"]
LOOPBACK = ["127.0.0.1", "127.66.66.66", "0.0.0.0", "0.1.2.3", "::1", "::"]
PRIVATE = ["10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.255.255", "fc00::1", "fdff::1"]
PUBLIC = ["8.8.8.8", "172.32.0.1", "100.128.0.1", "11.0.0.1", "126.255.255.255", "2001:db8::1", "2606:4700::1"]


def nobody() -> tuple[()]:
    return ()


def rules(*blocked: str, allowed: tuple[str, ...] = (), **options: object) -> Rules:
    return Rules(EgressPolicy(blocked=blocked, allowed=allowed), **({"servers": nobody} | options))


def forms(address: str) -> list[str]:
    """All IPv6 addresses that carry an IPv4 address."""
    number = int(ipaddress.IPv4Address(address))
    last = [0xFFFF << 32, 0xFFFF << 48, 0x64FF9B << 96, 0x64FF9B0001 << 80, 0xFE80 << 112 | 0x5EFE << 32]
    whole = [prefix | number for prefix in last]
    whole += [
        0x2002 << 112 | number << 80 | 1,
        0x20010000 << 96 | 0x01020304 << 64 | (number ^ 0xFFFFFFFF),
        0x20010000 << 96 | number << 64,
    ]
    return [str(ipaddress.IPv6Address(one)) for one in whole]


@pytest.mark.parametrize(
    ("policy", "closed", "opened"),
    [
        (OPEN, [], METADATA + LOOPBACK + PRIVATE + PUBLIC),
        (SELF_HOSTED, METADATA, LOOPBACK + PRIVATE + PUBLIC),
        (MULTI_TENANT, METADATA + LOOPBACK + PRIVATE, PUBLIC),
    ],
    ids=["open", "self-hosted", "multi-tenant"],
)
def test_each_preset_blocks_its_rows_of_the_table(policy, closed, opened):
    ready = Rules(policy, servers=nobody)
    assert [address for address in closed if ready.permits(address, 80)] == []
    assert [address for address in opened if not ready.permits(address, 80)] == []


def test_unix_sockets_are_open_on_the_command_line_only():
    assert (OPEN.unix_sockets, SELF_HOSTED.unix_sockets, MULTI_TENANT.unix_sockets) == (True, False, False)


@given(st.ip_addresses(v=4))
def test_an_ipv6_address_that_carries_an_ipv4_address_is_judged_as_that(address):
    ready = rules(f"{address}/32")
    for form in forms(str(address)):
        assert address in embedded_ipv4(ipaddress.IPv6Address(form)), form
        assert not ready.permits(form, 80), form


@given(st.ip_addresses(v=4), st.integers(1, 65535))
def test_an_ipv6_form_of_an_open_address_is_open(address, port):
    ready = rules("0.0.0.0/0", allowed=(f"{address}:{port}",))
    assert ready.permits(str(address), port)
    mapped = f"::ffff:{address}"
    assert ready.permits(mapped, port)
    assert not ready.permits(mapped, port % 65535 + 1)


@given(st.ip_addresses(v=6))
def test_reading_an_address_never_fails(address):
    assert rules("::/0").permits(str(address), 80) is False
    assert rules().permits(str(address), 80) is True


@pytest.mark.parametrize("text", ["2130706433", "0x7f000001", "127.1", "localhost", "", "1.2.3.4.5", "::ffff:1.2.3.400"])
def test_a_text_that_is_no_address_is_not_permitted(text):
    assert not rules().permits(text, 80)


def test_a_zone_does_not_hide_an_address():
    assert not rules("fe80::/10").permits("fe80::1%eth0", 80)


def test_plain_ipv6_addresses_carry_nothing():
    for address in ("::1", "::", "2001:db8::1", "fe80::1", "2606:4700:0:0:1:2:3:4"):
        assert embedded_ipv4(ipaddress.IPv6Address(address)) == ()


def test_a_teredo_address_is_closed_if_its_server_or_its_client_is():
    client = ipaddress.IPv6Address(0x20010000 << 96 | 0x08080808 << 64 | (0x7F000001 ^ 0xFFFFFFFF))
    server = ipaddress.IPv6Address(0x20010000 << 96 | 0x7F000001 << 64 | (0x08080808 ^ 0xFFFFFFFF))
    ready = rules("127.0.0.0/8")
    assert [ready.permits(one, 80) for one in (client, server)] == [False, False]


def test_the_name_servers_of_the_machine_are_open_on_their_port_only():
    servers = frozenset({ipaddress.ip_address("127.0.0.53")})
    ready = rules("127.0.0.0/8", servers=lambda: servers)
    assert ready.permits("127.0.0.53", 53)
    assert not ready.permits("127.0.0.53", 80)
    assert not ready.permits("127.0.0.1", 53)


def test_name_servers_are_read_from_resolv_conf(tmp_path):
    file = tmp_path / "resolv.conf"
    file.write_text(
        "# comment\nsearch example.org\nnameserver 127.0.0.53\nnameserver  fe80::1%eth0\noptions edns0\nnameserver nonsense\nnameserver\n"
    )
    assert name_servers(file) == {ipaddress.ip_address("127.0.0.53"), ipaddress.ip_address("fe80::1")}
    assert name_servers(tmp_path / "none") == {ipaddress.ip_address("127.0.0.1")}


class World:
    """A resolver and a clock that a test sets."""

    def __init__(self, **names: list[str]) -> None:
        self.names = names
        self.now = 1000.0
        self.asked: list[str] = []

    def resolve(self, name: str) -> list[str]:
        self.asked.append(name)
        return self.names.get(name.partition(".")[0], [])


def test_a_name_opens_its_addresses_at_its_port():
    world = World(db=["10.0.0.5", "fd00::5"])
    ready = rules("10.0.0.0/8", "fd00::/8", allowed=("db.example.org:5432",), resolve=world.resolve)
    assert ready.permits("10.0.0.5", 5432)
    assert ready.permits("fd00::5", 5432)
    assert ready.permits("::ffff:10.0.0.5", 5432)
    assert not ready.permits("10.0.0.5", 5433)
    assert not ready.permits("10.0.0.6", 5432)


def test_a_name_is_resolved_when_it_matters_and_again_after_a_minute():
    world = World(db=["10.0.0.5"])
    opened = AllowList(("db.example.org:5432",), world.resolve, lambda: world.now)
    assert world.asked == []
    address = ipaddress.ip_address("10.0.0.5")
    assert opened.opens(address, 80) is False
    assert world.asked == []
    assert opened.opens(address, 5432)
    world.now += 59
    assert opened.opens(address, 5432)
    assert world.asked == ["db.example.org"]
    world.now += 2
    assert opened.opens(address, 5432)
    assert world.asked == ["db.example.org"] * 2


def test_an_address_stays_open_for_ten_minutes_after_the_name_gave_it():
    world = World(db=["10.0.0.5"])
    opened = AllowList(("db.example.org:5432",), world.resolve, lambda: world.now)
    old, new = map(ipaddress.ip_address, ("10.0.0.5", "10.0.0.6"))
    assert opened.opens(old, 5432)
    world.names["db"] = ["10.0.0.6"]
    world.now += 100
    assert opened.opens(new, 5432)
    assert opened.opens(old, 5432)
    world.now += 601
    assert not opened.opens(old, 5432)
    assert opened.opens(new, 5432)


def test_a_name_that_does_not_resolve_opens_nothing():
    assert not rules("10.0.0.0/8", allowed=("gone.example.org:80",), resolve=lambda _: ()).permits("10.0.0.1", 80)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("db.Example.org:5432", Destination("db.example.org", 5432)),
        ("db.example.org.:1", Destination("db.example.org", 1)),
        ("10.0.0.1:65535", Destination("10.0.0.1", 65535)),
        (" [fd00::1]:443 ", Destination("fd00::1", 443)),
    ],
)
def test_destinations_are_read(text, expected):
    assert parse_destination(text) == expected


@pytest.mark.parametrize("text", ["", "host", "host:", ":80", "host:0", "host:65536", "host:http", "host:-1", "fd00::1:443", "host:８０"])
def test_what_is_no_destination_is_an_error_that_says_so(text):
    with pytest.raises(InputError, match="is no destination"):
        parse_destination(text)


def test_what_is_no_network_is_an_error_that_says_so():
    with pytest.raises(InputError, match="is no network"):
        Rules(EgressPolicy(blocked=("10.0.0.0/64",)))


def test_deciding_needs_nothing_but_a_policy():
    assert Rules(EgressPolicy()).permits("127.0.0.1", 80)
    assert not Rules(EgressPolicy(blocked=("127.0.0.0/8",))).permits("127.0.0.1", 80)
