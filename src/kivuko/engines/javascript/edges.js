'use strict'
// Which edges are followed after a job (jobs-and-runtime §2.3).
const vm = require('node:vm')
const { createContext } = require('./context.js')

const failed = (state, id) => Boolean(state && state.errors && state.errors[id])
const WORDS = {
  always: () => true,
  never: () => false,
  on_job_success: (state, id) => !failed(state, id),
  on_upstream_success: (state, id) => !failed(state, id),
  on_job_failure: failed,
  on_upstream_fail: failed,
}

/** Compiles a condition to a function of (state, upstreamStepId) in a context. Throws its SyntaxError. */
function compile(text, context) {
  return vm.compileFunction(`return ${text.trimStart()}`, ['state', 'upstreamStepId'], { parsingContext: context, filename: 'edge' })
}

/** True when a condition is more than a word, so that it may read or change the state in ways only JavaScript knows. */
function isExpression(condition) {
  return condition !== true && !Object.hasOwn(WORDS, condition)
}

/**
 * Evaluates `edges` ([target, condition]) on `state` in order: {followed: {target: boolean}, failure: [target, message] or null}.
 * The first condition that throws ends the evaluation.
 */
function evaluate(edges, state, jobId, console) {
  const followed = {}
  let context
  for (const [target, condition] of edges) {
    if (condition === true) followed[target] = true
    else if (!isExpression(condition)) followed[target] = WORDS[condition](state, jobId)
    else {
      try {
        context ??= createContext({ console }).context
        followed[target] = Boolean(compile(condition, context)(state, jobId))
      } catch (error) {
        return { followed, failure: [target, `${(error && error.name) || 'Error'}: ${(error && error.message) ?? error}`] }
      }
    }
  }
  return { followed, failure: null }
}

module.exports = { compile, evaluate, isExpression }
