// Executes compiled jobs for the tests: one question per line of stdin, one answer per line of stdout.
'use strict'
const vm = require('node:vm')
const readline = require('node:readline')

const AsyncFunction = (async () => {}).constructor

function defer(fn, complete = (promise) => promise, error = (e) => { throw e }) {
  return (state) => complete(new Promise((resolve) => resolve(fn(state))).catch((e) => error(e, state)))
}

function describe(error) {
  const place = /job\.js:(\d+):(\d+)/.exec(error.stack) ?? []
  return { name: error.name, message: error.message, line: Number(place[1]), column: Number(place[2]) }
}

function surroundings(modules, context) {
  const log = []
  context.log = (value) => log.push(value)
  context.boom = () => { throw new Error('boom') }
  vm.createContext(context)
  return { log, context, modules: vm.runInContext(`(${modules ?? '{}'})`, context) }
}

async function walk(operations, state) {
  for (const operation of operations) state = await operation(state)
  return state
}

async function run({ script, modules, state }) {
  const { log, context, modules: loaded } = surroundings(modules, {})
  const exported = {}
  const thunks = []
  await new vm.Script(script, { filename: 'job.js', lineOffset: -1 }).runInContext(context)(loaded, exported, thunks, defer)
  log.push('loaded')
  const operations = [...(Array.isArray(exported.default) ? exported.default : [])]
  for (const thunk of thunks) operations.push(await thunk())
  const result = await walk(operations, state)
  return { log, result, count: operations.length, kinds: operations.map((one) => typeof one), exported, names: Object.keys(exported) }
}

async function runModule({ code, modules, state }) {
  const { log, context, modules: loaded } = surroundings(modules, {})
  loaded['@openfn/runtime'] = { defer }
  const link = async (specifier) => {
    const names = Object.keys(loaded[specifier])
    return new vm.SyntheticModule(names, function () { for (const name of names) this.setExport(name, loaded[specifier][name]) }, { context })
  }
  const module = new vm.SourceTextModule(code, { context, identifier: 'job.js' })
  await module.link(link)
  await module.evaluate()
  log.push('loaded')
  const result = await walk(module.namespace.default, state)
  return { log, result, count: module.namespace.default.length, names: Object.keys(module.namespace) }
}

function check({ script, body }) {
  new vm.Script(script, { lineOffset: -1 })
  if (body) new AsyncFunction(body)
  return {}
}

async function answer(question) {
  try {
    return await { run, runModule, check }[question.task](question)
  } catch (error) {
    return { error: describe(error) }
  }
}

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  process.stdout.write(JSON.stringify(await answer(JSON.parse(line))) + '\n')
})
