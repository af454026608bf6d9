"""Rows 18a–f of engine.md §11.2: ways to an address that the policy blocks, at level 1, at level 2, and at both."""

from __future__ import annotations

import pytest

from kivuko.engines.egress import Rules

# Each script says one thing; PORT is that of the listeners.
WAYS = {
    "18a address": "say('way', await tcp({ host: '127.66.66.66', port: PORT }))",
    "18a fetch": "say('way', await fetch('http://127.66.66.66:PORT').then(() => 'open', (e) => e.cause.code))",
    "18a http": """say('way', await new Promise((r) => {
        require('http').get('http://127.66.66.66:PORT', () => r('open')).on('error', (e) => r(e.code)) }))""",
    "18a tls": "say('way', await new Promise((r) => require('tls').connect(PORT, '127.66.66.66').on('error', (e) => r(e.code))))",
    "18a http2": """say('way', await new Promise((r) => {
        const session = require('http2').connect('http://127.66.66.66:PORT')
        session.on('connect', () => { r('open'); session.destroy() }).on('error', (e) => r(e.code)) }))""",
    "18c name": """const all = [{ address: '127.66.66.66', family: 4 }]
        const lookup = (host, options, done) => options.all ? done(null, all) : done(null, all[0].address, 4)
        say('way', await tcp({ host: 'innocent.example', port: PORT, lookup }))""",
    "18c rebinding": """let turn = 0
        const lookup = (host, options, done) => {
          const address = turn++ ? '127.66.66.66' : '127.0.0.2'
          options.all ? done(null, [{ address, family: 4 }]) : done(null, address, 4) }
        await tcp({ host: 'innocent.example', port: PORT, lookup })
        say('way', await tcp({ host: 'innocent.example', port: PORT, lookup }))""",
    "18d decimal": "say('way', await tcp({ host: '2135048770', port: PORT }))",
    "18d hexadecimal": "say('way', await tcp({ host: '0x7f424242', port: PORT }))",
    "18d octal": "say('way', await tcp({ host: '0177.0102.0102.0102', port: PORT }))",
    "18d short": "say('way', await tcp({ host: '127.4342338', port: PORT }))",
    "18d fetch": "say('way', await fetch('http://2135048770:PORT').then(() => 'open', (e) => e.cause.code))",
    "18e mapped": "say('way', await tcp({ host: '::ffff:127.66.66.66', port: PORT }))",
    "18e mapped hexadecimal": "say('way', await tcp({ host: '0:0:0:0:0:ffff:7f42:4242', port: PORT }))",
    "18e fetch": "say('way', await fetch('http://[::ffff:7f42:4242]:PORT').then(() => 'open', (e) => e.cause.code))",
    "udp": """const udp = require('dgram').createSocket('udp4')
        say('way', await new Promise((r) => udp.send('x', PORT, '127.66.66.66', (e) => r(e ? e.code : 'open')))); udp.close()""",
    "udp name": """const udp = require('dgram').createSocket('udp4')
        say('way', await new Promise((r) => udp.send(Buffer.from('x'), 0, 1, PORT, '0x7f424242', (e) => r(e ? e.code : 'open'))))
        udp.close()""",
    "udp connected": """const udp = require('dgram').createSocket('udp4')
        const connected = (e) => e ? r(e.code) : udp.send('x', () => r('open'))
        let r
        say('way', await new Promise((done) => { r = done; udp.connect(PORT, '127.66.66.66', connected) })); udp.close()""",
}

BINDINGS = {
    "18b binding": """const { TCP, TCPConnectWrap, constants } = process.binding('tcp_wrap')
        const handle = new TCP(constants.SOCKET), request = new TCPConnectWrap()
        request.oncomplete = (status) => { say('way', status === 0 ? 'open' : util.getSystemErrorName(status)); handle.close() }
        const status = handle.connect(request, '127.66.66.66', PORT)
        if (status) { say('way', util.getSystemErrorName(status)); handle.close() }""",
    "18f handle": """const socket = net.connect({ host: '127.0.0.1', port: PORT })
        await new Promise((r) => socket.on('connect', r))
        const prototype = Object.getPrototypeOf(socket._handle)
        let request
        const { connect } = prototype
        prototype.connect = function (wrap, ...rest) { request = wrap; return connect.call(this, wrap, ...rest) }
        const second = net.connect({ host: '127.0.0.1', port: PORT })
        await new Promise((r) => second.on('connect', r))
        prototype.connect = connect
        const handle = new socket._handle.constructor(0), wrap = new request.constructor()
        wrap.oncomplete = (status) => { say('way', status === 0 ? 'open' : util.getSystemErrorName(status)); handle.close() }
        const status = handle.connect(wrap, '127.66.66.66', PORT)
        if (status) { say('way', util.getSystemErrorName(status)); handle.close() }
        socket.destroy(); second.destroy()""",
}


