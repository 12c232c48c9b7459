import type { StreamFrame } from '@llm-eval/protocol'
import { LLMEvalStreamClient } from 'llm-eval-sdk'
import { streamFrame } from '../api/answers.ts'
import type { HubParts, Upstream, UpstreamHandlers } from './hub.ts'
import type { Place } from './place.ts'

const metricsSeconds = 2
/** After an end that trying again at once would not mend. */
const againMs = 15_000

/**
 * The one connection to a server, over the SDK: it resumes exactly where it broke off, so that it begins afresh only
 * where it is given no place to begin after, or where it is in another project meanwhile: somebody signed in as another.
 * A place of the one project means nothing in the other, so that what the server tells after it is not handed on.
 *
 * @param server its address
 */
export function upstreamOf(server: string): HubParts['open'] {
  const client = new LLMEvalStreamClient(server, { onError: () => {} })
  return (handlers, after) => openUpstream(client, handlers, after)
}

type Client = Pick<LLMEvalStreamClient, 'streamEvents'>

function openUpstream(client: Client, handlers: UpstreamHandlers, after: Place | null): Upstream {
  let place = after
  let project = ''
  let lostAt: number | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let stop = start()

  function start(): () => void {
    clearTimeout(timer)
    let over = false
    const end = client.streamEvents(
      (frame, cursor) => {
        if (over) return
        const checked = check(frame)
        if (checked?.event === 'connected') {
          project = checked.project
          if (place !== null && place.project !== project) {
            place = null
            return restart()
          }
          handlers.onBegin(place === null ? 'now' : 'place')
        }
        if (cursor !== undefined) place = { project, cursor }
        if (checked) handlers.onFrame(checked)
      },
      {
        summaries: true,
        metricsInterval: metricsSeconds,
        after: place?.cursor,
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
    place: () => place,
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
