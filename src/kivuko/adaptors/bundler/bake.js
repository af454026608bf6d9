'use strict'
// Loads one adaptor as a host would, without any job, and tells its export names. For a bundle it also gives V8's code caches, taken after
// execution, so that they hold what was needed, and the names of what adaptors import. It writes nothing but its answer: the adaptor's code
// runs here, and its process may write nothing else.
//
//   node <flags of a host> bake.js <loader.js>   < 3: JSON {specifier, key, form, file}
//   > 4: JSON {ok, names, cacheKey, caches: [[script, bytes], …], late} or {ok, reason}, a line break, the caches one after the other

const fs = require('node:fs')
const path = require('node:path')
const { createLoader } = require(path.resolve(process.argv[2]))

const { writeSync } = fs
const { parse, stringify } = JSON
const exit = process.exit.bind(process)

async function main() {
  const wanted = parse(fs.readFileSync(3, 'utf8'))
  const loader = createLoader()
  await loader.preload([wanted])
  const isBundle = wanted.form === 'bundle'
  const caches = isBundle ? loader.codeCaches() : []
  const sizes = caches.map(([file, data]) => [file, data.length])
  const late = isBundle ? loader.importedNames() : {}
  const answer = { ok: true, names: loader.names(wanted.key), cacheKey: loader.cacheKey, caches: sizes, late }
  finish(answer, caches.map(([, data]) => data))
}

/** Adaptors may leave timers and sockets: do not wait for them. */
function finish(answer, pieces = []) {
  for (const piece of [Buffer.from(`${stringify(answer)}\n`), ...pieces]) {
    for (let at = 0; at < piece.length;) at += writeSync(4, piece, at)
  }
  exit(0)
}

main().catch(error => finish({ ok: false, reason: String(error && error.message) }))
