'use strict'
// The log of a Run: frames of type `l`, the console that a job sees, and the console of adaptors.
const { Console } = require('node:console')
const wire = require('./wire.js')
const { logged } = require('./values.js')

const { stringify } = JSON
const { freeze } = Object
const { hrtime } = process
const EPOCH = BigInt(Date.now()) * 1_000_000n - hrtime.bigint()
const LEVELS = ['debug', 'info', 'success', 'always', 'warn', 'error', 'print']
const noStack = (error) => String(error.stack ?? error)

/** The time now in nanoseconds since the epoch, as a text of digits. */
function now() {
  return (EPOCH + hrtime.bigint()).toString()
}

/** Writes one line: `values` are the arguments of a console call. */
function write(level, source, values, printStack = noStack) {
  const parts = values.map((value) => logged(value, printStack))
  const texts = parts.some((part) => part.text !== null) ? `,"x":${stringify(parts.map((part) => part.text))}` : ''
  const message = parts.map((part) => part.json).join(',')
  wire.writeLog(`{"l":"${level}","s":"${source}","t":${now()},"m":[${message}]${texts}}`)
}

/** Console for one job: the methods of OpenFn's job logger, frozen. */
function jobConsole(printStack) {
  const at = (level) => (...values) => write(level, 'JOB', values, printStack)
  const started = new Map()
  const console = Object.fromEntries(LEVELS.map((level) => [level, at(level)]))
  console.log = at('info')
  console.break = () => write('print', 'JOB', [], printStack)
  console.proxy = ({ level, message } = {}) => at(LEVELS.includes(level) ? level : 'info')(...[].concat(message))
  console.confirm = async () => {
    throw new Error('console.confirm asks a person, and nobody watches a running job')
  }
  console.timer = (name) => {
    const begin = started.get(name)
    if (begin === undefined) return void started.set(name, hrtime.bigint())
    started.delete(name)
    return `${Number((hrtime.bigint() - begin) / 1_000_000n)}ms`
  }
  for (const method of Object.values(console)) freeze(method)
  return freeze(console)
}

/** A console for adaptors and their packages: each line becomes a log line of source ADA. */
function adaptorConsole() {
  const stream = (level) => ({
    write: (text) => write(level, 'ADA', [text.replace(/\n$/, '')]),
    on() {},
    once() {},
    removeListener() {},
    listenerCount: () => 0,
  })
  return new Console({ stdout: stream('info'), stderr: stream('error'), ignoreErrors: false })
}

module.exports = { adaptorConsole, jobConsole, write }
