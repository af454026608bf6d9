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

async function emit({ esbuild, graph, packageOf, bundlesFolder, known }) {
  const idOf = file => identify(file, graph, packageOf)
  const ids = new Map()
  const groups = new Map()
  const readable = new Set()
  for (const file of graph.keys()) {
    const id = idOf(file)
    ids.set(id, file)
    if (known.has(id)) continue
    const owner = packageOf(file)
    if (graph.get(file).text && asksWhere(graph.get(file).text)) readable.add(owner.folder)
    const group = owner.kind === 'vendor' ? 'vendor' : `${owner.kind} ${owner.name}@${owner.version}`
    if (!groups.has(group)) groups.set(group, [])
    groups.get(group).push(file)
  }
  const scripts = []
  for (const [group, files] of groups) {
    const [kind, label = 'vendor'] = group.split(' ')
    const content = await scriptOf({ esbuild, graph, packageOf, idOf, files: files.sort(), strict: kind !== 'vendor', readable })
    scripts.push({ kind, name: label, file: write(bundlesFolder, content) })
  }
  scripts.sort((one, other) => KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind))
  return { scripts, ids, idOf, readable: [...readable] }
}

function identify(file, graph, packageOf) {
  const { folder, name, version, signature } = packageOf(file)
  const inside = path.relative(folder, file).split(path.sep).join('/')
  const node = graph.get(file)
  if (node && node.text === undefined) node.text = fs.readFileSync(file, 'utf8')
  // A module that asks where it lies is only the same module at the same place.
  const place = node && asksWhere(node.text) ? `#${digest(folder).slice(0, 8)}` : ''
  return `${name}@${version}#${signature}${place}/${inside}`
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
  return owner.type === 'module' || node.format === 'esm'
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
  return `function(module,exports,require,${place},__namespace,__url){${mode}${withoutToESM(code, file)}\n}`
}

/** esbuild's own __toESM copies every export on each call; the host's namespaces are made once (engine.md §8.4, rule 2). */
function withoutToESM(code, file) {
  if (!/\b__toESM\(/.test(code)) return code
  const pattern = /^var __toESM = \(mod, isNodeMode, target\) => \([^]*?^\)\);$/m
  if (!pattern.test(code)) throw new Error(`esbuild's __toESM has an unknown shape in ${file}`)
  return code.replace(pattern, 'var __toESM = __namespace;')
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
