import { PassThrough } from 'node:stream'
import { Failure, limits } from '@llm-eval/protocol'
import type { FastifyReply } from 'fastify'
import type { Logger } from 'pino'

export interface LongPollOptions {
  log: Logger
  /** Told how many wait, whenever that changes. */
  onWaiting?: (waiting: number) => void
  /** Milliseconds that the status is held back, so that a failure can still be told by it. */
  quietMs?: number
  /** Milliseconds between two spaces after that. */
  heartbeatMs?: number
}

/** What is waited for. */
export interface Awaited {
  id: string
  /** The document, or the failure that is told in its place. */
  document: (signal: AbortSignal) => Promise<unknown>
}

/**
 * Answers with one JSON document once it is there. Until then nothing is sent; when that takes long, the status 200 and white
 * space before the document, which JSON allows, so that neither the client nor a proxy takes the connection for dead. A
 * failure after that can be told by the document alone: it is left unclosed, because a closed one would be taken for a result.
 */
export function createLongPoll({
  log,
  quietMs = limits.longPollQuietSeconds * 1000,
  heartbeatMs = 5_000,
  onWaiting = () => undefined,
}: LongPollOptions) {
  let waiting = 0

  async function answer(reply: FastifyReply, { id, document }: Awaited): Promise<unknown> {
    const leaving = new AbortController()
    reply.raw.once('close', () => {
      // Of an answer that is out nobody has to be told.
      if (!reply.raw.writableFinished) leaving.abort()
    })
    const text = document(leaving.signal).then((value) => JSON.stringify(value))
    const inTime = await beforeQuietEnds(text, quietMs)
    if (inTime !== undefined) return reply.type('application/json; charset=utf-8').send(inTime)
    const body = new PassThrough()
    reply.header('x-accel-buffering', 'no').type('application/json; charset=utf-8').send(body)
    body.write(' \n')
    const heart = setInterval(() => body.write(' \n'), heartbeatMs)
    leaving.signal.addEventListener('abort', () => clearInterval(heart))
    try {
      body.end(await text)
    } catch (error) {
      if (!(error instanceof Failure)) log.error({ err: error, execution_id: id }, 'an execution could not be awaited')
      const message = error instanceof Failure ? error.message : 'Something went wrong on the server.'
      body.end(JSON.stringify({ execution_id: id, error: message }).slice(0, -1))
    } finally {
      clearInterval(heart)
    }
    return reply
  }

  return async (reply: FastifyReply, awaited: Awaited): Promise<unknown> => {
    if (waiting >= limits.executionStreams) throw new Failure('too_many_streams', { retryAfter: 1 })
    onWaiting(++waiting)
    try {
      return await answer(reply, awaited)
    } finally {
      onWaiting(--waiting)
    }
  }
}

/** The text, if it is there before the time is up; fails as it fails. */
async function beforeQuietEnds(text: Promise<string>, quietMs: number): Promise<string | undefined> {
  const { promise: over, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => resolve(undefined), quietMs)
  return Promise.race([text, over]).finally(() => clearTimeout(timer))
}