def script(way: str, port: int) -> str:
    body = (WAYS | BINDINGS)[way].replace("PORT", str(port))
    return f"const util = require('util')\n{body}"


def assert_the_next_one_is_right(node, listeners, **levels) -> None:
    outcome = node(f"say('next', await tcp({{ host: 'localhost', family: 4, port: {listeners.port} }}))", **levels)
    assert (outcome.said, outcome.status) == ({"next": "open"}, 0)


@pytest.mark.parametrize("way", WAYS)
def test_level_one_blocks(node, listeners, policy, way):
    outcome = node(script(way, listeners.port), level_one=policy)
    listeners.settle()
    assert listeners.escapes == {}
    assert outcome.said["way"] == "EBLOCKED"
    assert_the_next_one_is_right(node, listeners, level_one=policy)


@pytest.mark.parametrize("way", [*WAYS, *BINDINGS])
def test_level_two_blocks(node, listeners, policy, level_two, way):
    outcome = node(script(way, listeners.port), rules=Rules(policy))
    listeners.settle()
    if level_two:
        assert listeners.escapes == {}
        assert outcome.said["way"] == "EACCES"
        assert {str(one.address) for one in outcome.refused} <= {"127.66.66.66", "::ffff:127.66.66.66", "::ffff:7f42:4242", "127.0.0.2"}
        assert outcome.refused
    assert_the_next_one_is_right(node, listeners, rules=Rules(policy))


@pytest.mark.parametrize("way", [*WAYS, *BINDINGS])
def test_both_levels_together_block(node, listeners, policy, level_two, way):
    outcome = node(script(way, listeners.port), level_one=policy, rules=Rules(policy))
    listeners.settle()
    if level_two or way in WAYS:
        assert listeners.escapes == {}
        assert outcome.said["way"] == ("EBLOCKED" if way in WAYS else "EACCES")
    assert_the_next_one_is_right(node, listeners, level_one=policy, rules=Rules(policy))


WEB_SOCKET = """say('way', await new Promise((r) => {
    const socket = new WebSocket('ws://127.66.66.66:PORT'); socket.onopen = () => r('open'); socket.onerror = () => r('refused') }))"""


@pytest.mark.parametrize("levels", [(1,), (2,), (1, 2)], ids=str)
def test_web_sockets_are_blocked(node, listeners, policy, level_two, levels):
    chosen = ({"level_one": policy} if 1 in levels else {}) | ({"rules": Rules(policy)} if 2 in levels else {})
    outcome = node(WEB_SOCKET.replace("PORT", str(listeners.port)), **chosen)
    listeners.settle()
    if 1 in levels or level_two:
        assert outcome.said["way"] == "refused"
        assert listeners.escapes == {}


@pytest.mark.parametrize("way", BINDINGS)
def test_level_one_alone_does_not_hold_code_that_reaches_node_s_bindings(node, listeners, policy, way):
    """Why level 2 exists. If this fails, Node has closed the hole, and engine.md §11.2 can say so."""
    outcome = node(script(way, listeners.port), level_one=policy)
    listeners.settle()
    assert outcome.said["way"] == "open"
    assert listeners.escapes == {("127.66.66.66", "tcp"): 1}


@pytest.mark.parametrize("way", [*WAYS, *BINDINGS])
def test_every_way_leads_there_when_nothing_blocks_it(node, listeners, way):
    with listeners.answering():
        node(script(way, listeners.port), confined=False)
    listeners.settle()
    assert listeners.escapes != {}
