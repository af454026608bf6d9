'use strict'
// Loads adaptors into a host. Bundles (made by kivuko.adaptors) hold one function per module. Third-party modules live as long as the host
// and are shared by all adaptors; modules of @openfn are made anew for each Attempt by calling their functions again (engine.md §8.4).
// Folders (local adaptors, and packages that cannot be bundled) are loaded by Node itself, once.

const fs = require('node:fs')
const path = require('node:path')
const vm = require('node:vm')
const v8 = require('node:v8')
const nodeModule = require('node:module')
const { pathToFileURL } = require('node:url')

const hostRequire = nodeModule.createRequire(__filename)
const { freeze, keys, defineProperty, create } = Object
const NOT_EXPORTS = new Set(['default', '__esModule', 'module.exports'])

/** What V8's cached code depends on besides the source: version, flags, processor. */
function cacheKey() {
  return `${process.version}-${process.arch}-${v8.cachedDataVersionTag().toString(16)}`
}

/** What a job sees of a loaded module: CommonJS packages made by old compilers keep their operations one or two floors down
 * (jobs-and-runtime §2.10, interop). */
function targetOf(namespace) {
  const outer = namespace.default
  if (namespace.__esModule && outer && outer.default) return outer.default
  const names = keys(namespace)
  const isOnlyKey = names.length === 1 && names[0] === 'default'
  if (isOnlyKey && outer !== null && typeof outer === 'object' && keys(outer).length) return outer
  return namespace
}

/** The names that job code can use: all keys but `default` and the marks of the module systems, sorted. */
function namesOf(target) {
  return keys(target).filter(name => !NOT_EXPORTS.has(name)).sort()
}

const isObject = value => value !== null && (typeof value === 'object' || typeof value === 'function')

/** A namespace of a module in CommonJS, as `import` gives it: its exports by name, live, and the whole as default. */
function namespaceOf(exports) {
  const namespace = create(null)
  for (const name of isObject(exports) ? keys(exports) : []) {
    if (name !== 'default') defineProperty(namespace, name, { enumerable: true, configurable: true, get: () => exports[name] })
  }
  if (isObject(exports) && exports.__esModule) defineProperty(namespace, '__esModule', { value: true })
  return defineProperty(namespace, 'default', { enumerable: true, value: exports })
}

