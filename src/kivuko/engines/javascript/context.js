'use strict'
// The fresh vm context of a Run: ECMAScript, and exactly the names of jobs-and-runtime §2.7.
const vm = require('node:vm')

const { freeze, defineProperty } = Object
const BOOT = new vm.Script('({ parse: JSON.parse, global: globalThis, fixed: [parseInt, parseFloat].map(Object.freeze) })', { filename: 'kivuko:boot' })
const FIXED = new Set(['parseInt', 'parseFloat'])
const SEALED = { strings: false, wasm: false }
const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis

/** Buffer without its constructor, as jobs may use it. */
const JobBuffer = freeze(
  Object.assign(
    function Buffer() {
      throw new Error('Do not call Buffer() constructor directly: use Buffer.from(), Buffer.alloc() or Buffer.concat()')
    },
    { prototype: Buffer.prototype },
    Object.fromEntries(
      ['alloc', 'allocUnsafe', 'allocUnsafeSlow', 'byteLength', 'compare', 'concat', 'copyBytesFrom', 'from', 'isBuffer', 'isEncoding', 'of'].map(
        (name) => [name, Buffer[name]],
      ),
    ),
    { poolSize: Buffer.poolSize },
  ),
)

/** Timers that belong to one Run: {setTimeout, setInterval, clearTimeout, clearInterval}, and `clear()` for its end. */
function createTimers() {
  const running = new Set()
  let over = false
  const start = (begin, repeats) => (callback, delay, ...values) => {
    if (over) return undefined
    const once = (...given) => {
      running.delete(timer)
      return callback(...given)
    }
    const timer = begin(repeats || typeof callback !== 'function' ? callback : once, delay, ...values)
    running.add(timer)
    return timer
  }
  const stop = (end) => (timer) => {
    running.delete(timer)
    end(timer)
  }
  const names = {
    setTimeout: freeze(start(setTimeout, false)),
    setInterval: freeze(start(setInterval, true)),
    clearTimeout: freeze(stop(clearTimeout)),
    clearInterval: freeze(stop(clearInterval)),
  }
  return {
    names,
    clear() {
      over = true
      for (const timer of running) clearTimeout(timer)
      running.clear()
    },
  }
}

/**
 * A fresh context whose global constants are `names`: {context, parse, define}. `define(values, taken)` adds further globals, except
 * those that have a name in `taken` or of a fixed function.
 */
function createContext(names) {
  const context = vm.createContext(vm.constants.DONT_CONTEXTIFY, { codeGeneration: SEALED })
  const { parse, global } = BOOT.runInContext(context)
  const define = (values, taken) => {
    for (const [name, value] of Object.entries(values)) {
      if (name in taken || FIXED.has(name)) continue
      defineProperty(global, name, { value, writable: true, configurable: true, enumerable: true })
    }
  }
  define(names, {})
  return { context, parse, define }
}

/** The names of a job's context besides ECMAScript's own: console, timers, Buffer. */
function jobNames(console, timers) {
  return { console, ...timers.names, Buffer: JobBuffer }
}

module.exports = { createContext, createTimers, jobNames }
