import { createServer, type IncomingMessage, request as httpRequest, type Server, type ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib'
import { systemCode } from '../complaint.ts'

/** Bytes of a request and of an answer that are kept to be read; more passes through all the same. */
export const keptBytes = { request: 1024 * 1024, answer: 8 * 1024 * 1024 }

/** What went through, as far as it was kept. */
export interface Passed {
  method: string
  path: string
  status: number
  contentType: string
  /** Null where it was longer than is kept, or compressed in a way that nobody knows. */
  asked: string | null
  answered: string | null
}

export interface ProxyOptions {
  /** Where requests go; their paths are those that the client asks. */
  target: URL
  /** Told after each whole answer. */
  onPassed: (passed: Passed) => void
  /** Told when the agent could not be reached, or broke off. */
  onFailed: (path: string, message: string) => void
}

/** Headers that are about one connection only (RFC 9110, 7.6.1). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** A server that hands everything on to an agent and back, as it comes, and remembers what it can. */
export function createRecordingProxy(options: ProxyOptions): Server {
  const server = createServer((request, response) => {
    // An agent may think as long as it likes.
    request.socket.setTimeout(0)
    handOn(request, response, options)
  })
  server.requestTimeout = 0
  return server
}

function handOn(
  request: IncomingMessage,
  response: ServerResponse,
  { target, onPassed, onFailed }: ProxyOptions,
): void {
  const { method = 'GET', url = '/' } = request
  // Anything else would name another host.
  if (!url.startsWith('/')) return void response.writeHead(400).end()
  const ask = target.protocol === 'https:' ? httpsRequest : httpRequest
  const asked = new Kept(keptBytes.request)
  const headers = [...passedOn(request.rawHeaders, ['host']), 'Host', target.host]
  const upstream = ask({
    protocol: target.protocol,
    hostname: target.hostname.replace(/^\[|\]$/g, ''),
    port: target.port === '' ? undefined : target.port,
    method,
    path: url,
    headers,
  })
  const fail = (error: Error) => {
    if (response.destroyed) return
    const message = `${target.host} ${response.headersSent ? 'broke off' : 'cannot be reached'}: ${error.message || systemCode(error)}`
    onFailed(url, message)
    if (response.headersSent) return void response.destroy()
    response.writeHead(502, { 'content-type': 'application/json' }).end(JSON.stringify({ error: message }))
  }
  upstream.on('error', fail)
  upstream.on('response', (answer) => {
    const answered = new Kept(keptBytes.answer)
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, passedOn(answer.rawHeaders, []))
    response.flushHeaders()
    answer.on('data', (chunk: Buffer) => answered.add(chunk))
    answer.on('error', fail)
    answer.on('end', () => {
      const encoding = answer.headers['content-encoding']
      onPassed({
        method,
        path: url,
        status: answer.statusCode ?? 0,
        contentType: answer.headers['content-type'] ?? '',
        asked: asked.text(request.headers['content-encoding']),
        answered: answered.text(encoding),
      })
    })
    answer.pipe(response)
  })
  request.on('data', (chunk: Buffer) => asked.add(chunk))
  request.on('error', () => upstream.destroy())
  response.on('close', () => upstream.destroy())
  request.pipe(upstream)
}

/** Headers in their order and number, but for those of the connection and those that are named. */
function passedOn(raw: readonly string[], without: readonly string[]): string[] {
  const pairs = raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : []))
  const named = pairs
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(',').map((one) => one.trim().toLowerCase()))
  const left = new Set([...hopByHop, ...named, ...without])
  return pairs.filter(([name]) => !left.has(name.toLowerCase())).flat()
}

/** The beginning of a body; a body that is longer is none. */
class Kept {
  readonly #most: number
  #chunks: Buffer[] | null = []
  #bytes = 0

  constructor(most: number) {
    this.#most = most
  }

  add(chunk: Buffer): void {
    this.#bytes += chunk.byteLength
    if (this.#bytes > this.#most) this.#chunks = null
    this.#chunks?.push(chunk)
  }

  /** Null where it was too long, or cannot be read. */
  text(encoding: string | undefined): string | null {
    if (this.#chunks === null) return null
    const decode = decoders[encoding?.trim().toLowerCase() ?? 'identity']
    try {
      const bytes = decode?.(Buffer.concat(this.#chunks), { maxOutputLength: this.#most })
      return bytes === undefined ? null : new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    } catch {
      return null
    }
  }
}

type Decode = (bytes: Buffer, options: { maxOutputLength: number }) => Buffer

const decoders: Record<string, Decode | undefined> = {
  identity: (bytes) => bytes,
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
}
