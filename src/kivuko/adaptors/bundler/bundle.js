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
    const { name, version, type } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'))
    const kind = /^@openfn\//.test(name) ? (name === '@openfn/language-common' ? 'common' : 'adaptor') : 'vendor'
    packages.set(folder, { folder, name: name || path.basename(folder), version: version || '0.0.0', type, kind, needs: new Map() })
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

/** Resolves as Node does, remembers what is missing instead of failing (optional packages), refuses files outside the tree. */
function resolver(root, missing) {
  const passed = Symbol('passed')
  return {
    name: 'kivuko-resolve',
    setup(build) {
      build.onResolve({ filter: /.*/ }, async args => {
        if (args.pluginData === passed || args.kind === 'entry-point') return undefined
        if (isBuiltin(args.path)) return { path: args.path, external: true }
        const { path: text, kind, importer, resolveDir } = args
        const found = await build.resolve(text, { kind, importer, resolveDir, pluginData: passed })
        if (found.errors.length || !path.isAbsolute(found.path)) {
          missing.add(text)
          return { path: text, external: true }
        }
        if (path.relative(root, found.path).startsWith('..')) throw new Unbundled(`${importer} imports ${found.path}, outside the repo`)
        if (found.path.endsWith('.node')) throw new Unbundled(`it has a native addon, ${found.path}`, true)
        return { path: found.path, pluginData: passed }
      })
    },
  }
}

/** The module graph below entry files: file → {format, imports: [{original, target | builtin}]}. */
async function graphOf(entries, root) {
  const missing = new Set()
  const options = { bundle: true, write: false, metafile: true, outdir: root, platform: 'node', format: 'cjs', absWorkingDir: root, logLevel: 'silent' }
  const resolution = { mainFields: ['main'], conditions: [], preserveSymlinks: true, plugins: [resolver(root, missing)] }
  const { metafile } = await esbuild.build({ ...options, ...resolution, entryPoints: entries, treeShaking: false, loader: { '.node': 'empty' } })
  const graph = new Map()
  for (const [name, { format, imports }] of Object.entries(metafile.inputs)) {
    const links = imports.filter(({ original, path: target, external }) => original || (external && target))
    graph.set(path.join(root, name), {
      format,
      links: links.map(({ original, path: target, external, kind }) =>
        external ? { original: target, builtin: isBuiltin(target), kind } : { original, file: path.join(root, target), kind }),
    })
  }
  return graph
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
      const reason = (error.errors || []).map(({ text, detail }) => (detail && detail.message) || text).join('; ') || error.message
      const addons = Boolean(error.addons || (error.errors || []).some(({ detail }) => detail && detail.addons))
      answers.push({ ok: false, name: adaptor.name, version: adaptor.version, reason, addons })
    }
  }
  process.stdout.write(JSON.stringify(answers))
}

main().catch(error => {
  process.stderr.write(`${error.stack}\n`)
  process.exitCode = 1
})