function createLoader({ nodeFlagsKey = cacheKey() } = {}) {
  const scripts = new Map() // file → {script, cached}
  const sources = new Map() // module id → {id, run, esm, deps, position, ids, kind}
  const shared = new Map() // module id → record; third-party modules, for the life of the host
  const namespaces = new WeakMap() // exports of a third-party module or builtin → namespace
  const known = new WeakSet() // namespaces, so that they are not wrapped twice
  const builtins = new Map() // node:… → namespace
  const lateNames = new Map() // id of a third-party module or builtin → names of its namespace, as its baker saw them
  const lateNamespaces = new Map() // the same id → namespace that evaluates the module when it is read
  const waiting = [] // third-party scripts that were not needed so far: [folder, part]
  const bundles = new Map() // key → {entry}
  const folders = new Map() // key → {target, folder}
  const guarded = new Set()
  let spare = null
  let late = false

  // ------------------------------------------------------------------------------------------------ scripts

  function loadScript(folder, { kind, name, file }) {
    const place = path.join(folder, file)
    if (scripts.has(file)) return
    const text = fs.readFileSync(place, 'latin1')
    const tableEnd = text.indexOf('\n')
    const { ids, modules } = JSON.parse(text.slice(2, tableEnd))
    const filename = kind === 'vendor' ? `kivuko/vendor/${file}` : `${name}/${kind}.js`
    const cachedData = readIfThere(`${place.slice(0, -3)}.${nodeFlagsKey}.cache`)
    const script = new vm.Script(text, { filename, cachedData })
    scripts.set(file, { script, cached: Boolean(cachedData) && script.cachedDataRejected === false })
    const functions = script.runInThisContext()
    modules.forEach(([esm, deps, position], index) => {
      const id = ids[index]
      if (!sources.has(id)) sources.set(id, { id, run: functions[index], esm: esm === 1, deps, position, ids, kind })
    })
  }

  function readIfThere(file) {
    try {
      return fs.readFileSync(file)
    } catch (error) {
      if (error.code === 'ENOENT') return undefined
      throw error
    }
  }

  function sourceInWaiting(id) {
    for (let index = 0; index < waiting.length && !sources.has(id); index += 1) {
      const [folder, part] = waiting[index]
      if (part.holds.some(start => id.startsWith(start))) {
        waiting.splice(index, 1)
        index -= 1
        loadScript(folder, part)
      }
    }
    return sources.get(id)
  }

  // ------------------------------------------------------------------------------------------------ modules

  /** The record of a module, evaluated; `fresh` holds the records of one instance of the @openfn modules. */
  function recordOf(id, fresh) {
    const source = sources.get(id) || sourceInWaiting(id)
    if (!source) throw Object.assign(new Error(`the bundle lacks the module ${id}`), { code: 'MODULE_NOT_FOUND' })
    const records = source.kind === 'vendor' ? shared : fresh
    const there = records.get(id)
    if (there) return there
    const module = { exports: {}, id, loaded: false, children: [], paths: [], parent: undefined, filename: '', require: undefined }
    const record = { module, esm: source.esm }
    records.set(id, record)
    try {
      evaluate(source, module, fresh)
    } catch (error) {
      records.delete(id)
      throw error
    }
    module.loaded = true
    return record
  }

  function evaluate(source, module, fresh) {
    const [folder, file] = source.position || [`/${path.posix.dirname(source.id)}`, `/${source.id}`]
    module.filename = file
    module.require = requireFor(source, fresh)
    const url = source.position ? pathToFileURL(file).href : `file:///${source.id}`
    const { require } = module
    const bind = specifier => lateImport(source, specifier) || namespace(require(specifier))
    source.run.call(source.esm ? undefined : module.exports, module, module.exports, require, file, folder, namespace, bind, url)
  }

  function lateImport({ deps, ids }, specifier) {
    const id = ids[deps[specifier]]
    const names = late ? lateNames.get(id) : undefined
    if (!names || shared.has(id) || builtins.has(id)) return undefined
    if (!lateNamespaces.has(id)) lateNamespaces.set(id, namespaceOnDemand(id, names))
    return lateNamespaces.get(id)
  }

  function namespaceOnDemand(id, names) {
    let real
    const evaluated = () => real || (real = evaluatedNamespace(id))
    const made = create(null)
    for (const name of names) defineProperty(made, name, { enumerable: true, get: () => evaluated()[name] })
    return made
  }

  function evaluatedNamespace(id) {
    if (id.startsWith('node:')) return builtin(id)
    const { module, esm } = recordOf(id, new Map())
    guard(module)
    return esm ? module.exports : namespace(module.exports)
  }

  function requireFor(source, fresh) {
    const { deps, ids, esm, kind } = source
    const isOurs = kind !== 'vendor'
    function require(specifier) {
      const id = ids[deps[specifier]]
      if (id === undefined) return requireUnlisted(specifier, source)
      if (id.startsWith('node:')) return esm ? builtin(id) : hostRequire(id)
      const { module, esm: isModule } = recordOf(id, fresh)
      if (isOurs && sources.get(id).kind === 'vendor') guard(module)
      if (isModule && isObject(module.exports)) known.add(module.exports)
      return module.exports
    }
    require.resolve = specifier => (deps[specifier] === undefined ? specifier : ids[deps[specifier]])
    require.cache = {}
    require.extensions = {}
    require.main = undefined
    return require
  }

  function requireUnlisted(specifier, source) {
    if (nodeModule.isBuiltin(String(specifier))) return hostRequire(specifier)
    const error = new Error(`Cannot find module '${specifier}'\nRequire stack:\n- ${source.id}`)
    throw Object.assign(error, { code: 'MODULE_NOT_FOUND', requireStack: [source.id] })
  }

  function builtin(id) {
    if (!builtins.has(id)) builtins.set(id, namespace(hostRequire(id)))
    return builtins.get(id)
  }

  /** Takes the place of esbuild's __toESM: what `import` binds to. */
  function namespace(exports) {
    if (!isObject(exports)) return namespaceOf(exports)
    if (known.has(exports)) return exports
    if (!namespaces.has(exports)) {
      const made = namespaceOf(exports)
      known.add(made)
      namespaces.set(exports, made)
    }
    return namespaces.get(exports)
  }

  /** An adaptor must not change a third-party package for the next Attempt: its exports are frozen, one level deep. */
  function guard(module) {
    const { exports } = module
    if (!module.loaded || !isObject(exports)) return
    if (!guarded.has(exports)) guarded.add(freeze(exports))
  }

  // ------------------------------------------------------------------------------------------------ folders

  async function loadFolder({ key, file }) {
    const failures = []
    for (const attempt of [importFile, importWithSuffix, requireFile]) {
      try {
        folders.set(key, { target: targetOf(await attempt(file)), folder: path.dirname(file) })
        return
      } catch (error) {
        failures.push(`${attempt === requireFile ? 'as CommonJS' : 'as ES module'}: ${error.message}`)
      }
    }
    throw new Error([...new Set(failures)].join('\n'))
  }

  const importFile = file => import(pathToFileURL(file).href)

  /** Packages of common 2.x import `lodash/set`, which only CommonJS finds; the retry adds `.js` (adaptors §7.3). */
  async function importWithSuffix(file) {
    if (typeof nodeModule.registerHooks !== 'function') throw new Error('import x as x.js is not possible in this runtime')
    const hooks = nodeModule.registerHooks({ resolve: resolveWithSuffix })
    try {
      return await import(`${pathToFileURL(file).href}?suffix`)
    } finally {
      hooks.deregister()
    }
  }

  function resolveWithSuffix(specifier, context, next) {
    try {
      return next(specifier, context)
    } catch (error) {
      if (error.code !== 'ERR_MODULE_NOT_FOUND' || /\.[a-z]+$/.test(specifier)) throw error
      return next(`${specifier}.js`, context)
    }
  }

  async function requireFile(file) {
    const exports = hostRequire(commonEntryOf(file))
    return exports && exports.__esModule ? { ...exports, __esModule: true } : namespaceOf(exports)
  }

  /** The CommonJS entry of the package that a file belongs to: `require` or `main` of its package.json, else the file itself. */
  function commonEntryOf(file) {
    for (let folder = path.dirname(file); folder !== path.dirname(folder); folder = path.dirname(folder)) {
      const text = readIfThere(path.join(folder, 'package.json'))
      if (!text) continue
      const { exports: map, main } = JSON.parse(text)
      const point = map && map['.']
      const named = (point && point.require) || (main && main.endsWith('.cjs') ? main : undefined)
      if (named) return path.join(folder, typeof named === 'string' ? named : named.default)
      const beside = path.join(folder, 'dist', 'index.cjs')
      return fs.existsSync(beside) ? beside : file
    }
    return file
  }

  // ------------------------------------------------------------------------------------------------ instances

  function makeInstance() {
    const fresh = new Map()
    const targets = new Map()
    for (const [key, { entry }] of bundles) {
      const { module, esm } = recordOf(entry, fresh)
      targets.set(key, targetOf(esm ? module.exports : namespace(module.exports)))
    }
    for (const [key, { target }] of folders) targets.set(key, target)
    return { get: key => targets.get(key) }
  }

  /** Loads modules [{specifier, key, form, file}] and evaluates them once; throws Error that names the module and why it fails.
   *
   * With `late`, third-party modules are evaluated when an adaptor first uses one of their exports, not now: a process that runs one job
   * starts 50 CPU ms earlier. Where an integrity check runs it must stay off, for evaluating undici changes the main realm. */
  async function preload(modules, options = {}) {
    late = Boolean(options.late)
    for (const wanted of modules) {
      if (bundles.has(wanted.key) || folders.has(wanted.key)) continue
      try {
        // Some packages look at their working folder while they load (optional-require): let it be one they may read.
        process.chdir(path.dirname(wanted.file))
        if (wanted.form === 'folder') await loadFolder(wanted)
        else loadBundle(wanted)
      } catch (error) {
        throw Object.assign(new Error(`Failed to import module "${wanted.specifier}"\n${error.message}`, { cause: error }), { key: wanted.key })
      }
    }
    spare = makeInstance()
  }

  function loadBundle({ key, file }) {
    const { entry, scripts: parts, late: namesById = {} } = JSON.parse(fs.readFileSync(file, 'utf8'))
    for (const [id, names] of Object.entries(namesById)) lateNames.set(id, names)
    for (const part of parts) {
      if (late && part.kind === 'vendor') waiting.push([path.dirname(file), part])
      else loadScript(path.dirname(file), part)
    }
    bundles.set(key, { entry })
    try {
      recordOf(entry, new Map())
    } catch (error) {
      bundles.delete(key)
      throw error
    }
  }

  /** The adaptors of one Attempt: their own modules are new, third-party packages are those of the host. */
  function instance() {
    const made = spare || makeInstance()
    spare = null
    return made
  }

  function names(key) {
    const made = spare || (spare = makeInstance())
    const target = made.get(key)
    if (target === undefined) throw new Error(`no module was loaded for ${key}`)
    return namesOf(target)
  }

  /** To which part a script's file belongs, for the origin of an error. */
  function classify(filename) {
    const name = String(filename)
    if (name.startsWith('kivuko/vendor/')) return 'vendor'
    if (/^@openfn\/[^/]+\/(adaptor|common)\.js/.test(name)) return 'adaptor'
    const inside = /.*[\\/]node_modules[\\/](@[^\\/]+[\\/])?/.exec(name)
    if (inside) return inside[1] && /@openfn/.test(inside[1]) ? 'adaptor' : 'vendor'
    const plain = name.replace(/^file:\/\//, '')
    return [...folders.values()].some(({ folder }) => plain.startsWith(folder + path.sep)) ? 'adaptor' : null
  }

  /** Objects that outlive an Attempt and that job code can reach through an adaptor. */
  function objectsToGuard() {
    return [...guarded, ...[...folders.values()].map(({ target }) => target)]
  }

  /** For the maker of code caches: V8's code of every script, by bundle file; take it only where no job has run. */
  function codeCaches() {
    return [...scripts].filter(([, { cached }]) => !cached).map(([file, { script }]) => [file, script.createCachedData()])
  }

  /** For the same: what modules of @openfn import from third-party modules and from Node, by module id. */
  function importedNames() {
    const found = {}
    for (const { kind, deps, ids, esm } of sources.values()) {
      if (kind === 'vendor' || !esm) continue
      for (const id of Object.values(deps).map(index => ids[index])) {
        if (builtins.has(id)) found[id] = keys(builtins.get(id))
        else if (shared.has(id)) found[id] = keys(namespace(shared.get(id).module.exports))
      }
    }
    return found
  }

  return { preload, instance, names, classify, objectsToGuard, codeCaches, importedNames, cacheKey: nodeFlagsKey }
}

module.exports = { createLoader, cacheKey }
