'use strict'
// Loads one adaptor as a host would, without any job, and tells its export names. For a bundle it also writes V8's code cache beside it:
// taken after execution, so it holds what was needed; and into the manifest the names of what adaptors import.
//
//   node <flags of a host> bake.js <loader.js>   < JSON {specifier, key, form, file, write}   > JSON {ok, names, cached} or {ok, reason}

const fs = require('node:fs')
const path = require('node:path')
const { createLoader } = require(path.resolve(process.argv[2]))

async function main() {
  const wanted = JSON.parse(fs.readFileSync(0, 'utf8'))
  const loader = createLoader()
  await loader.preload([wanted])
  if (wanted.write) {
    for (const [file, data] of loader.codeCaches()) write(cacheOf(path.join(path.dirname(wanted.file), file), loader.cacheKey), data)
    const manifest = JSON.parse(fs.readFileSync(wanted.file, 'utf8'))
    write(wanted.file, JSON.stringify({ ...manifest, late: loader.importedNames() }))
  }
  return { ok: true, names: loader.names(wanted.key), cacheKey: loader.cacheKey }
}

const cacheOf = (script, key) => `${script.slice(0, -3)}.${key}.cache`

function write(file, data) {
  fs.writeFileSync(`${file}.${process.pid}`, data)
  fs.renameSync(`${file}.${process.pid}`, file)
}

main().then(
  answer => finish(answer),
  error => finish({ ok: false, reason: error.message }),
)

/** Adaptors may leave timers and sockets: do not wait for them. */
function finish(answer) {
  fs.writeSync(1, JSON.stringify(answer))
  process.exit(0)
}
