'use strict'
// Which addresses a policy blocks: the same judgement as rules.py makes outside of the process.

const net = require('node:net')

// The eight 16-bit groups of an IPv6 address.
function groupsOf(address) {
  const [plain] = address.split('%')
  const dotted = plain.match(/^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/)
  const text = dotted ? `${dotted[1]}${((dotted[2] << 8) | dotted[3]).toString(16)}:${((dotted[4] << 8) | dotted[5]).toString(16)}` : plain
  const [head, tail] = text.split('::')
  const before = head ? head.split(':') : []
  const after = tail ? tail.split(':') : []
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length
  return [...before, ...Array(zeros).fill('0'), ...after].map((group) => parseInt(group, 16))
}

const ipv4 = (high, low) => `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`

// The IPv4 addresses inside an IPv6 address: mapped, translated, compatible, NAT64, 6to4, Teredo, ISATAP (embedded.py names the RFCs).
function embeddedIpv4(address) {
  const g = groupsOf(address)
  const zero = (from, to) => g.slice(from, to).every((group) => group === 0)
  const last = ipv4(g[6], g[7])
  if (zero(0, 7) && g[7] <= 1) return []
  if (zero(0, 5) && (g[5] === 0xffff || g[5] === 0)) return [last]
  if (zero(0, 4) && g[4] === 0xffff && g[5] === 0) return [last]
  if (g[0] === 0x64 && g[1] === 0xff9b && (zero(2, 6) || g[2] === 1)) return [last]
  if (g[0] === 0x2002) return [ipv4(g[1], g[2])]
  if (g[0] === 0x2001 && g[1] === 0) return [ipv4(g[2], g[3]), ipv4(g[6] ^ 0xffff, g[7] ^ 0xffff)]
  if ((g[4] === 0 || g[4] === 0x200) && g[5] === 0x5efe) return [last]
  return []
}

// One writing for each address, so that texts can be compared.
function canonical(address) {
  if (net.isIP(address) === 4) return address
  return groupsOf(address).map((group) => group.toString(16)).join(':')
}

function blockListOf(networks) {
  const list = new net.BlockList()
  for (const network of networks) {
    const [address, bits] = network.split('/')
    const family = net.isIPv6(address) ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return list
}

function splitDestination(text) {
  const colon = text.lastIndexOf(':')
  const host = text.slice(0, colon).replace(/^\[|\]$/g, '').toLowerCase().replace(/\.$/, '')
  return [host, Number(text.slice(colon + 1))]
}

// A policy {blocked: [CIDR…], allowed: ["host:port"…], unix_sockets} made ready for deciding.
class Rules {
  constructor(policy, nameServers) {
    this.unixSockets = policy.unix_sockets === true
    this.restricts = (policy.blocked ?? []).length > 0
    this.blocked = blockListOf(policy.blocked ?? [])
    this.nameServers = new Set(nameServers.filter((server) => net.isIP(server)).map(canonical))
    this.addresses = new Set()
    this.names = new Set()
    for (const [host, port] of (policy.allowed ?? []).map(splitDestination)) {
      if (net.isIP(host)) this.addresses.add(`${canonical(host)} ${port}`)
      else this.names.add(`${host} ${port}`)
    }
  }

  // Whether a name is open at this port, whatever its addresses are.
  opensName(name, port) {
    return this.names.has(`${String(name).toLowerCase().replace(/\.$/, '')} ${Number(port)}`)
  }

  permits(address, port) {
    if (!this.restricts) return true
    const family = net.isIP(address)
    if (family === 0) return false
    const meant = family === 6 ? [address.split('%')[0], ...embeddedIpv4(address)] : [address]
    const blocked = meant.filter((one) => this.blocked.check(one, net.isIPv6(one) ? 'ipv6' : 'ipv4'))
    return blocked.every((one) => this.#opened(one, port)) || this.#opened(address, port)
  }

  #opened(address, port) {
    const text = canonical(address)
    return this.addresses.has(`${text} ${Number(port)}`) || (Number(port) === 53 && this.nameServers.has(text))
  }
}

module.exports = { Rules, canonical, embeddedIpv4 }
