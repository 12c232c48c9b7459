import type { StreamFrame } from '@llm-eval/protocol'
import { LLMEvalStreamClient } from 'llm-eval-sdk'
import { streamFrame } from '../api/answers.ts'
import type { Upstream, UpstreamHandlers } from './hub.ts'

const metricsSeconds = 2
/** After an end that trying again at once would not mend. */
const againMs = 15_000

/**
 * The one connection to the server, over the SDK: it resumes exactly where it broke off, so only its very first
 * connection begins afresh.
 */
export function openUpstream(handlers: UpstreamHandlers): Upstream {
  const client = new LLMEvalStreamClient(location.origin, { onError: () => {} })
  let cursor: string | undefined
  let lostAt: number | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let stop = start()

  function start(): () => void {
    clearTimeout(timer)
    let over = false
    const end = client.streamEvents(
      (frame, after) => {
        if (over) return
        if (frame.event === 'connected' && cursor === undefined) handlers.onFresh()
        cursor = after ?? cursor
        const checked = check(frame)
        if (checked) handlers.onFrame(checked)
      },
      {
        summaries: true,
        metricsInterval: metricsSeconds,
        after: cursor,
        onStatus(phase, state) {
          if (over) return
          if (phase === 'live') {
            lostAt = undefined
            handlers.onStatus({ state: 'live', since: Date.now() })
          } else if (state.phase === 'waiting') wait(state.until - performance.now())
          else if (state.phase === 'failed' && state.error.status === 401) handlers.onStatus({ state: 'signed_out' })
          else if (phase === 'done' || phase === 'failed') {
            wait(againMs)
            timer = setTimeout(restart, againMs)
          } else if (lostAt === undefined) handlers.onStatus({ state: 'connecting' })
        },
      },
    )
    return () => {
      over = true
      end()
    }
  }

  function wait(ms: number): void {
    lostAt ??= Date.now()
    handlers.onStatus({ state: 'waiting', since: lostAt, retryAt: Date.now() + ms })
  }

  function restart(): void {
    stop()
    handlers.onStatus({ state: 'connecting' })
    stop = start()
  }

  return {
    retry: restart,
    close() {
      clearTimeout(timer)
      stop()
    },
  }
}

/** A frame this page understands; one it cannot read counts as a gap, so that nothing shown is wrong. */
function check(frame: StreamFrame): StreamFrame | null {
  try {
    return streamFrame(frame, '')
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { event: 'resync_required', data: { reason: 'expired', message }, timestamp: '' }
  }
}
