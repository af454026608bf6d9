'use strict'
// Frames of the pipe protocol (engine.md §7): u32 length · u8 type · payload. Reads and writes block: between Runs a host has nothing
// else to do, and during a Run a slow reader must slow the job down instead of filling memory.
const fs = require('node:fs')

const { readSync, writeSync } = fs
const { parse, stringify } = JSON
const { allocUnsafe, byteLength, from, concat } = Buffer
const IN = 3
const OUT = 4
// Log lines have a pipe of their own: the supervisor looks into it now and then, and is not woken for each line
const LOG = 5
const CHUNK = 1 << 20
const header = allocUnsafe(5)

function readFully(buffer) {
  for (let at = 0; at < buffer.length; ) {
    const count = readSync(IN, buffer, at, buffer.length - at, null)
    if (count === 0) return false
    at += count
  }
  return true
}

function writeFully(buffer, pipe = OUT) {
  for (let at = 0; at < buffer.length; ) {
    try {
      at += writeSync(pipe, buffer, at, buffer.length - at, null)
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error
    }
  }
}

/** The next frame as {type, payload}, or null when the other end has closed the pipe. */
function read() {
  if (!readFully(header)) return null
  const payload = allocUnsafe(header.readUInt32LE(0))
  if (!readFully(payload)) return null
  return { type: String.fromCharCode(header[4]), payload }
}

/** Splits the payload of a frame that carries state into {meta, state}: an object and a text. */
function split(payload) {
  const length = payload.readUInt32LE(0)
  return { meta: parse(payload.toString('utf8', 4, 4 + length)), state: payload.toString('utf8', 4 + length) }
}

/** Writes a frame whose payload is a text, as a rule JSON. */
function writeJson(type, text, pipe = OUT) {
  const body = from(text, 'utf8')
  const head = allocUnsafe(5)
  head.writeUInt32LE(body.length, 0)
  head[4] = type.charCodeAt(0)
  writeFully(concat([head, body]), pipe)
}

/** Writes a log line. */
function writeLog(text) {
  writeJson('l', text, LOG)
}

/** Writes a frame that carries state: `state` is JSON text, or undefined when there is none. Large texts leave in pieces. */
function writeState(type, meta, state) {
  const body = from(stringify(meta), 'utf8')
  const text = state === undefined ? '' : state
  const size = byteLength(text, 'utf8')
  const head = allocUnsafe(9)
  head.writeUInt32LE(4 + body.length + size, 0)
  head[4] = type.charCodeAt(0)
  head.writeUInt32LE(body.length, 5)
  if (size <= CHUNK) return writeFully(concat([head, body, from(text, 'utf8')]))
  writeFully(concat([head, body]))
  for (const piece of pieces(text)) writeFully(from(piece, 'utf8'))
}

/** Writes a text as frames of one type, each at most a chunk long and whole in its characters. */
function writePieces(type, text) {
  for (const piece of pieces(text)) writeJson(type, piece)
}

function* pieces(text) {
  for (let at = 0; at < text.length; ) {
    let end = Math.min(at + CHUNK, text.length)
    const last = text.charCodeAt(end - 1)
    if (end < text.length && last >= 0xd800 && last <= 0xdbff) end -= 1
    yield text.slice(at, end)
    at = end
  }
}

module.exports = { read, split, writeJson, writeLog, writePieces, writeState }
