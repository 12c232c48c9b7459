import { joinElection } from './election.ts'
import { createHub, type FromTab, type ToTab } from './hub.ts'
import { type Place, placeOfPage } from './place.ts'
import { upstreamOf } from './upstream.ts'

/** Tabs of an earlier build are of one mind with each other only: the number grows with what hub and tabs say. */
const name = 'llm-eval-feed-2'

/**
 * Joins the one stream of this browser: by the shared worker; where there is none, by electing one tab; where there are
 * no locks either (plain http), with a stream of this tab's own.
 */
export function openLink(onMessage: (message: ToTab) => void): (message: FromTab) => void {
  // Once a hub has answered, whoever joins again was away, and reads again.
  let place: Place | null = placeOfPage(performance)
  const join: Join = () => ({ kind: 'join', place })
  const tell = speak(join, (message) => {
    if (message.kind === 'hello') place = null
    onMessage(message)
  })
  tell(join())
  addEventListener('pagehide', () => tell({ kind: 'bye' }))
  addEventListener('pageshow', (event) => {
    if (event.persisted) tell(join())
  })
  return tell
}

/** How this tab joins at this moment. */
type Join = () => FromTab

type Listener = (message: ToTab) => void
type Tell = (message: FromTab) => void

function speak(join: Join, onMessage: Listener): Tell {
  if (typeof SharedWorker !== 'function') return withoutWorker(join, onMessage)
  try {
    return toWorker(join, onMessage)
  } catch {
    // Some privacy settings forbid it.
    return withoutWorker(join, onMessage)
  }
}

function toWorker(join: Join, onMessage: Listener): Tell {
  const worker = new SharedWorker(new URL('./feed-worker.ts', import.meta.url), { type: 'module', name })
  // A port has no origin to aim at.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  let tell: Tell = (message) => worker.port.postMessage(message)
  worker.port.addEventListener('message', ({ data }: MessageEvent<ToTab>) => onMessage(data))
  worker.port.start()
  worker.addEventListener(
    'error',
    () => {
      tell = withoutWorker(join, onMessage)
      tell(join())
    },
    { once: true },
  )
  return (message) => tell(message)
}

function withoutWorker(join: Join, onMessage: Listener): Tell {
  const later = (callback: () => void, ms: number): void => void setTimeout(callback, ms)
  const open = upstreamOf(location.origin)
  if ('locks' in navigator && typeof BroadcastChannel === 'function') {
    const tab = Math.random().toString(36).slice(2)
    return joinElection({ name, tab, join, onMessage, open, later })
  }
  return createHub({ open, later }).connect(onMessage)
}
