'use strict'
// Turns installed adaptors into bundles: one file for third-party packages (vendor), one for language-common, one for the adaptor's own
// modules. Every module keeps its own function, so a host can share third-party modules between adaptors and make the modules of @openfn
// anew for each Attempt (engine.md §8.4). Nothing of a package is executed here: esbuild reads, resolves and rewrites.
//
//   node bundle.js <tools folder> <bundles folder>   < JSON {adaptors: [{name, version, folder}], root}   > JSON [{ok, …}]

const fs = require('node:fs')
const path = require('node:path')
const crypto = require('node:crypto')
const { isBuiltin } = require('node:module')
const { emit } = require('./emit.js')

const [toolsFolder, bundlesFolder] = process.argv.slice(2).map(folder => path.resolve(folder))
const esbuild = require(path.join(toolsFolder, 'node_modules', 'esbuild'))

class Unbundled extends Error {
  constructor(message, addons = false) {
    super(message)
    this.addons = addons
  }
}

const packages = new Map()

/** The package a file belongs to: that of its *last* node_modules, for a second undici may lie below @openfn/…. */
function packageOf(file) {
  const match = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(file)
  if (!match) throw new Unbundled(`${file} lies outside node_modules`)
  const folder = match[1]
  if (!packages.has(folder)) {
    const { name, version } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'))
    const kind = /^@openfn\//.test(name) ? (name === '@openfn/language-common' ? 'common' : 'adaptor') : 'vendor'
    packages.set(folder, { folder, name: name || path.basename(folder), version: version || '0.0.0', kind, signature: '' })
  }
  return packages.get(folder)
}

/** Entry file as the linker finds it: exports, main, index.js (jobs-and-runtime §2.10). */
function entryOf(folder) {
  const description = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'))
  const { exports: map, main } = description
  const point = typeof map === 'string' ? map : map && map['.']
  const named = typeof point === 'string' ? point : point && (typeof point.import === 'string' ? point.import : point.import && point.import.default)
  return resolveFile(path.join(folder, named || main || 'index.js'))
}

function resolveFile(file) {
  const candidates = [file, `${file}.js`, path.join(file, 'index.js')]
  const found = candidates.find(candidate => fs.existsSync(candidate) && fs.statSync(candidate).isFile())
  if (!found) throw new Unbundled(`its entry file ${file} does not exist`)
  return found
}

/** Reads everything below the entry files, resolved as Node does. Packages that are not installed (optional ones) become external. */
async function metafileOf(entryPoints, root) {
  const output = { bundle: true, write: false, metafile: true, outdir: root, platform: 'node', format: 'cjs', logLevel: 'silent' }
  const resolution = { absWorkingDir: root, mainFields: ['main'], conditions: [], preserveSymlinks: true, loader: { '.node': 'empty' } }
  const completeness = { treeShaking: false, ignoreAnnotations: true }
  const external = []
  for (;;) {
    try {
      return (await esbuild.build({ ...output, ...resolution, ...completeness, entryPoints, external })).metafile
    } catch (error) {
      const missing = (error.errors || []).map(({ text }) => /^Could not resolve "([^"]+)"/.exec(text))
      const names = missing.filter(Boolean).map(([, name]) => name).filter(name => !/^[./]/.test(name) && !external.includes(name))
      if (!names.length || missing.some(match => !match)) throw error
      external.push(...names)
    }
  }
}

/** The module graph below entry files: file → {format, text, links: [{original, file | builtin}]}. */
async function graphOf(entries, root) {
  const graph = new Map()
  for (const [name, { format, imports }] of Object.entries((await metafileOf(entries, root)).inputs)) {
    const file = path.join(root, name)
    check(file, root)
    const links = imports.map(({ original, path: target, external }) =>
      external ? { original: target, builtin: isBuiltin(target) } : { original, file: path.join(root, target) })
    graph.set(file, { format, text: fs.readFileSync(file, 'utf8'), links: links.filter(({ original }) => original) })
  }
  return graph
}

function check(file, root) {
  if (path.relative(root, file).startsWith('..')) throw new Unbundled(`it imports ${file}, outside the repo`)
  if (file.endsWith('.node')) throw new Unbundled(`it has a native addon, ${file}`, true)
}

/** Signature of a package: equal for two folders that hold the same versions all the way down, so hosts can share modules between trees. */
function sign(graph) {
  const own = new Map()
  for (const [file, { links }] of graph) {
    const from = packageOf(file)
    if (!own.has(from)) own.set(from, new Map())
    for (const { file: target } of links) {
      if (!target) continue
      const to = packageOf(target)
      if (to !== from) own.get(from).set(to.folder, to)
    }
  }
  const label = one => `${one.name}@${one.version}`
  for (const start of own.keys()) {
    const reached = new Set([start])
    for (const one of reached) for (const next of (own.get(one) || new Map()).values()) reached.add(next)
    const lines = [...reached].map(one => `${label(one)}>${[...(own.get(one) || new Map()).values()].map(label).sort()}`).sort()
    start.signature = crypto.createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 8)
  }
}

const bundled = new Map()

/** Common on its own, with all its entry points, so that every adaptor of the same tree of versions names the same files. */
async function bundleCommon(folder, root) {
  if (bundled.has(folder)) return bundled.get(folder)
  const { exports: map } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'))
  const points = Object.values(map && typeof map === 'object' ? map : {}).map(point => point && point.import).filter(point => typeof point === 'string')
  const entries = [...new Set([entryOf(folder), ...points.map(point => path.join(folder, point))])]
  const graph = await graphOf(entries, root)
  sign(graph)
  const result = await emit({ esbuild, graph, packageOf, bundlesFolder, known: new Set() })
  bundled.set(folder, result)
  return result
}

async function bundleAdaptor({ name, version, folder }, root) {
  const entry = entryOf(folder)
  const commonFolder = name === '@openfn/language-common' ? folder : path.join(folder, 'node_modules', '@openfn', 'language-common')
  const hoisted = path.join(root, '@openfn', 'language-common')
  const common = [commonFolder, hoisted].find(candidate => fs.existsSync(path.join(candidate, 'package.json')))
  const base = common ? await bundleCommon(common, root) : { scripts: [], ids: new Map(), readable: [] }
  const graph = await graphOf([entry], root)
  sign(graph)
  const own = await emit({ esbuild, graph, packageOf, bundlesFolder, known: new Set(base.ids.keys()) })
  return {
    name, version, entry: own.idOf(entry), scripts: [...base.scripts, ...own.scripts],
    readable: [...new Set([...base.readable, ...own.readable])].sort(),
  }
}

async function main() {
  const { adaptors, root } = JSON.parse(fs.readFileSync(0, 'utf8'))
  fs.mkdirSync(bundlesFolder, { recursive: true })
  const answers = []
  for (const adaptor of adaptors) {
    try {
      answers.push({ ok: true, ...(await bundleAdaptor(adaptor, root)) })
    } catch (error) {
      const reason = (error.errors || []).map(({ text }) => text).join('; ') || error.message
      answers.push({ ok: false, name: adaptor.name, version: adaptor.version, reason, addons: Boolean(error.addons) })
    }
  }
  process.stdout.write(JSON.stringify(answers))
}

main().catch(error => {
  process.stderr.write(`${error.stack}\n`)
  process.exitCode = 1
})
