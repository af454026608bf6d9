'use strict'
// State on its way into a job and out of it (jobs-and-runtime §2.5).
const { toJson } = require('./values.js')

const MEGABYTE = 1024 * 1024

/** Thrown when the output is larger than the limit. */
class StateTooLarge extends Error {}

/**
 * The input of a job: the step's default state under the incoming state; configuration from workflow credentials, incoming and the step's own,
 * later wins; data merged unless the incoming data is an array or no object. All objects are of the realm of `parse`, the JSON parser of the Run.
 */
function buildInput(incoming, { defaults, credentials, configuration }, parse) {
  const merged = (...parts) => Object.assign(parse('{}'), ...parts)
  const data = incoming && incoming.data
  const state = merged(defaults, incoming)
  state.configuration = merged(credentials, incoming && incoming.configuration, configuration)
  state.data = data && (Array.isArray(data) || typeof data !== 'object') ? data : merged(defaults && defaults.data, data)
  return state
}

/**
 * The output of a job as JSON text, or undefined when there is no state. `removed` are the top-level keys that stay behind.
 * Throws StateTooLarge, or what a getter of the job throws.
 */
function writeOutput(state, { removed, limitMb, onBigInt }) {
  if (state === undefined) return undefined
  if (state !== null && typeof state === 'object') for (const key of removed) delete state[key]
  return bounded(toJson(state, undefined, onBigInt), limitMb)
}

/** A JSON text (or undefined) when it is within the limit. Throws StateTooLarge. */
function bounded(text, limitMb) {
  if (text !== undefined && limitMb && text.length > (limitMb * MEGABYTE) / 3 && Buffer.byteLength(text) > limitMb * MEGABYTE) {
    throw new StateTooLarge(`State exceeds the limit of ${limitMb}mb`)
  }
  return text
}

module.exports = { StateTooLarge, bounded, buildInput, writeOutput }
