'use strict'
// Integrity check: a job that reaches the main realm may change it. After each Run about 170 objects are compared with a snapshot; any
// difference makes the supervisor replace the host (engine.md §6). It finds accidents and simple attacks; the sandbox stops the others.

const vm = require('node:vm')

const { apply, ownKeys, getOwnPropertyDescriptor, getPrototypeOf } = Reflect
const { is, create } = Object
const text = String
const { getActiveResourcesInfo } = process
// Of the classes that Node has from the web, those that adaptors live on; globalThis itself is compared whole
const OF_THE_WEB = ['AbortController', 'AbortSignal', 'Blob', 'Buffer', 'Event', 'EventTarget', 'FormData', 'Headers', 'Request', 'Response', 'TextDecoder', 'TextEncoder', 'URL', 'URLSearchParams', 'process']
const MODULES = ['assert', 'buffer', 'crypto', 'dns', 'events', 'fs', 'http', 'https', 'net', 'path', 'stream', 'timers', 'tls', 'url', 'util', 'vm']

function intrinsics() {
  const found = new Map([['globalThis', globalThis]])
  const names = vm.runInContext('Object.getOwnPropertyNames(globalThis)', vm.createContext({}))
  for (const name of [...names, ...OF_THE_WEB]) {
    const { value } = getOwnPropertyDescriptor(globalThis, name) ?? {}
    if ((typeof value === 'function' || (typeof value === 'object' && value !== null)) && value !== globalThis) add(found, name, value)
  }
  const samples = { Generator: function* () {}, AsyncFunction: async () => {}, AsyncGenerator: async function* () {} }
  for (const [name, sample] of Object.entries(samples)) add(found, name, getPrototypeOf(sample))
  for (const iterator of [[][Symbol.iterator](), new Map().entries(), new Set().values(), ''[Symbol.iterator]()]) {
    add(found, Object.prototype.toString.call(iterator), getPrototypeOf(iterator))
  }
  return found
}

function add(found, name, value) {
  found.set(name, value)
  const prototype = getOwnPropertyDescriptor(value, 'prototype')
  if (prototype && typeof prototype.value === 'object' && prototype.value !== null) found.set(`${name}.prototype`, prototype.value)
}

function builtins() {
  const found = new Map()
  for (const name of MODULES) add(found, name, require(`node:${name}`))
  const { Socket, Server } = require('node:net')
  for (const [name, value] of Object.entries({ Socket, Server, Agent: require('node:http').Agent })) add(found, name, value)
  return found
}

// From here on the job may have changed what arrays and maps can do: plain loops and captured functions only.

/** What is compared later: all keys, and of each key its value or, for an accessor, its functions. What cannot change is left out. */
function picture(name, object) {
  const all = ownKeys(object)
  const plain = []
  const values = []
  const accessors = []
  for (let at = 0; at < all.length; at++) {
    const descriptor = getOwnPropertyDescriptor(object, all[at])
    if (descriptor.get !== undefined || descriptor.set !== undefined) accessors[accessors.length] = { key: all[at], descriptor }
    else if (descriptor.configurable || descriptor.writable) {
      plain[plain.length] = all[at]
      values[values.length] = descriptor.value
    }
  }
  return { name, object, all, plain, values, accessors, prototype: getPrototypeOf(object) }
}

/** Node fills some globals on first use: the getter gives way to its own value, and nothing is wrong with that. */
function filledLazily(object, before, after) {
  return before.get !== undefined && after.value !== undefined && before.configurable && is(apply(before.get, object, []), after.value)
}

/** The name of the first difference between an object and its picture, or null. Reading a value is ten times cheaper than describing it. */
function change({ object, all, plain, values, accessors, prototype }) {
  if (getPrototypeOf(object) !== prototype) return 'its prototype'
  const found = ownKeys(object)
  if (found.length !== all.length) return 'its keys'
  for (let at = 0; at < all.length; at++) if (found[at] !== all[at]) return 'its keys'
  for (let at = 0; at < plain.length; at++) if (!is(object[plain[at]], values[at])) return text(plain[at])
  for (let at = 0; at < accessors.length; at++) {
    const { key, descriptor } = accessors[at]
    const after = getOwnPropertyDescriptor(object, key)
    if (after.get === descriptor.get && after.set === descriptor.set && is(after.value, descriptor.value)) continue
    if (!filledLazily(object, descriptor, after)) return text(key)
    accessors[at] = { key, descriptor: after }
  }
  return null
}

function count(names) {
  const counts = create(null)
  for (let at = 0; at < names.length; at++) counts[names[at]] = (counts[names[at]] || 0) + 1
  return counts
}

/**
 * Takes the snapshot, `more` being a list of further objects (exports of loaded packages). Gives `differences()`, the names of what has changed,
 * and `leftovers(of)`, the kinds of resources (timers, pending reads) that were not there before, or only the kind `of`.
 */
function take(more) {
  const pictures = []
  const named = [...intrinsics(), ...builtins(), ...more.map((object, index) => [`module ${index}`, object])]
  for (const [name, object] of named) {
    // What is frozen, as the exports of third-party packages are, cannot change; isFrozen says so of whatever is no object, too
    if (!Object.isFrozen(object)) pictures.push(picture(name, object))
  }
  const resources = count(getActiveResourcesInfo())
  return {
    differences() {
      const found = []
      for (let at = 0; at < pictures.length; at++) {
        const what = change(pictures[at])
        if (what !== null) found[found.length] = `${pictures[at].name}: ${what}`
      }
      return found
    },
    leftovers(of) {
      const found = []
      const counts = count(getActiveResourcesInfo())
      for (const name in counts) {
        if (counts[name] > (resources[name] || 0) && (of === undefined || name === of)) found[found.length] = name
      }
      return found
    },
  }
}

module.exports = { take }
