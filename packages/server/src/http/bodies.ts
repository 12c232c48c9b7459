import type { IncomingMessage } from 'node:http'
import { Failure, limits } from '@llm-eval/protocol'
import type { FastifyRequest } from 'fastify'
import type { App } from './app.ts'
import { parseJson } from './json.ts'
import { readBody } from './raw-body.ts'

/** Ordinary routes: `application/json` becomes a parsed value, up to `limits.bodyBytes`; no body at all is undefined. */
export function acceptJson(app: App): void {
  acceptBodies(app, async (request, stream) => {
    const raw = await readJsonBytes(app, request, { stream, maxBytes: limits.bodyBytes })
    return raw.length === 0 ? undefined : parseJson(raw, request.routeOptions.config.bodyDepth)
  })
}

/**
 * For routes that need the exact bytes: `request.body` is a Buffer with the (inflated) JSON text, not yet parsed. Call it
 * inside an encapsulated plugin, before its routes are mounted.
 *
 * @param maxBytes after decompression; a route's own `bodyLimit` goes before it
 */
export function acceptRawJson(app: App, { maxBytes }: { maxBytes: number }): void {
  acceptBodies(app, (request, stream) => readJsonBytes(app, request, { stream, maxBytes }))
}

type Read = (request: FastifyRequest, stream: IncomingMessage) => Promise<unknown>

function acceptBodies(app: App, read: Read): void {
  app.removeAllContentTypeParsers()
  // Where nothing is mounted nobody reads the body; it is thrown away once the answer is out.
  const parse = async (request: FastifyRequest, stream: IncomingMessage) =>
    request.is404 ? undefined : read(request, stream)
  // Named besides the wildcard, because a named one is found without taking the header apart.
  app.addContentTypeParser('application/json', parse)
  app.addContentTypeParser('*', parse)
}

interface Source {
  stream: IncomingMessage
  maxBytes: number
}

async function readJsonBytes(app: App, request: FastifyRequest, { stream, maxBytes }: Source): Promise<Buffer> {
  const type = request.headers['content-type']
  const empty = type === undefined && request.headers['content-length'] === '0'
  if (!empty && !isJson(type)) {
    throw new Failure('unsupported_media_type', { values: { type: type === undefined ? '(none)' : type.slice(0, 80) } })
  }
  return readBody({
    stream,
    maxBytes: request.routeOptions.config.bodyBytes ?? maxBytes,
    claim: (bytes) => {
      if (!app.bodyBudget.take(bytes)) throw new Failure('overloaded', { retryAfter: 1 })
      request.claimedBytes += bytes
    },
  })
}

/** `application/json` with any parameters; a charset other than UTF-8 is found by its bytes. */
function isJson(type: string | undefined): boolean {
  return type !== undefined && /^application\/json\s*(;|$)/i.test(type.trim())
}
