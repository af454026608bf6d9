'use strict'
// What went wrong in a Run, in OpenFn's words: classification by origin (jobs-and-runtime §3.2), position in the author's own text, and the
// report that stands in state.errors.
const { isError, isTooDeep, toJson } = require('./values.js')

const JOB_FILE = 'vm:module(0)'
const FRAME = /^\s+at (?:async )?(?:(.*?) \()?(.*?):(\d+):(\d+)\)?$/
const STACK_LENGTH = 4000
// These texts are OpenFn's where jobs' authors and the conformance cases read them.
const INVALID_OPERATION_FIX =
  'Ensure all top-level function or method calls are wrapped in an operation, like fn(): fn(state => { …; return state; })'

/** An error of the runtime itself, recognised by identity and not by its name. */
class RunFault extends Error {
  constructor(name, severity, message, more = {}) {
    super(message)
    this.fault = { name, severity, message, ...more }
  }
}

function invalidOperation(index) {
  return new RunFault('InvalidOperationError', 'crash', `Invalid operation at statement ${index}`, { fix: INVALID_OPERATION_FIX })
}

function invalidExports() {
  return new RunFault('InvalidExportsError', 'crash', 'Invalid exports in job expression: exports must be an array', {
    fix: 'Ensure job code has been compiled before calling the runtime: it ends with export default [ operation, … ]',
  })
}

/** The frames of an error's stack as {name, file, line, column}; an empty list when there is none. */
function frames(error) {
  let stack
  try {
    stack = error.stack
  } catch {
    return []
  }
  if (typeof stack !== 'string') return []
  return stack
    .split('\n')
    .map((text) => FRAME.exec(text))
    .filter(Boolean)
    .map((match) => ({ name: match[1] || '', file: match[2], line: Number(match[3]), column: Number(match[4]) }))
}

/** The author's column (1-based) of a place in the host script, whose line holds `insertions` ([line, column, length]) of the compiler. */
function columnOf(insertions, line, column) {
  let shift = 0
  for (const [at, start, length] of insertions) {
    if (at === line && start < column - 1) shift += Math.min(length, column - 1 - start)
  }
  return column - shift
}

