"""Level 1: what goes through, how a refusal looks, and which sockets an Attempt leaves behind."""

from __future__ import annotations

import pytest

from kivuko.engines.run import EgressPolicy
from kivuko.value import replace


def test_permitted_destinations_are_reached_by_address_and_name(node, listeners, policy):
    outcome = node(
        f"""
        const port = {listeners.port}
        say('address', await tcp({{ host: '127.0.0.1', port }}))
        say('name', await tcp({{ host: 'localhost', port, family: 4 }}))
        say('default', await tcp({{ port, family: 4 }}))
        say('arguments', await new Promise((r) => net.connect(port, '127.0.0.1', function () {{ r(this.remoteAddress); this.destroy() }})))
        say('text', await new Promise((r) => net.connect(String(port), '127.0.0.1', function () {{ r('open'); this.destroy() }})))
        say('reused', await new Promise((r) => {{
          const s = new net.Socket(); s.connect(port, '127.0.0.1', () => {{ r('open'); s.destroy() }}) }}))
        say('nobody', await tcp({{ host: '127.0.0.1', port: 1 }}))
        """,
        level_one=policy,
    )
    assert outcome.said == {
        "address": "open",
        "name": "open",
        "default": "open",
        "arguments": "127.0.0.1",
        "text": "open",
        "reused": "open",
        "nobody": "ECONNREFUSED",
    }
    assert outcome.status == 0


def test_only_permitted_addresses_of_a_name_are_tried(node, listeners, policy):
    outcome = node(
        f"""
        const all = ['127.66.66.66', '127.0.0.2', '127.0.0.1'].map((address) => ({{ address, family: 4 }}))
        const lookup = (host, options, done) => options.all ? done(null, all) : done(null, all[0].address, 4)
        say('all', await tcp({{ host: 'mixed.example', port: {listeners.port}, lookup }}))
        say('one', await tcp({{ host: 'mixed.example', port: {listeners.port}, lookup, autoSelectFamily: false }}))
        """,
        level_one=policy,
    )
    listeners.settle()
    assert outcome.said == {"all": "open", "one": "EBLOCKED"}
    assert listeners.escapes == {}


def test_errors_of_the_resolver_pass_through(node, policy):
    outcome = node(
        """
        const lookup = (host, options, done) => done(Object.assign(new Error('no'), { code: 'ENOTFOUND' }))
        say('unknown', await tcp({ host: 'gone.example', port: 80, lookup }))
        const strange = (host, options, done) => options.all ? done(null, []) : done(null, 'nonsense', 4)
        say('strange', await tcp({ host: 'gone.example', port: 80, lookup: strange, autoSelectFamily: false }))
        """,
        level_one=policy,
    )
    assert outcome.said == {"unknown": "ENOTFOUND", "strange": "ERR_INVALID_IP_ADDRESS"}


def test_a_refusal_names_the_destination_and_the_policy(node, policy):
    outcome = node(
        """
        const error = await new Promise((r) => net.connect(8080, '127.66.66.66').on('error', r))
        say('error', { message: error.message, code: error.code, syscall: error.syscall, address: error.address, port: error.port })
        """,
        level_one=policy,
    )
    message = "connect EBLOCKED 127.66.66.66:8080 (the egress policy of this Kivuko does not permit this destination)"
    assert outcome.said["error"] == {"message": message, "code": "EBLOCKED", "syscall": "connect", "address": "127.66.66.66", "port": 8080}


def test_a_refused_socket_fails_as_any_other_would(node, policy):
    outcome = node(
        """
        const seen = []
        const socket = net.connect(80, '127.66.66.66')
        seen.push(socket.connecting)
        socket.write('early', (e) => seen.push(e.code))
        for (const event of ['connect', 'ready', 'error', 'close']) socket.on(event, (e) => seen.push(event))
        await new Promise((r) => socket.on('close', r))
        say('seen', seen); say('destroyed', socket.destroyed)
        """,
        level_one=policy,
    )
    assert outcome.said["seen"][0] is True
    assert sorted(outcome.said["seen"][1:]) == ["ERR_SOCKET_CLOSED_BEFORE_CONNECTION", "close", "error"]
    assert outcome.said["destroyed"] is True


@pytest.mark.parametrize("permitted", [False, True])
def test_unix_sockets_follow_the_policy(node, policy, permitted):
    outcome = node(
        "say('unix', await tcp({ path: '/nowhere/kivuko.sock' }))", level_one=replace(policy, unix_sockets=permitted), confined=False
    )
    assert outcome.said["unix"] == ("ENOENT" if permitted else "EBLOCKED")


def test_unix_sockets_are_refused_even_when_no_address_is_blocked(node):
    assert node("say('unix', await tcp('/nowhere'))", level_one=EgressPolicy(unix_sockets=False), confined=False).said["unix"] == "EBLOCKED"


