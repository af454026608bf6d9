'use strict'
// A host: one process that executes JavaScript Runs, one at a time, for one key (engine.md §6). It takes frames on descriptor 3 and
// answers on 4, log lines leave on 5; it knows no project, no database and no file but the modules it is given.
const { getHeapStatistics } = require('node:v8')
const wire = require('./wire.js')
const journal = require('./journal.js')
const edges = require('./edges.js')
const { createContext } = require('./context.js')
const { RunFault, checkScript, defer, passThrough, runJob } = require('./job.js')
const { columnOf } = require('./report.js')

const { stringify } = JSON
const UNCAUGHT_BETWEEN_RUNS = 87
// Asking for the resident memory opens a file: now and then is enough to see it grow
const RUNS_PER_LOOK = 16
// Node closes a destroyed socket at the end of a turn of its loop, and what hangs on it a turn later
const TURNS_TO_CLOSE = 4
const PENDING_READ = 'FSReqCallback'
const guard = { taken: null }
// Made when there is something to load or to guard: a host that only checks texts does without
let loader = null
let network = null
let attempt = { id: null, instance: null }
let failRun = null
let runs = 0
let rss = 0

globalThis.console = journal.adaptorConsole()

function onUncaught(error) {
  const text = String((error && error.stack) || error)
  if (!failRun) {
    journal.write('error', 'R/T', [`Uncaught error between runs: ${text}`])
    process.exit(UNCAUGHT_BETWEEN_RUNS)
  }
  const message = String((error && error.message) ?? error)
  failRun(new RunFault('ExecutionError', 'crash', message, { stack: text, uncaught: true }))
}
// Without it the process would end by itself when a job waits for a promise that nothing can settle
setInterval(() => {}, 0x7fffffff)
process.on('uncaughtException', onUncaught)
process.on('unhandledRejection', onUncaught)

/** Loads the modules of a key, and takes the snapshot that later Runs are compared with. */
async function preload({ modules, policy, guarded }) {
  if (modules.length || guarded || policy.blocked.length) {
    loader = require('./loader.js').createLoader({})
    network = require('../egress/egress.js').install(policy)
    await loader.preload(modules, { late: !guarded })
  }
  if (guarded) guard.taken = require('./guard.js').take(loader.objectsToGuard())
  const names = Object.fromEntries(modules.map(({ specifier, key }) => [specifier, loader.names(key)]))
  return { ok: true, names, node: process.version }
}

function modulesOf(job) {
  if (attempt.id !== job.attempt) {
    closeAttempt()
    attempt = { id: job.attempt, instance: loader && loader.instance() }
    if (network) network.beginAttempt()
  }
  const modules = { '@openfn/runtime': { defer } }
  for (const [specifier, key] of Object.entries(job.modules)) modules[specifier] = attempt.instance.get(key)
  return modules
}

/** To what the file of a stack frame belongs: an adaptor, a package of one, or null. */
function classify(file) {
  return loader && loader.classify(file)
}

function closeAttempt() {
  if (attempt.id !== null && network) network.destroySockets()
  attempt = { id: null, instance: null }
}

