import type { Connection } from './connection.ts'
import type { Deadline } from './deadline.ts'
import { LLMEvalError } from './error.ts'
import { type ExecutionNews, readNews } from './execution.ts'
import { EventFollower, type StreamSource } from './follower.ts'

/** A stream of one or more executions. */
export interface ExecutionSource extends Pick<StreamSource<ExecutionNews>, 'url' | 'open'> {
  /** The executions it tells of; it is over when each has ended. */
  ids: Iterable<string>
  /** Is told when a connection is lost, which is then opened again. Must not throw. */
  onLost?: ((error: LLMEvalError) => void) | undefined
}

/**
 * Hands out the frames of executions until each has ended, over as many connections as it takes: each end once, and nothing
 * after it. (How things stand is told anew when a connection breaks off before its first place to resume at.)
 *
 * @throws the reason of the deadline, or the `LLMEvalError` that ends the stream for good
 */
export async function* followExecutions(
  connection: Connection,
  source: ExecutionSource,
  deadline: Deadline,
): AsyncGenerator<ExecutionNews, void, undefined> {
  const ids = new Set(source.ids)
  const left = new Set(ids)
  const follower = new EventFollower<ExecutionNews>(connection, {
    url: source.url,
    open: source.open,
    read: (message) => readNews(message, ids),
    endOf: (frame) => {
      if (frame.event_type !== 'progress') left.delete(frame.data.execution_id)
      return left.size === 0 ? 'done' : undefined
    },
    onStatus: (_, state) => {
      if (state.phase === 'live') deadline.trouble = undefined
      if (state.phase !== 'waiting') return
      deadline.trouble = state.error
      source.onLost?.(state.error)
    },
  })
  const stop = () => follower.stop()
  deadline.signal.addEventListener('abort', stop, { once: true })
  if (deadline.signal.aborted) stop()
  try {
    for await (const frame of follower) if (left.has(frame.data.execution_id)) yield frame
    deadline.signal.throwIfAborted()
    if (left.size > 0) throw new LLMEvalError('interrupted', `${source.url} ended before its executions did.`)
  } finally {
    deadline.signal.removeEventListener('abort', stop)
    follower.stop()
  }
}
