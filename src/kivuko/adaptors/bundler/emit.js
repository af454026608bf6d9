'use strict'
// Writes the modules of a graph as bundle files.
//
// A bundle is one script: first line a comment with a JSON table, then an array of functions, one per module. Table: {ids, modules}, where
// modules[i] = [esm, deps, place]: esm 1 or 0; deps maps a specifier to an index of ids; place = [folder, file] for modules that ask
// where they are. ids[i] names modules[i]; ids beyond modules.length are modules of other bundles and Node's builtins (node:…).

const fs = require('node:fs')
const path = require('node:path')
const crypto = require('node:crypto')

const KINDS = ['vendor', 'common', 'adaptor']
const LARGE = 50_000 // characters

async function emit({ esbuild, graph, packageOf, bundlesFolder, known }) {
  const idOf = file => identify(file, graph, packageOf)
  const ids = new Map()
  const readable = new Set()
  const files = []
  for (const file of graph.keys()) {
    const id = idOf(file)
    ids.set(id, file)
    if (known.has(id)) continue
    files.push(file)
    if (asksWhere(graph.get(file).text)) readable.add(packageOf(file).folder)
  }
  const scripts = []
  for (const [name, members] of grouped(files.sort(), graph, packageOf)) {
    const { kind } = packageOf(members[0])
    const content = await scriptOf({ esbuild, graph, packageOf, idOf, files: members, strict: kind !== 'vendor' })
    const holds = [...new Set(members.map(file => idOf(file).slice(0, -insideOf(file, packageOf).length)))]
    scripts.push({ kind, name, file: write(bundlesFolder, content), holds })
  }
  scripts.sort((one, other) => KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind))
  return { scripts, ids, idOf, readable: [...readable] }
}

/** Large third-party packages get a file of their own, which a host may leave unread; the small ones share one: a file costs 0.2 ms. */
function grouped(files, graph, packageOf) {
  const sizes = new Map()
  const groups = new Map()
  for (const file of files) sizes.set(packageOf(file), (sizes.get(packageOf(file)) || 0) + graph.get(file).text.length)
  for (const file of files) {
    const owner = packageOf(file)
    const isOwn = owner.kind !== 'vendor' || sizes.get(owner) > LARGE
    const group = isOwn ? `${owner.name}@${owner.version}` : 'vendor'
    if (!groups.has(group)) groups.set(group, [])
    groups.get(group).push(file)
  }
  return groups
}

const insideOf = (file, packageOf) => path.relative(packageOf(file).folder, file).split(path.sep).join('/')

function identify(file, graph, packageOf) {
  const { folder, name, version, signature } = packageOf(file)
  const node = graph.get(file)
  // A module that asks where it lies is only the same module at the same place.
  const place = node && asksWhere(node.text) ? `#${digest(folder).slice(0, 8)}` : ''
  return `${name}@${version}#${signature}${place}/${insideOf(file, packageOf)}`
}

/** Whether a module may read files that lie beside it. A bare __filename (undici tidies its stacks with it) does not count. */
function asksWhere(text) {
  return /\b__dirname\b|\bdirname\(__filename\)|\bimport\.meta\b|\bcreateRequire\b/.test(text)
}

