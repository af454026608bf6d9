'use strict'
// Integrity check: a job that reaches the main realm may change it. After each Run about 170 objects are compared with a snapshot; any
// difference makes the supervisor replace the host (engine.md §6). It finds accidents and simple attacks; the sandbox stops the others.

const { ownKeys, getOwnPropertyDescriptor, getPrototypeOf } = Reflect
const { is } = Object
const { getActiveResourcesInfo } = process
const MODULES = ['assert', 'buffer', 'console', 'crypto', 'dns', 'events', 'fs', 'http', 'https', 'net', 'path', 'querystring', 'stream', 'string_decoder', 'timers', 'tls', 'url', 'util', 'vm', 'zlib']

function intrinsics() {
  const found = new Map([['globalThis', globalThis]])
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    const { value } = getOwnPropertyDescriptor(globalThis, name)
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

function picture(object) {
  const descriptors = new Map()
  for (const key of ownKeys(object)) descriptors.set(key, getOwnPropertyDescriptor(object, key))
  return { object, descriptors, prototype: getPrototypeOf(object) }
}

/** Node fills some globals on first use: the getter gives way to its own value, and nothing is wrong with that. */
function filledLazily(object, before, after) {
  return before.get !== undefined && 'value' in after && before.configurable && is(before.get.call(object), after.value)
}

function changed({ object, descriptors, prototype }) {
  if (getPrototypeOf(object) !== prototype) return 'its prototype'
  const keys = ownKeys(object)
  if (keys.length !== descriptors.size) return 'its keys'
  for (const key of keys) {
    const before = descriptors.get(key)
    if (before === undefined) return String(key)
    const after = getOwnPropertyDescriptor(object, key)
    if (!is(after.value, before.value) || after.get !== before.get || after.set !== before.set) {
      if (!filledLazily(object, before, after)) return String(key)
      descriptors.set(key, after)
    }
  }
  return null
}

function count(names) {
  const counts = new Map()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

/**
 * Takes the snapshot, `more` being a list of further objects (exports of loaded packages). Gives `differences()`, the names of what has changed,
 * and `leftovers()`, the kinds of resources (timers, pending reads) that were not there before.
 */
function take(more) {
  const pictures = new Map()
  for (const [name, object] of [...intrinsics(), ...builtins(), ...more.map((object, index) => [`module ${index}`, object])]) {
    if (object !== null && (typeof object === 'object' || typeof object === 'function')) pictures.set(name, picture(object))
  }
  const resources = count(getActiveResourcesInfo())
  return {
    differences() {
      const found = []
      for (const [name, seen] of pictures) {
        const what = changed(seen)
        if (what !== null) found.push(`${name}: ${what}`)
      }
      return found
    },
    leftovers() {
      return [...count(getActiveResourcesInfo())].filter(([name, number]) => number > (resources.get(name) ?? 0)).map(([name]) => name)
    },
  }
}

module.exports = { take }
