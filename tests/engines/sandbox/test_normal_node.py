"""Under all layers Node does everything that adaptors need."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kivuko.engines.sandbox import ALL_LAYERS, Layer

CERTIFICATE = Path(__file__).with_name("loopback.pem")

both = pytest.mark.parametrize("permission", [False, True], ids=["os", "both"])


class Answer(BaseHTTPRequestHandler):
    """Says what it was asked."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.upper())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def servers():
    """The ports of an HTTP and an HTTPS server on 127.0.0.1."""
    plain, secure = (ThreadingHTTPServer(("127.0.0.1", 0), Answer) for _ in range(2))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    threads = [threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01}) for one in (plain, secure)]
    for thread in threads:
        thread.start()
    yield plain.server_port, secure.server_port
    for one, thread in zip((plain, secure), threads, strict=True):
        one.shutdown()
        one.server_close()
        thread.join()


@both
def test_fetch_https_names_crypto_zlib_and_timers_work(node, servers, permission):
    plain, secure = servers
    outcome = node(
        f"""
        (async () => {{
          say('fetch', await fetch('http://localhost:{plain}/', {{ method: 'POST', body: 'habari' }}).then((r) => r.text()))
          say('secure', await new Promise((done, fail) => {{
            const options = {{ host: 'localhost', port: {secure}, method: 'POST', headers: {{ 'content-length': 2 }} }}
            require('https').request(options, (r) => {{ let t = ''; r.on('data', (d) => (t += d)).on('end', () => done(t)) }})
              .on('error', fail).end('ab')
          }}))
          say('lookup', (await require('dns').promises.lookup('localhost', {{ family: 4 }})).address)
          say('hash', require('crypto').createHash('sha256').update('').digest('hex').slice(0, 8))
          say('random', require('crypto').randomBytes(8).length)
          say('derived', (await require('util').promisify(require('crypto').pbkdf2)('a', 'b', 1000, 8, 'sha512')).length)
          say('zlib', require('zlib').gunzipSync(require('zlib').gzipSync('x'.repeat(1000))).length)
          await new Promise((done) => setTimeout(done, 1))
          say('zone', new Date(0).toString().includes('GMT+0200'))
          say('interfaces', Object.keys(require('os').networkInterfaces()).includes('lo'))
          say('wasm', WebAssembly.validate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])))
          say('worker', await new Promise((done) => {{
            try {{ new (require('worker_threads').Worker)('', {{ eval: true }}).on('exit', done).on('error', (e) => done(e.code)) }}
            catch (e) {{ done(e.code) }}
          }}))
        }})()
        """,
        permission=permission,
        env={"TZ": "Africa/Kigali", "NODE_EXTRA_CA_CERTS": str(CERTIFICATE)},
        flags=(f"--allow-fs-read={CERTIFICATE}",) if permission else (),
        readable=(str(CERTIFICATE),),
    )
    assert (outcome.status, outcome.errors) == (0, "")
    assert outcome.said == {
        "fetch": "HABARI",
        "secure": "AB",
        "lookup": "127.0.0.1",
        "hash": "e3b0c442",
        "random": 8,
        "derived": 8,
        "zlib": 1000,
        "zone": True,
        "interfaces": True,
        "wasm": True,
        "worker": "ERR_ACCESS_DENIED" if permission else 0,
    }


@both
@pytest.mark.parametrize("layer", sorted(ALL_LAYERS, key=str), ids=lambda layer: layer.value)
def test_node_starts_whatever_layer_is_switched_off(node, permission, layer):
    outcome = node("say('pid', process.pid > 0)", permission=permission, layers=ALL_LAYERS - {layer})
    assert (outcome.said, outcome.status) == ({"pid": True}, 0)


def test_datagrams_are_sent_and_received(node):
    outcome = node(
        """
        const socket = require('dgram').createSocket('udp4')
        socket.on('message', (m) => { say('got', String(m)); socket.close() })
        socket.bind(0, '127.0.0.1', () => socket.send('hello', socket.address().port, '127.0.0.1'))
        """
    )
    assert outcome.said == {"got": "hello"}


def test_a_file_that_was_granted_is_read_and_its_neighbour_is_not(node, lacks, tmp_path):
    for name in ("granted", "neighbour"):
        (tmp_path / name).write_text(name)
    outcome = node(
        f"for (const name of ['granted', 'neighbour']) attempt(name, () => fs.readFileSync({str(tmp_path)!r} + '/' + name, 'utf8'))",
        readable=(str(tmp_path / "granted"),),
    )
    assert outcome.said["granted"] == "granted"
    if not lacks(outcome, Layer.LANDLOCK):
        assert outcome.said["neighbour"] == "EACCES"