def test_single_destinations_can_be_opened_by_address_and_by_name(node, listeners, policy):
    allowed = (f"127.0.0.2:{listeners.port}", f"Inner.example:{listeners.port}")
    outcome = node(
        f"""
        const all = [{{ address: '127.66.66.66', family: 4 }}]
        const lookup = (host, options, done) => options.all ? done(null, all) : done(null, all[0].address, 4)
        say('address', await tcp({{ host: '127.0.0.2', port: {listeners.port} }}))
        say('port', await tcp({{ host: '127.0.0.2', port: 1 }}))
        say('name', await tcp({{ host: 'INNER.example.', port: {listeners.port}, lookup }}))
        say('other', await tcp({{ host: 'other.example', port: {listeners.port}, lookup }}))
        """,
        level_one=replace(policy, allowed=allowed),
    )
    assert outcome.said == {"address": "open", "port": "EBLOCKED", "name": "open", "other": "EBLOCKED"}


def test_the_policy_can_be_replaced(node, listeners, policy):
    outcome = node(
        f"""
        say('before', await tcp({{ host: '127.0.0.2', port: {listeners.port} }}))
        egress.setPolicy({{ blocked: [], allowed: [], unix_sockets: false }})
        say('after', await tcp({{ host: '127.0.0.2', port: {listeners.port} }}))
        egress.setPolicy({{ blocked: ['127.0.0.0/8'], allowed: [], unix_sockets: false }})
        say('closed', await tcp({{ host: '127.0.0.1', port: {listeners.port} }}))
        """,
        level_one=policy,
    )
    assert outcome.said == {"before": "EBLOCKED", "after": "open", "closed": "EBLOCKED"}


def test_datagrams_go_where_they_may_in_every_form(node, listeners, policy):
    outcome = node(
        f"""
        const udp = require('dgram').createSocket('udp4'), port = {listeners.port}
        const sent = (...args) => new Promise((r) => udp.send(...args, (e) => r(e ? e.code : 'sent')))
        say('short', await sent('a', port, '127.0.0.1'))
        say('name', await sent('b', port, 'localhost'))
        say('default', await sent('c', port))
        say('long', await sent(Buffer.from('xdx'), 1, 1, port, '127.0.0.1'))
        say('list', await sent([Buffer.from('e'), Buffer.from('f')], port, '127.0.0.1'))
        const error = await new Promise((r) => {{ udp.once('error', r); udp.send('x', port, '127.66.66.66') }})
        say('event', error.code)
        await new Promise((r) => udp.connect(port, '127.0.0.1', r))
        say('connected', await sent('g'))
        udp.close()
        """,
        level_one=policy,
    )
    listeners.settle()
    sent = dict.fromkeys(["short", "name", "default", "long", "list", "connected"], "sent")
    assert outcome.said == sent | {"event": "EBLOCKED"}
    assert sorted(listeners.datagrams) == [b"a", b"b", b"c", b"d", b"ef", b"g"]
    assert listeners.escapes == {}


def test_sockets_that_an_attempt_leaves_behind_are_destroyed(node, listeners):
    outcome = node(
        f"""
        const port = {listeners.port}
        const open = () => new Promise((r) => {{ const s = net.connect(port, '127.0.0.1', () => r(s)) }})
        egress.beginAttempt('first')
        const [one, two, closed] = [await open(), await open(), await open()]
        await new Promise((r) => closed.on('close', r).destroy())
        const udp = require('dgram').createSocket('udp4'); await new Promise((r) => udp.bind(0, '127.0.0.1', r))
        egress.beginAttempt('second')
        const three = await open()
        say('first', egress.destroySockets('first')); say('gone', [one.destroyed, two.destroyed, three.destroyed])
        say('again', egress.destroySockets('first'))
        say('current', egress.destroySockets()); say('last', three.destroyed)
        """,
        level_one=EgressPolicy(),
    )
    assert outcome.said == {"first": 3, "gone": [True, True, False], "again": 0, "current": 1, "last": True}
    assert (outcome.status, outcome.errors) == (0, "")


def test_idle_connections_of_fetch_are_destroyed_and_the_next_fetch_works(node):
    outcome = node(
        """
        const server = require('http').createServer((q, r) => r.end('hi')).listen(0, '127.0.0.1')
        await new Promise((r) => server.once('listening', r))
        const get = () => fetch(`http://127.0.0.1:${server.address().port}`).then((r) => r.text())
        egress.beginAttempt('a')
        say('first', await get()); say('destroyed', egress.destroySockets()); say('second', await get())
        server.close(); server.closeAllConnections()
        """,
        level_one=EgressPolicy(),
        confined=False,
    )
    assert outcome.said == {"first": "hi", "destroyed": 1, "second": "hi"}
