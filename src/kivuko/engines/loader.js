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
const { freeze, keys, defineProperty, create, getOwnPropertyNames } = Object
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

/** A namespace of a module in CommonJS, as `import` gives it: its exports by name, live, and the whole as default. */
function namespaceOf(exports) {
  const namespace = create(null)
  const isObject = exports !== null && (typeof exports === 'object' || typeof exports === 'function')
  for (const name of isObject ? keys(exports) : []) {
    if (name !== 'default') defineProperty(namespace, name, { enumerable: true, configurable: true, get: () => exports[name] })
  }
  if (isObject && exports.__esModule) defineProperty(namespace, '__esModule', { value: true })
  return defineProperty(namespace, 'default', { enumerable: true, value: exports })
}

function createLoader({ nodeFlagsKey = cacheKey() } = {}) {
  const scripts = new Map() // file → {kind, name, filename, script, rejected}
  const sources = new Map() // module id → {run, esm, deps, place, ids, kind, name}
  const shared = new Map() // module id → record; third-party modules, for the life of the host
  const namespaces = new WeakMap() // exports of a third-party module or builtin → namespace
  const known = new WeakSet() // namespaces, so that they are not wrapped twice
  const bundles = new Map() // key → {entry}
  const folders = new Map() // key → {target, folder}
  const guarded = new Set()
  let spare = null

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
    scripts.set(file, { kind, name, filename, script, cached: Boolean(cachedData) && script.cachedDataRejected === false })
    const functions = script.runInThisContext()
    modules.forEach(([esm, deps, position], index) => {
      const id = ids[index]
      if (!sources.has(id)) sources.set(id, { id, run: functions[index], esm: esm === 1, deps, position, ids, kind, filename })
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

  // ------------------------------------------------------------------------------------------------ modules

  /** The record of a module, evaluated; `fresh` holds the records of one instance of the @openfn modules. */
  function recordOf(id, fresh) {
    const source = sources.get(id)
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
    source.run.call(source.esm ? undefined : module.exports, module, module.exports, module.require, file, folder, namespace, url)
  }

  function requireFor(source, fresh) {
    const { deps, ids, esm, kind } = source
    const isOurs = kind !== 'vendor'
    function require(specifier) {
      const id = ids[deps[specifier]]
      if (id === undefined) return requireUnlisted(specifier, source)
      if (id.startsWith('node:')) return esm ? namespace(hostRequire(id)) : hostRequire(id)
      const { module, esm: targetIsModule } = recordOf(id, fresh)
      if (isOurs && sources.get(id).kind === 'vendor') guard(module)
      if (targetIsModule) {
        if (module.exports !== null && typeof module.exports === 'object') known.add(module.exports)
        return module.exports
      }
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

  /** Takes the place of esbuild's __toESM: what `import` binds to. */
  function namespace(exports) {
    if (exports === null || (typeof exports !== 'object' && typeof exports !== 'function')) return namespaceOf(exports)
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
    if (!module.loaded || exports === null || (typeof exports !== 'object' && typeof exports !== 'function')) return
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

  /** Loads modules [{specifier, key, form, file}] and evaluates them once; throws Error that names the module and why it fails. */
  async function preload(modules) {
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
    const { entry, scripts: parts } = JSON.parse(fs.readFileSync(file, 'utf8'))
    for (const part of parts) loadScript(path.dirname(file), part)
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

  const cachesUsed = () => [...scripts.values()].every(({ cached }) => cached)

  return { preload, instance, names, classify, objectsToGuard, codeCaches, cachesUsed, cacheKey: nodeFlagsKey }
}

module.exports = { createLoader, cacheKey, getOwnPropertyNames }
