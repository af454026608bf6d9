'use strict'
// One Run: the job's script in a fresh context, its operations one after another, its output and its edges.
const vm = require('node:vm')
const { createContext, createTimers, jobNames } = require('./context.js')
const edges = require('./edges.js')
const journal = require('./journal.js')
const { RunFault, JOB_FILE, createReporter, invalidExports, invalidOperation, reportOf } = require('./report.js')
const { StateTooLarge, bounded, buildInput, writeOutput } = require('./state.js')
const { isError, toJson } = require('./values.js')

const SCRIPTS_KEPT = 200
// While an adaptor's execute prepares, e.g. connects, before it calls the first operation
const BEFORE_THE_FIRST = -1
const scripts = new Map()
const AsyncFunction = (async () => {}).constructor

/** The operation that stands for a promise chain: defer(fn, complete, error) of jobs-and-runtime §1.5. */
function defer(fn, complete = (promise) => promise, error) {
  return (state) => {
    let promise
    try {
      promise = Promise.resolve(fn(state))
    } catch (thrown) {
      promise = Promise.reject(thrown)
    }
    return complete(error ? promise.catch((thrown) => error(thrown, state)) : promise)
  }
}

/** The compiled script of a text, kept for the next Run of the same text. Throws V8's SyntaxError. */
function scriptOf(text, filename = JOB_FILE) {
  let script = scripts.get(text)
  if (script === undefined) {
    script = new vm.Script(text, { filename, lineOffset: -1 })
    if (scripts.size >= SCRIPTS_KEPT) scripts.delete(scripts.keys().next().value)
    scripts.set(text, script)
  }
  return script
}

/** Evaluates a compiled module in a context: {exports, thunks}. */
async function evaluateModule(text, filename, context, modules) {
  const exports = {}
  const thunks = []
  await scriptOf(text, filename).runInContext(context)(modules, exports, thunks, defer)
  return { exports, thunks }
}

/** The exports of the workflow's globals, frozen, evaluated anew in a context of their own. */
async function evaluateGlobals(text, names) {
  const { context } = createContext(names)
  try {
    const { exports } = await evaluateModule(text, 'globals', context, {})
    for (const value of Object.values(exports)) Object.freeze(value)
    return exports
  } catch (error) {
    if (isError(error)) error.message = `[globals] ${error.message}`
    throw error
  }
}

/** The list of operations of an evaluated job: its own default export first, then its top-level calls. */
async function operationsOf({ exports, thunks }, compiled) {
  const list = 'default' in exports ? exports.default : compiled ? [] : undefined
  if (!Array.isArray(list)) throw invalidExports()
  const operations = [...list]
  for (const thunk of thunks) operations.push(thunk.constructor.name === 'AsyncFunction' ? await thunk() : thunk())
  operations.forEach((operation, index) => {
    if (typeof operation !== 'function') throw invalidOperation(index)
  })
  return operations
}

/** The `execute` that reduces the operations: the job's own, else that of the only adaptor in use that has one, else null. */
function executeOf(exports, modules, specifiers) {
  if (typeof exports.execute === 'function') return exports.execute
  const found = specifiers.map((specifier) => modules[specifier].execute).filter((execute) => typeof execute === 'function')
  return found.length === 1 ? found[0] : null
}

/** What is known of a Run while it goes: which operation works, and the state that stands for "no state". */
function createSteps(job, clone, log) {
  const nothing = {}
  const steps = { nothing, running: null }
  steps.wrap = (operation, index) => async (given) => {
    const number = index + 1
    steps.running = index
    const begin = performance.now()
    if (job.debug) log('debug', `Starting operation ${number}`)
    if (!given || given === nothing) {
      log('warn', `WARNING: No state was passed into operation ${number}. Did the previous operation return state?`)
      given = clone('{}')
    }
    const result = await operation(job.immutable ? clone(JSON.stringify(given)) : given)
    if (job.debug) {
      log('debug', `Operation ${number} complete in ${Math.round(performance.now() - begin)}ms`)
      if (!result) log('debug', `Warning: operation ${number} did not return state`)
    }
    return result || nothing
  }
  return steps
}

async function reduce(operations, input) {
  let state = input
  for (const operation of operations) state = await operation(state)
  return state
}

async function execute(job, room, input, modules, timers) {
  const log = (level, text) => journal.write(level, 'R/T', [text])
  const names = jobNames(room.console, timers)
  const { context, parse, define } = (room.realm = createContext(names))
  const state = (room.state = input(parse))
  if (job.globals) define(await evaluateGlobals(job.globals, names), names)
  define({ state }, {})
  const module = await evaluateModule(job.script, JOB_FILE, context, modules)
  const steps = createSteps(job, parse, log)
  const operations = (await operationsOf(module, job.compiled)).map(steps.wrap)
  room.steps = steps
  steps.running = BEFORE_THE_FIRST
  if (job.debug) log('debug', `Executing expression (${operations.length} operations)`)
  const reducer = executeOf(module.exports, modules, job.executeFrom)
  const result = reducer ? await reducer(...operations)(state) : await reduce(operations, state)
  if (job.debug) log('debug', 'Expression complete!')
  return result === steps.nothing ? undefined : result
}

