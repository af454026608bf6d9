'use strict'
// node loader_harness.js <loader.js>, stdin: {modules, late, program}; the program is the body of an async function of loader and modules.
const { createLoader } = require(process.argv[2])
const { modules, late, program } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'))
const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor

async function main() {
  const loader = createLoader({})
  await loader.preload(modules, { late })
  return await new AsyncFunction('loader', 'modules', program)(loader, modules)
}

main().then(
  value => console.log(JSON.stringify({ value })),
  error => console.log(JSON.stringify({ error: error.message, key: error.key })),
)
