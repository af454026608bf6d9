"""The rows of engine.md §11.2 that the operating system's layers answer, run without any JavaScript wall before them.

Each script is what a job can do after it has escaped its context. ``permission`` adds Node's own permission model (column "both").
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from kivuko.engines.sandbox import Layer

both = pytest.mark.parametrize("permission", [False, True], ids=["os", "both"])

REFUSALS = {"EACCES", "EPERM", "ERR_ACCESS_DENIED"}


@both
def test_01_files_of_the_system_cannot_be_read(hostile, lacks, permission):
    outcome = hostile("attempt('passwd', () => fs.readFileSync('/etc/passwd', 'utf8').length)", permission=permission)
    if permission or not lacks(outcome, Layer.LANDLOCK):
        assert outcome.said["passwd"] == ("ERR_ACCESS_DENIED" if permission else "EACCES")


@both
def test_01_folders_cannot_be_listed_and_links_of_proc_lead_nowhere(hostile, lacks, permission):
    outcome = hostile(
        """
        for (const place of ['/', '/root', '/home', '/tmp', '/proc/self/root/etc', '/proc/self/cwd/etc', '/proc/1'])
          attempt(place, () => fs.readdirSync(place).length)
        """,
        permission=permission,
    )
    if permission or not lacks(outcome, Layer.LANDLOCK):
        assert len(outcome.said) == 7
        assert set(outcome.said.values()) <= REFUSALS | {"ENOENT"}  # /home need not exist


@both
def test_02_the_environment_is_what_was_given_and_the_parents_cannot_be_read(hostile, lacks, monkeypatch, permission):
    monkeypatch.setenv("KIVUKO_TEST_SECRET", "hush")
    outcome = hostile(
        """
        say('own', process.env)
        for (const file of ['environ', 'cmdline', 'maps', 'mem', 'status'])
          attempt(file, () => fs.readFileSync(`/proc/${process.ppid}/${file}`, 'utf8').length)
        """,
        env={"TZ": "Africa/Kigali"},
        permission=permission,
    )
    own = outcome.said.pop("own")
    assert own == {"TZ": "Africa/Kigali"}
    if permission or not lacks(outcome, Layer.LANDLOCK):
        assert set(outcome.said.values()) <= REFUSALS


@both
def test_03_08_no_process_can_be_started(hostile, lacks, permission):
    outcome = hostile(
        """
        const { spawnSync, execSync, fork } = require('child_process')
        attempt('spawn', () => spawnSync('/usr/bin/id').error.code)
        attempt('exec', () => execSync('id').toString())
        let started = 0
        for (let i = 0; i < 30; i++) try { if (fork('/dev/null').pid) started++ } catch {}
        say('started', started)
        """,
        permission=permission,
    )
    if permission or not lacks(outcome, Layer.SECCOMP):
        refusals = REFUSALS | {"EAFNOSUPPORT"}  # Node asks for a pair of sockets before it forks
        assert outcome.said["spawn"] in refusals
        assert outcome.said["exec"] in refusals
        assert outcome.said["started"] == 0


@both
def test_06_a_heap_bomb_ends_with_node_saying_so(hostile, permission):
    outcome = hostile(
        "const all = []; for (;;) all.push(new Array(1e5).fill({}).map(() => ({ a: 1 })))",
        flags=("--max-old-space-size=64",),
        permission=permission,
    )
    assert outcome.status == -signal.SIGABRT
    assert "heap" in outcome.errors


@both
@pytest.mark.parametrize(
    "bomb",
    [
        "for (let i = 0; i < 30; i++) all.push(Buffer.alloc(100e6, 1))",
        "for (let i = 0; i < 30; i++) all.push(new Uint8Array(100e6).fill(1))",
        "all.push(new WebAssembly.Memory({ initial: 20000 })); new Uint8Array(all[0].buffer).fill(1)",
    ],
    ids=["buffers", "arrays", "wasm"],
)
def test_07_26_memory_outside_the_heap_is_bounded_and_the_process_survives(hostile, permission, bomb):
    script = f"const all = []; attempt('bomb', () => {{ {bomb}; return 'unbounded' }}); say('alive', true)"
    outcome = hostile(script, permission=permission, data_mb=1000)
    assert outcome.said == {"bomb": outcome.said["bomb"], "alive": True}
    assert outcome.said["bomb"] in ("ERR_MEMORY_ALLOCATION_FAILED", "RangeError")
    assert outcome.status == 0


@both
@pytest.mark.parametrize(("script", "status"), [("process.exit(7)", 7), ("process.abort()", -signal.SIGABRT)])
def test_10_ending_oneself_is_seen_by_the_parent(hostile, permission, script, status):
    assert hostile(script, permission=permission).status == status


@both
def test_19_no_other_process_can_be_signalled_and_the_own_one_can(hostile, lacks, permission):
    outcome = hostile(
        f"""
        for (const target of [process.ppid, {os.getpid()}, 1, -1, -process.ppid]) attempt(`kill ${{target}}`, () => process.kill(target, 0))
        attempt('own', () => process.kill(process.pid, 0))
        attempt('priority', () => {{ try {{ require('os').setPriority(process.ppid, 5) }} catch (e) {{ return e.info.code }} }})
        """,
        permission=permission,
    )
    assert outcome.said.pop("own") is True
    if not lacks(outcome, Layer.SECCOMP):
        assert len(outcome.said) >= 5
        assert set(outcome.said.values()) == {"EPERM"}


@both
def test_20_nothing_can_be_written(hostile, lacks, permission, tmp_path: Path):
    adaptor = tmp_path / "adaptor.js"
    adaptor.write_text("module.exports = 1")
    outcome = hostile(
        f"""
        const file = {str(adaptor)!r}, folder = {str(tmp_path)!r}
        attempt('new', () => fs.writeFileSync(folder + '/new', 'x'))
        attempt('poison', () => fs.writeFileSync(file, 'x'))
        attempt('append', () => fs.appendFileSync(file, 'x'))
        attempt('truncate', () => fs.truncateSync(file))
        attempt('rename', () => fs.renameSync(file, file + '2'))
        attempt('remove', () => fs.unlinkSync(file))
        attempt('mode', () => fs.chmodSync(file, 0))
        attempt('times', () => fs.utimesSync(file, 1, 1))
        attempt('link', () => fs.symlinkSync(file, folder + '/link'))
        attempt('hard', () => fs.linkSync(file, folder + '/hard'))
        attempt('folder', () => fs.mkdirSync(folder + '/sub'))
        attempt('temporary', () => fs.mkdtempSync('/tmp/x'))
        attempt('device', () => fs.writeFileSync('/dev/null', 'x'))
        attempt('memory', () => fs.writeFileSync('/proc/self/mem', 'x'))
        attempt('read', () => fs.readFileSync(file, 'utf8'))
        """,
        permission=permission,
        flags=(f"--allow-fs-read={adaptor}",) if permission else (),
        readable=(str(adaptor),),
    )
    assert outcome.said.pop("read") == "module.exports = 1"
    assert (adaptor.read_text(), os.listdir(tmp_path), adaptor.stat().st_mode & 0o777 != 0) == ("module.exports = 1", ["adaptor.js"], True)
    if permission or not lacks(outcome, Layer.SECCOMP, Layer.LANDLOCK):
        assert len(outcome.said) == 14
        assert set(outcome.said.values()) <= REFUSALS


@both
def test_22_the_inspector_snapshots_and_workers_give_nothing(hostile, lacks, permission):
    outcome = hostile(
        """
        attempt('inspector', () => { const i = require('inspector'); i.open(0, '127.0.0.1', false); return i.url() ?? 'closed' })
        attempt('snapshot', () => { require('v8').writeHeapSnapshot('/tmp/kivuko-snapshot'); return 'written' })
        const read = "require('worker_threads').parentPort.postMessage(require('fs').readFileSync('/etc/passwd', 'utf8').length)"
        try {
          const worker = new (require('worker_threads').Worker)(read, { eval: true })
          worker.on('message', (m) => say('worker', m)).on('error', (e) => say('worker', e.code))
        } catch (e) { say('worker', e.code) }
        """,
        permission=permission,
    )
    assert not os.path.exists("/tmp/kivuko-snapshot")
    if permission or not lacks(outcome, Layer.SECCOMP, Layer.LANDLOCK):
        assert outcome.said["inspector"] in REFUSALS | {"closed"}
        assert outcome.said["worker"] in REFUSALS
        assert outcome.said.get("snapshot") != "written"


@both
def test_28_a_library_that_is_not_permitted_cannot_be_loaded(hostile, lacks, permission, tmp_path: Path):
    library = tmp_path / "addon.node"
    library.write_bytes(b"\x7fELF")
    outcome = hostile(f"attempt('load', () => process.dlopen({{ exports: {{}} }}, {str(library)!r}))", permission=permission)
    if permission or not lacks(outcome, Layer.LANDLOCK):
        assert outcome.said["load"] == ("ERR_DLOPEN_DISABLED" if permission else "ERR_DLOPEN_FAILED")


@both
def test_nobody_can_be_listened_to(hostile, lacks, permission):
    outcome = hostile(
        """
        const server = require('net').createServer()
        server.on('error', (e) => say('tcp', e.code)).listen(0, '127.0.0.1', () => { say('tcp', 'listens'); server.close() })
        const local = require('net').createServer()
        local.on('error', (e) => say('unix', e.code)).listen('\\0kivuko-test', () => { say('unix', 'listens'); local.close() })
        """,
        permission=permission,
    )
    if not lacks(outcome, Layer.SECCOMP):
        assert outcome.said["tcp"] in REFUSALS
        assert outcome.said["unix"] in REFUSALS | {"EAFNOSUPPORT"}


@both
def test_the_sandbox_holds_for_every_program_that_replaces_the_own_one(hostile, lacks, permission):
    outcome = hostile(
        """
        attempt('execve', () => process.execve('/usr/bin/id', ['id'], {}))
        attempt('node', () => fs.readdirSync('/usr/bin').length)
        """,
        permission=permission,
    )
    if permission:
        assert outcome.said["execve"] == "ERR_ACCESS_DENIED"
    elif not lacks(outcome, Layer.LANDLOCK):
        assert "execve" not in outcome.said  # Node ends itself when the kernel refuses
        assert outcome.status != 0