/** A reporter for one Run: knows the job's text, its insertions and operations, and which files belong to adaptors. */
function createReporter({ job, classify }) {
  const lines = job.source.split(/\r\n|[\n\r\u2028\u2029]/)

  const authorColumn = (line, column) => columnOf(job.insertions, line, column)

  function position(frame) {
    if (!frame) return { line: null, column: null }
    const pos = { line: frame.line, column: authorColumn(frame.line, frame.column) }
    if (lines[frame.line - 1] !== undefined) pos.src = lines[frame.line - 1]
    return pos
  }

  const isJob = (frame) => frame.file === JOB_FILE
  const isAdaptor = (frame) => !isJob(frame) && classify(frame.file) !== null
  const unnamed = (name) => name === '' || name.endsWith('<anonymous>')

  /** The stack as people read it: the message, then the frames of the job (in the author's columns) and of adaptors. */
  function printStack(error, head = `${constructorName(error)}: ${String(error.message)}`) {
    const shown = frames(error).filter((frame) => isJob(frame) || isAdaptor(frame))
    const body = shown.map((frame) => {
      const file = isJob(frame) ? JOB_FILE : frame.file.replace(/^.*?(@openfn\/|node_modules\/)/, '$1')
      const column = isJob(frame) ? authorColumn(frame.line, frame.column) : frame.column
      return unnamed(frame.name) ? `    at ${file}:${frame.line}:${column}` : `    at ${frame.name} (${file}:${frame.line}:${column})`
    })
    return [head, ...body].join('\n').slice(0, STACK_LENGTH)
  }

  function located(error, fault, found) {
    const pos = position(found.find(isJob))
    const head = fault.name === 'SecurityError' ? `${fault.name}: ${fault.message}` : undefined
    return { ...fault, pos, step: job.name, stack: printStack(error, head) }
  }

  /** For people only: the operation that was running, of an error that leads to no place in the job. state.errors does not hold it. */
  function whereabouts(found, operation) {
    const [name, line] = found.some(isJob) ? [] : (job.operations[operation] ?? [])
    return line === undefined ? {} : { running: { name, line } }
  }

  function fromAdaptor(error, found, operation) {
    const message = String(error.message ?? '')
    const fault = { name: 'AdaptorError', severity: 'fail', message, details: { message, ...plain(error) }, stack: printStack(error) }
    const frame = found.find(isJob)
    if (frame) return { ...fault, pos: position(frame), step: job.name }
    const [name, line] = job.operations[operation] ?? []
    return { ...fault, operationName: name, line }
  }

  /**
   * The fault of a thrown value: {name, severity, message, …}. `operation` is the 0-based index of the operation that was running, or null
   * while the job's text was being evaluated. A value that throws when it is read is a JobError, too.
   */
  function classifyThrown(error, operation) {
    try {
      return classified(error, operation)
    } catch {
      return { name: 'JobError', severity: 'fail', message: 'A value was thrown that cannot be read' }
    }
  }

  function classified(error, operation) {
    if (error instanceof RunFault) return error.fault
    if (error === null || error === undefined) {
      const message = `TypeError: ${error} was thrown instead of an error`
      return { name: 'RuntimeError', severity: 'fail', message, subtype: 'TypeError', pos: position(null), step: job.name }
    }
    const found = isError(error) ? frames(error) : []
    const relevant = found.find((frame) => isJob(frame) || isAdaptor(frame))
    if (operation !== null && relevant && isAdaptor(relevant)) return fromAdaptor(error, found, operation)
    return { ...fromJob(error, found, relevant), ...whereabouts(found, operation) }
  }

  function fromJob(error, found, relevant) {
    const subtype = constructorName(error)
    const text = typeof error === 'string' ? error : String(error.message ?? '')
    const named = { message: `${subtype}: ${text}`, subtype }
    if (/RangeError|TypeError/.test(subtype)) return located(error, { name: 'RuntimeError', severity: 'fail', ...named }, found)
    if (/ReferenceError|SyntaxError/.test(subtype)) {
      const helper = relevant && isJob(relevant) && !unnamed(relevant.name)
      const fault = helper ? { name: 'RuntimeError', severity: 'fail' } : { name: 'RuntimeCrash', severity: 'crash' }
      return located(error, { ...fault, ...named }, found)
    }
    if (error.severity === 'crash') {
      const more = { fix: error.fix, details: error.details === undefined ? undefined : plainValue(error.details) }
      return located(error, { name: 'RuntimeCrash', severity: 'crash', ...named, ...more }, found)
    }
    if (subtype === 'EvalError') {
      return located(error, { name: 'SecurityError', severity: 'kill', message: 'Illegal eval statement detected' }, found)
    }
    const thrown = text === '' ? plainValue(error) : undefined
    return { name: 'JobError', severity: 'fail', message: text, at: position(found.find(isJob)), thrown }
  }

  return { classifyThrown, printStack, position, frames }
}

function constructorName(error) {
  try {
    return String(error.constructor.name || error.name || 'Error')
  } catch {
    return 'Error'
  }
}

function plainValue(value) {
  try {
    const text = toJson(value)
    return text === undefined || isTooDeep(text) ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

function plain(error) {
  const value = plainValue(error)
  return value !== null && typeof value === 'object' ? value : {}
}

/** A JSON value in which every text of `secrets` is hidden, in keys and values. */
function scrubbed(value, secrets) {
  if (typeof value === 'string') return secrets.reduce((text, secret) => text.replaceAll(secret, '****'), value)
  if (Array.isArray(value)) return value.map((item) => scrubbed(item, secrets))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [scrubbed(key, secrets), scrubbed(item, secrets)]))
}

/** What stands in state.errors for a fault, without the texts of `secrets`. */
function reportOf(fault, secrets) {
  const { name, severity, message, subtype, details, pos, step, operationName, line } = fault
  const report = { source: 'runtime', name, severity, message }
  for (const [key, value] of Object.entries({ subtype, details, pos, step, operationName, line })) {
    if (value !== undefined) report[key] = value
  }
  return secrets.length ? scrubbed(report, secrets) : report
}

module.exports = { JOB_FILE, RunFault, columnOf, createReporter, invalidExports, invalidOperation, reportOf }
