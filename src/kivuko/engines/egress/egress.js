'use strict'
// Level 1 of the egress policy (engine.md §12.2): every connection that goes through Node's own modules is judged, names after DNS.
// Catches fetch, http, https, tls, net, dgram and all that is built on them. Code that reaches Node's bindings gets past it; level 2 does not
// let it. Keeps every socket, too, so that none outlives its Attempt.

const dgram = require('node:dgram')
const dns = require('node:dns')
const net = require('node:net')

const { Rules } = require('./addresses.js')

const NEVER = 'blocked.invalid'; // a name that is never looked up: its lookup gives the refusal

function refusal(syscall, host, port) {
  const place = port === undefined ? host : `${host}:${port}`
  const error = new Error(`connect EBLOCKED ${place} (the egress policy of this Kivuko does not permit this destination)`)
  return Object.assign(error, { code: 'EBLOCKED', syscall, address: host, port })
}

// Sockets by Attempt.
class Ledger {
  #attempts = new Map()
  #current = ''

  begin(attempt) {
    this.#current = attempt
  }

  add(socket) {
    const attempt = this.#current
    const sockets = this.#attempts.get(attempt) ?? new Set()
    this.#attempts.set(attempt, sockets)
    if (sockets.has(socket)) return
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  }

  // Destroys what an Attempt opened and has not closed; gives how many that were.
  destroy(attempt) {
    const sockets = [...(this.#attempts.get(attempt) ?? [])]
    this.#attempts.delete(attempt)
    for (const socket of sockets) {
      if (socket instanceof net.Socket) socket.destroy()
      else socket.close()
    }
    return sockets.length
  }

  get current() {
    return this.#current
  }
}

// A lookup that gives only permitted addresses.
function guardedLookup(state, lookup, port) {
  return (host, options, callback) => {
    lookup(host, options, (error, found, family) => {
      if (error || state.rules.opensName(host, port)) return callback(error, found, family)
      if (!Array.isArray(found)) {
        return net.isIP(found) && !state.rules.permits(found, port) ? callback(refusal('connect', found, port)) : callback(null, found, family)
      }
      const permitted = found.filter((one) => state.rules.permits(one.address, port))
      if (found.length > 0 && permitted.length === 0) return callback(refusal('connect', found[0].address, port))
      return callback(null, permitted)
    })
  }
}

// Node's own way to fail: the socket is connecting, its lookup ends with the refusal.
function refused(options, error) {
  const { path, ...rest } = options
  return { ...rest, host: NEVER, port: 1, lookup: (_host, _options, callback) => process.nextTick(callback, error) }
}

function judged(state, options) {
  const { path, port, lookup } = options
  const host = options.host || 'localhost'
  if (path) return state.rules.unixSockets ? options : refused(options, refusal('connect', path))
  if (!state.rules.restricts) return options
  if (net.isIP(host)) return state.rules.permits(host, port) ? options : refused(options, refusal('connect', host, port))
  return { ...options, host, lookup: guardedLookup(state, typeof lookup === 'function' ? lookup : dns.lookup, port) }
}

function patchNet(state) {
  const original = net.Socket.prototype.connect
  net.Socket.prototype.connect = function connect(...args) {
    const [options, callback] = Array.isArray(args[0]) ? args[0] : net._normalizeArgs(args)
    state.ledger.add(this)
    const checked = judged(state, options)
    return callback ? original.call(this, checked, callback) : original.call(this, checked)
  }
}

// Resolves and judges the destination of a datagram, then goes on with its address.
function judgeDatagram(state, socket, syscall, place, port, goOn, fail) {
  const host = place || (socket.type === 'udp6' ? '::1' : '127.0.0.1')
  if (net.isIP(host)) return state.rules.permits(host, port) ? goOn(host) : process.nextTick(fail, refusal(syscall, host, port))
  return dns.lookup(host, { family: socket.type === 'udp6' ? 6 : 4 }, (error, address) => {
    if (error) return fail(error)
    return state.rules.opensName(host, port) || state.rules.permits(address, port) ? goOn(address) : fail(refusal(syscall, address, port))
  })
}

function isConnected(socket) {
  try {
    return Boolean(socket.remoteAddress())
  } catch {
    return false; // ERR_SOCKET_DGRAM_NOT_CONNECTED, or closed
  }
}

function patchDatagrams(state) {
  const { bind, connect, send } = dgram.Socket.prototype
  const failing = (socket, callback) => (error) => (typeof callback === 'function' ? callback.call(socket, error) : socket.emit('error', error))

  dgram.Socket.prototype.bind = function guardedBind(...args) {
    state.ledger.add(this)
    return bind.apply(this, args)
  }

  dgram.Socket.prototype.connect = function guardedConnect(port, address, callback) {
    if (!state.rules.restricts) return connect.call(this, port, address, callback)
    const [place, done] = typeof address === 'function' ? ['', address] : [address, callback]
    const go = (found) => connect.call(this, port, found, done)
    return judgeDatagram(state, this, 'connect', place, port, go, failing(this, done))
  }

  dgram.Socket.prototype.send = function guardedSend(...args) {
    if (!state.rules.restricts || isConnected(this)) return send.apply(this, args)
    const long = Boolean(args[4]) || (Boolean(args[3]) && typeof args[3] !== 'function'); // message, offset, length, port, address
    const at = long ? 3 : 1
    const place = typeof args[at + 1] === 'string' ? args[at + 1] : ''
    const callback = args.findLast((one) => typeof one === 'function')
    const go = (found) => send.call(this, ...args.slice(0, at + 1), found, callback)
    return judgeDatagram(state, this, 'send', place, args[at], go, failing(this, callback))
  }
}

/*
 * Installs the policy {blocked: [CIDR…], allowed: ["host:port"…], unix_sockets: bool} in this process. Gives:
 *   setPolicy(policy)        replaces the policy
 *   beginAttempt(attempt)    sockets opened from here on belong to this Attempt (any text; one unnamed Attempt by default)
 *   destroySockets(attempt)  destroys the open sockets of an Attempt (default: the current one); gives their number
 */
function install(policy) {
  const servers = dns.getServers()
  const state = { rules: new Rules(policy, servers), ledger: new Ledger() }
  patchNet(state)
  patchDatagrams(state)
  return {
    setPolicy: (next) => {
      state.rules = new Rules(next, servers)
    },
    beginAttempt: (attempt = '') => state.ledger.begin(attempt),
    destroySockets: (attempt = state.ledger.current) => state.ledger.destroy(attempt),
  }
}

module.exports = { install }
