'use strict'
// Values that leave a Run: state as JSON that never fails, and the arguments of console calls as people and machines read them.

const { stringify } = JSON
const { is, keys } = Object
const NEVER_JSON = /circular|BigInt/

/**
 * The JSON text of `value`, or undefined where JSON has none (undefined, a function, a symbol).
 *
 * What JSON.stringify refuses gets a place: a circle becomes "[Circular]", a BigInt its digits; `onBigInt` is told the path of each BigInt.
 * Throws what a getter or a toJSON of the job throws.
 */
function toJson(value, indent, onBigInt) {
  try {
    return stringify(value, null, indent)
  } catch (error) {
    if (!error || !NEVER_JSON.test(error.message)) throw error
    return stringify(value, tolerant(onBigInt), indent)
  }
}

function tolerant(onBigInt) {
  const holders = []
  const names = []
  return function (key, value) {
    while (holders.length && holders[holders.length - 1] !== this) {
      holders.pop()
      names.pop()
    }
    if (typeof value === 'bigint') {
      if (onBigInt) onBigInt([...names, key].filter((name) => name !== '').join('.'))
      return value.toString()
    }
    if (value !== null && typeof value === 'object') {
      if (holders.includes(value)) return '[Circular]'
      holders.push(value)
      names.push(key)
    }
    return value
  }
}

/** What a function or class is called in a log: [Function: name] or [class name]. */
function tag(value) {
  const name = typeof value.name === 'string' && value.name ? value.name : '(anonymous)'
  return /^class\b/.test(Function.prototype.toString.call(value)) ? `[class ${name}]` : `[Function: ${name}]`
}

function isError(value) {
  return Object.prototype.toString.call(value) === '[object Error]' || value instanceof Error
}

/** A copy of a logged object whose values under `configuration` are hidden, as OpenFn hides them. */
function masked(value) {
  if (Array.isArray(value) || !value.configuration) return value
  const hidden = {}
  for (const key of keys(Object(value.configuration))) hidden[key] = '****'
  return { ...value, configuration: hidden }
}

function special(json, text) {
  return { json: stringify(json), text }
}

/**
 * One argument of a console call as {json, text}: JSON text, and the readable form where it is not the plain one (else null).
 * `printStack` gives the printable stack of an Error.
 */
function logged(value, printStack) {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return { json: stringify(value), text: null }
    case 'number':
      return { json: stringify(value), text: Number.isFinite(value) && !is(value, -0) ? null : String(value) }
    case 'undefined':
      return special(null, 'undefined')
    case 'bigint':
    case 'symbol':
      return special(String(value), null)
    case 'function':
      return special(tag(value), null)
  }
  if (value === null) return { json: 'null', text: null }
  if (isError(value)) return special({ name: String(value.name), message: String(value.message) }, printStack(value))
  return loggedObject(value)
}

function loggedObject(value) {
  try {
    const json = toJson(masked(value))
    if (json === undefined) return special(null, 'undefined')
    return { json, text: json[0] === '"' ? json : null }
  } catch (error) {
    return special(`[unprintable: ${error && error.message}]`, null)
  }
}

module.exports = { isError, logged, toJson }
