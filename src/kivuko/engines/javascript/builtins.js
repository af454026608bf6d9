'use strict'
// What a blank host loads while it waits: the parts of Node that adaptors use, which are most of the cost of loading an adaptor.
const NAMES = ['assert', 'async_hooks', 'crypto', 'dns', 'events', 'http', 'http2', 'https', 'net', 'path', 'querystring', 'sqlite', 'stream', 'tls', 'url', 'util', 'zlib']

for (const name of NAMES) require(`node:${name}`)
// Node makes its own undici on first use of one of these names; adaptors' undici reads them
void globalThis.Headers