/** The input of the Run as a function of the JSON parser of its context. */
function inputOf(job, text) {
  return (parse) => {
    const read = (json) => (json === undefined || json === null ? undefined : parse(json))
    const own = { defaults: read(job.defaults), credentials: read(job.credentials), configuration: read(job.configuration) }
    return buildInput(text === '' ? undefined : parse(text), own, parse)
  }
}

/** The state of a Run that failed: its input with all mutations, and the report under the job's id. A frozen state is copied. */
function failedState(state, job, fault) {
  if (state === null || typeof state !== 'object') return state
  const report = reportOf(fault, job.secrets)
  const errors = state.errors !== null && typeof state.errors === 'object' ? state.errors : {}
  try {
    errors[job.id] = report
    state.errors = errors
    return state
  } catch {
    return { ...state, errors: { ...errors, [job.id]: report } }
  }
}

function outputFault(error) {
  if (error instanceof StateTooLarge) return { name: 'StateTooLargeError', severity: 'kill', message: error.message }
  return { name: 'JobError', severity: 'fail', message: `The state cannot be written as JSON: ${error && error.message}` }
}

/** Writes the output and decides the edges: {state, followed, failure, fault}. */
function finish(job, value, fault, room) {
  const onBigInt = (path) =>
    journal.write('error', 'R/T', [`State holds a BigInt at ${path || 'its top'}: it is passed on as a text of digits. Convert it, e.g. with Number() or String()`])
  if (typeof value === 'function') {
    fault = { name: 'JobError', severity: 'fail', message: 'The final state is a function: the last operation must return state' }
    value = failedState(room.state, job, fault)
  }
  try {
    return { fault, ...written(job, value, room, onBigInt) }
  } catch (error) {
    fault = outputFault(error)
    if (fault.severity === 'kill') return { fault, followed: {} }
    return { fault, ...written(job, failedState({ data: {} }, job, fault), room, onBigInt) }
  }
}

/** The output as text, and the edges: conditions that are more than words see, and may change, what goes downstream. */
function written(job, value, room, onBigInt) {
  const text = writeOutput(value, { removed: job.removed, limitMb: job.stateMb, onBigInt })
  if (!job.edges.some(([, condition]) => edges.isExpression(condition))) {
    return { state: text, ...edges.evaluate(job.edges, value, job.id, room.console) }
  }
  const downstream = text === undefined ? undefined : room.realm.parse(text)
  const decided = edges.evaluate(job.edges, downstream, job.id, room.console)
  return { state: downstream === undefined ? undefined : bounded(toJson(downstream, undefined, onBigInt), job.stateMb), ...decided }
}

/** A room holds what one Run has open: console, timers, context, the state that a failure reports. */
function createRoom(reporter) {
  const console = journal.jobConsole(reporter.printStack)
  return { console, state: undefined, steps: null, realm: null }
}

/**
 * Executes one Run. `job` is the meta of a run frame, `text` the input state, `modules` the loaded modules by specifier; `uncaught` is a promise
 * that rejects with {name: 'ExecutionError', …} when something is thrown outside the job's own promises. Gives {state, fault, followed, failure}.
 */
async function runJob(job, text, modules, { classify, uncaught }) {
  const reporter = createReporter({ job, classify })
  const timers = createTimers()
  const room = createRoom(reporter)
  try {
    const value = await Promise.race([execute(job, room, inputOf(job, text), modules, timers), uncaught])
    return finish(job, value, null, room)
  } catch (error) {
    const fault = reporter.classifyThrown(error, room.steps ? room.steps.running : null)
    if (fault.severity !== 'fail') return { fault, followed: {} }
    return finish(job, failedState(room.state, job, fault), fault, room)
  } finally {
    timers.clear()
  }
}

/** A Run without a job: the input passes through untouched, only the edges are decided (edges that leave a Trigger). */
function passThrough(job, text) {
  const { console } = createRoom(createReporter({ job, classify: () => null }))
  const state = text === '' ? undefined : createContext({ console }).parse(text)
  const decided = edges.evaluate(job.edges, state, job.id, console)
  return { state: state === undefined ? undefined : toJson(state), fault: null, ...decided }
}

/** Checks that a text compiles as a script, and, where the compiler was in doubt, that the body alone does too. Throws SyntaxError. */
function checkScript(text, body) {
  scriptOf(text)
  if (body !== null && body !== undefined) new AsyncFunction(`'use strict';${body}\n`)
}

module.exports = { RunFault, checkScript, defer, passThrough, runJob }
