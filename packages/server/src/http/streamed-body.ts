import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { encodingOf } from './raw-body.ts'

/** A body that cannot be read to its end; what came before is good. */
export class BrokenBody extends Error {
  override readonly name = 'BrokenBody'
}

/** A body that is read piece by piece. */
export interface StreamedBody {
  /** Its bytes, inflated. Throws {@link BrokenBody} where they stop being readable or are too many. */
  chunks: AsyncIterable<Buffer>
  /** Throws away what was not read, so that the sender comes to read the answer. False when that was too much. */
  drain(): Promise<boolean>
}

/**
 * Opens a body for reading with flat memory: it is received as fast as it is taken. Throws `unsupported_encoding`.
 *
 * @param maxBytes after decompression
 */
export function openBody(stream: IncomingMessage, maxBytes: number): StreamedBody {
  const encoding = encodingOf(stream)
  const received = { bytes: 0 }
  stream.on('data', (chunk: Buffer) => {
    received.bytes += chunk.length
  })
  // Listening made it flow; it shall wait for its reader.
  stream.pause()
  return {
    chunks: encoding === 'gzip' ? bounded(inflated(stream), maxBytes) : bounded(plain(stream), maxBytes),
    drain: async () => {
      stream.resume()
      for (;;) {
        if (stream.readableEnded) return true
        if (stream.destroyed || received.bytes > maxBytes) return false
        await progress(stream)
      }
    },
  }
}

async function* plain(stream: IncomingMessage): AsyncGenerator<Buffer> {
  if (stream.destroyed && !stream.readableEnded) throw new BrokenBody('the request was cut off')
  yield* read(stream, () => 'the request was cut off')
}

async function* inflated(stream: IncomingMessage): AsyncGenerator<Buffer> {
  const gunzip = createGunzip()
  const cut = () => {
    if (!stream.readableEnded) gunzip.destroy(new BrokenBody('the request was cut off'))
  }
  stream.on('close', cut).on('error', cut)
  if (stream.destroyed) cut()
  try {
    yield* read(stream.pipe(gunzip), () => 'the gzip data is damaged or cut off')
  } finally {
    stream.off('close', cut).off('error', cut).unpipe(gunzip)
    gunzip.destroy()
  }
}

async function* read(stream: Readable, fault: () => string): AsyncGenerator<Buffer> {
  try {
    // Whoever stops reading still wants to answer on this connection.
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) yield chunk as Buffer
  } catch (error) {
    throw error instanceof BrokenBody ? error : new BrokenBody(fault(), { cause: error })
  }
}

async function* bounded(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  let length = 0
  for await (const chunk of chunks) {
    length += chunk.length
    if (length > maxBytes) {
      const room = chunk.length - (length - maxBytes)
      if (room > 0) yield chunk.subarray(0, room)
      throw new BrokenBody(`the file holds more than ${maxBytes} bytes`)
    }
    yield chunk
  }
}

/** Resolves when more came, or nothing more will. */
function progress(stream: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('data', done).off('end', done).off('error', done).off('close', done)
      resolve()
    }
    stream.on('data', done).on('end', done).on('error', done).on('close', done)
  })
}
