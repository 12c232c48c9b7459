import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { constants, gunzip } from 'node:zlib'
import { Failure, limits } from '@llm-eval/protocol'

const inflate = promisify(gunzip)

/** Bytes of request bodies that are in memory at one moment, over all requests of a server. */
export interface BodyBudget {
  /** False when there is no room for `bytes` more. */
  take(bytes: number): boolean
  give(bytes: number): void
}

/** A budget of `max` bytes. */
export function createBodyBudget(max: number = 2 * limits.commitQueueBytes): BodyBudget {
  let used = 0
  return {
    take(bytes) {
      if (used + bytes > max) return false
      used += bytes
      return true
    },
    give(bytes) {
      used -= bytes
    },
  }
}

/** Bodies up to this size are read to their end even when they are refused, so that their sender reads the answer. */
const drainBytes = 64 * 1024 * 1024

/** Milliseconds that a body may take to arrive. */
const usualPatience = 120_000

/** How a body is read. */
export interface ReadOptions {
  stream: IncomingMessage
  maxBytes: number
  /** Claims memory for the body; throws when there is none. */
  claim: (bytes: number) => void
  /** Milliseconds that it may take to arrive; two minutes unless said. */
  patienceMs?: number
}

/**
 * Reads the bytes of a body and inflates them. A body that is refused is read to its end (and thrown away), so that the
 * connection can be used for the next request; `body_too_large` with `cause: 'not drained'` is one that was too big for that.
 */
export async function readBody(options: ReadOptions): Promise<Buffer> {
  const { stream, maxBytes, claim } = options
  const encoding = encodingOf(stream)
  const raw = await collect(options)
  if (encoding === 'identity') return raw
  const body = await inflateWithin(raw, maxBytes)
  claim(body.length)
  return body
}

/** The content encoding of a body; throws when it is not one of ours. */
export function encodingOf(stream: IncomingMessage): 'identity' | 'gzip' {
  const named = (stream.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (named === 'identity' || named === '') return 'identity'
  if (named === 'gzip' || named === 'x-gzip') return 'gzip'
  throw new Failure('unsupported_encoding', { values: { encoding: named.slice(0, 40) } })
}

function collect({ stream, maxBytes, claim, patienceMs = usualPatience }: ReadOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    let refusal: unknown

    const refuse = (failure: unknown) => {
      refusal = failure
      chunks.length = 0
    }
    const stop = () => {
      clearTimeout(late)
      stream.off('data', onData).off('end', onEnd).off('error', onCut).off('close', onCut)
    }
    const onData = (chunk: Buffer) => {
      length += chunk.length
      if (refusal === undefined) {
        try {
          if (length > maxBytes) refuse(tooLarge(maxBytes))
          else claim(chunk.length)
        } catch (failure) {
          refuse(failure)
        }
      }
      if (refusal === undefined) chunks.push(chunk)
      else if (length > drainBytes) {
        stop()
        reject(tooLarge(maxBytes, 'not drained'))
      }
    }
    const onEnd = () => {
      stop()
      if (refusal !== undefined) reject(refusal)
      else resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, length))
    }
    const onCut = () => {
      stop()
      reject(new Failure('malformed_json', { values: { detail: 'the request was cut off' } }))
    }

    const late = setTimeout(() => {
      stop()
      const detail = `the request did not arrive within ${patienceMs / 1_000} seconds`
      reject(new Failure('malformed_json', { values: { detail }, cause: 'not drained' }))
    }, patienceMs)
    // The caller may have gone while it was asked who they are.
    if (stream.destroyed) return onCut()
    const declared = Number(stream.headers['content-length'])
    if (declared > drainBytes) {
      stop()
      return reject(tooLarge(maxBytes, 'not drained'))
    }
    if (declared > maxBytes) refuse(tooLarge(maxBytes))
    stream.on('data', onData).on('end', onEnd).on('error', onCut).on('close', onCut)
  })
}

function tooLarge(max: number, cause?: string): Failure {
  return new Failure('body_too_large', { values: { max }, cause })
}

async function inflateWithin(raw: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    return await inflate(raw, { maxOutputLength: maxBytes, finishFlush: constants.Z_FINISH })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes)
    throw new Failure('malformed_json', { values: { detail: 'the gzip data is damaged or cut off' } })
  }
}
