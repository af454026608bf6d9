'use strict'
// Values that leave a Run: state as JSON that never fails, and the arguments of console calls as people and machines read them.

const { stringify } = JSON
const { is, keys } = Object
const NEVER_JSON = /circular|BigInt/
const MOST_DEPTH = 200
const MOST_LOGGED = 16 << 20

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

/** Whether a JSON text is nested deeper than other parsers like to read. */
function isTooDeep(json) {
  let depth = 0
  let inText = false
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (inText) {
      if (code === 92) at += 1
      else if (code === 34) inText = false
    } else if (code === 34) inText = true
    else if (code === 91 || code === 123) {
      depth += 1
      if (depth > MOST_DEPTH) return true
    } else if (code === 93 || code === 125) depth -= 1
  }
  return false
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
      return { json: stringify(value.length > MOST_LOGGED ? `${value.slice(0, MOST_LOGGED)}… (cut)` : value), text: null }
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
    if (json.length > MOST_LOGGED) return special(`[${json.length} characters of JSON: too long to print]`, null)
    if (json.length > 2 * MOST_DEPTH && isTooDeep(json)) return special(`[nested more than ${MOST_DEPTH} levels deep: not printed]`, null)
    return { json, text: json[0] === '"' ? json : null }
  } catch (error) {
    return special(`[unprintable: ${error && error.message}]`, null)
  }
}

module.exports = { isError, isTooDeep, logged, toJson }