async function scriptOf({ esbuild, graph, packageOf, idOf, files, strict }) {
  const own = files.map(idOf)
  const index = new Map(own.map((id, position) => [id, position]))
  const ids = [...own]
  const number = id => {
    if (!index.has(id)) index.set(id, ids.push(id) - 1)
    return index.get(id)
  }
  const functions = await Promise.all(files.map(file => functionOf({ esbuild, file, node: graph.get(file), owner: packageOf(file), strict })))
  const modules = files.map(file => {
    const { links, text } = graph.get(file)
    const deps = {}
    for (const { original, file: target, builtin } of links) {
      if (target) deps[original] = number(idOf(target))
      else if (builtin) deps[original] = number(original.startsWith('node:') ? original : `node:${original}`)
    }
    const place = asksWhere(text) ? [path.dirname(file), file] : 0
    return [isModule(file, graph.get(file), packageOf(file)) ? 1 : 0, deps, place]
  })
  // The line separators that JSON allows and old JavaScript did not are no concern in a comment, line breaks are.
  const table = JSON.stringify({ ids, modules }).replace(/[\u007f-\uffff]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return `//${table}\n([\n${functions.join(',\n')}\n])\n`
}

function isModule(file, node, owner) {
  if (file.endsWith('.mjs')) return true
  if (file.endsWith('.cjs') || file.endsWith('.json')) return false
  return typeBelow(path.dirname(file), owner.folder) === 'module' || node.format === 'esm'
}

const types = new Map()

/** `type` of the nearest package.json: packages that are published twice have one in each of their two folders. */
function typeBelow(folder, top) {
  if (!types.has(folder)) {
    const file = path.join(folder, 'package.json')
    const found = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')).type || 'none' : undefined
    types.set(folder, found || (folder === top ? 'none' : typeBelow(path.dirname(folder), top)))
  }
  return types.get(folder)
}

async function functionOf({ esbuild, file, node, owner, strict }) {
  if (file.endsWith('.json')) return `function(module){module.exports=${JSON.stringify(JSON.parse(node.text))}\n}`
  const esm = isModule(file, node, owner)
  const { code } = await esbuild.transform(node.text.replace(/^#!.*/, ''), {
    loader: 'js', format: 'cjs', platform: 'node', target: 'node22', sourcefile: file, logLevel: 'silent',
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': '__url', 'import.meta.dirname': '__folder', 'import.meta.filename': '__file' },
  })
  const mode = strict || esm ? "'use strict';" : ''
  // An ES module may declare __dirname itself.
  const place = esm ? '__file,__folder' : '__filename,__dirname'
  const text = esm ? withHostHelpers(code, file) : code
  const body = strict ? withLateImports(text, esm) : await withoutSpaces(esbuild, text)
  return `function(module,exports,require,${place},__namespace,__import,__url){${mode}${body}\n}`
}

/** Third-party code is a third shorter without line breaks and indentation, and every host reads it. */
async function withoutSpaces(esbuild, text) {
  return (await esbuild.transform(text, { loader: 'js', minifyWhitespace: true, logLevel: 'silent' })).code
}

const HELPERS = [
  // Copies every export on each call; the host's namespaces are made once (engine.md §8.4, rule 2).
  [/\b__toESM\(/, /^var __toESM = \(mod, isNodeMode, target\) => \([^]*?^\)\);$/m, 'var __toESM = __namespace;'],
  // Copies them too; the object of getters can be the exports itself.
  [
    /\b__toCommonJS\(/,
    /^var __toCommonJS = \(mod\) => __copyProps\(__defProp\(\{\}, "__esModule", \{ value: true \}\), mod\);$/m,
    'var __toCommonJS = (mod) => __defProp(mod, "__esModule", { value: true });',
  ],
]

/** Replaces helpers that esbuild puts before a module. Fails when their shape is unknown: a silent copy per Attempt would be slow. */
function withHostHelpers(code, file) {
  return HELPERS.reduce((text, [use, shape, replacement]) => {
    if (!use.test(text)) return text
    if (!shape.test(text)) throw new Error(`esbuild's ${replacement.split(' ')[1]} has an unknown shape in ${file}`)
    return text.replace(shape, replacement)
  }, code)
}

/** Lets the host decide when an imported module is evaluated; imports of which nothing is bound stay where they are. */
function withLateImports(code, esm) {
  if (!esm) return code
  return code.replace(/^var (\w+) = (?:__toESM\(require\("([^"]+)"\)(?:, 1)?\)|require\("([^"]+)"\));$/gm, (line, name, whole, named) => {
    const isUsed = code.split(new RegExp(`\\b${name}\\b`)).length > 2
    return isUsed ? `var ${name} = __import("${whole || named}");` : line
  })
}

function write(folder, content) {
  const file = path.join(folder, `${digest(content).slice(0, 24)}.js`)
  if (!fs.existsSync(file)) {
    const temporary = `${file}.${process.pid}`
    fs.writeFileSync(temporary, content)
    fs.renameSync(temporary, file)
  }
  return path.basename(file)
}

function digest(text) {
  return crypto.createHash('sha256').update(text).digest('hex')
}

module.exports = { emit }