/** The fault of a Run that went wrong in the host itself, as far as it can be told. */
function unforeseen(error) {
  return { name: 'ExecutionError', severity: 'crash', message: `The engine failed: ${(error && error.message) ?? error}`, uncaught: true }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

/** Executes a Run and answers. A promise that is rejected with its last breath still belongs to it, so a turn of the loop is waited for. */
async function run(payload) {
  const begin = performance.now()
  const { meta: job, state: text } = wire.split(payload)
  const uncaught = new Promise((_, reject) => {
    failRun = reject
  })
  uncaught.catch(() => {})
  let result
  try {
    result = job.script === '' ? passThrough(job, text) : await runJob(job, text, modulesOf(job), { classify, uncaught })
    result = await Promise.race([uncaught, nextTurn().then(() => result)])
  } catch (error) {
    result = { fault: error instanceof RunFault ? error.fault : unforeseen(error), followed: {} }
  } finally {
    failRun = null
  }
  const ms = performance.now() - begin
  answerRun(job, result, ms, endsWith(job, result) ? await endWithRun() : undefined)
}

/** Whether the Attempt is over: its last Run went well and leads nowhere. */
function endsWith(job, { fault, failure, followed }) {
  return job.last && !fault && !failure && !Object.values(followed).includes(true)
}

/** Ends the Attempt before its last Run is answered; what is thrown meanwhile counts as left over. */
async function endWithRun() {
  const thrown = []
  failRun = (fault) => thrown.push(fault.message)
  const leftover = await endAttempt()
  failRun = null
  return leftover.concat(thrown)
}

function answerRun(job, { state, fault, followed, failure }, ms, leftover) {
  if (runs++ % RUNS_PER_LOOK === 0) rss = process.memoryUsage.rss()
  const { used_heap_size: heap } = getHeapStatistics()
  const dirty = guard.taken ? guard.taken.differences().concat(guard.taken.leftovers(PENDING_READ)) : []
  const meta = { id: job.run, ok: !fault, fault, followed, failure, ms, dirty, leftover, heap, rss, none: state === undefined }
  if (fault && fault.uncaught) meta.dirty = [...dirty, 'an uncaught error']
  wire.writeState('d', meta, state)
}

/** Ends an Attempt: its sockets are destroyed, its modules dropped. Gives what it left behind. */
async function endAttempt() {
  closeAttempt()
  let leftover = []
  for (let turn = 0; turn < TURNS_TO_CLOSE; turn++) {
    await nextTurn()
    leftover = guard.taken ? guard.taken.leftovers() : []
    if (leftover.length === 0) break
  }
  return leftover
}

function check({ kind, script, body, source, acorn, insertions = [] }) {
  try {
    if (kind === 'condition') edges.compile(script, createContext({}).context)
    else checkScript(script, body)
    return { ok: true }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return { ok: false, ...syntaxProblem(error, kind === 'condition' ? null : source, acorn, insertions) }
  }
}

/** Acorn's words for a syntax error, which people know; V8's with the place it marks where acorn accepts the text or is missing. */
function syntaxProblem(error, source, acorn, insertions) {
  if (source !== null && acorn) {
    try {
      require(acorn).parse(source, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true, allowAwaitOutsideFunction: true })
    } catch (refusal) {
      if (refusal.loc) return { message: refusal.message, line: refusal.loc.line, column: refusal.loc.column }
    }
  }
  const [, line] = /:(\d+)\n/.exec(error.stack) ?? []
  const marks = /\n( *)\^/.exec(error.stack)
  if (!line || !marks) return { message: error.message, line: null, column: null }
  return { message: error.message, line: Number(line), column: columnOf(insertions, Number(line), marks[1].length + 1) - 1 }
}

async function call({ key, name, arguments: values }) {
  const target = loader.instance().get(key)[name]
  if (typeof target !== 'function') return { missing: true }
  const result = await target(...values)
  return { value: result === undefined ? null : result }
}

/** Answers with a JSON document indented by two: pieces of its text, then an empty frame. */
function format(payload) {
  wire.writePieces('g', stringify(JSON.parse(payload.toString('utf8')), null, 2))
  wire.writeJson('f', '{}')
}

function problem(error) {
  return { ok: false, message: String((error && error.message) ?? error), stack: String((error && error.stack) ?? '') }
}

async function answer(type, work) {
  let reply
  try {
    reply = stringify(await work())
  } catch (error) {
    reply = stringify(problem(error))
  }
  wire.writeJson(type, reply)
}

async function serve() {
  for (let frame = wire.read(); frame !== null && frame.type !== 'Q'; frame = wire.read()) {
    const { type, payload } = frame
    const meta = () => JSON.parse(payload.toString('utf8'))
    if (type === 'R') await run(payload)
    else if (type === 'E') wire.writeJson('e', stringify({ leftover: await endAttempt(), rss }))
    else if (type === 'P') await answer('p', () => preload(meta()))
    else if (type === 'C') await answer('c', () => check(meta()))
    else if (type === 'X') await answer('x', () => call(meta()))
    else if (type === 'B') require('./builtins.js')
    else if (type === 'F') format(payload)
    else throw new Error(`frame of unknown type ${type}`)
  }
}

serve().then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`${(error && error.stack) || error}\n`)
    process.exit(70)
  },
)
