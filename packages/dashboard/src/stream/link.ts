import { joinElection } from './election.ts'
import { createHub, type FromTab, type ToTab } from './hub.ts'
import { openUpstream } from './upstream.ts'

const name = 'llm-eval-feed'

/**
 * Joins the one stream of this browser: by the shared worker; where there is none, by electing one tab; where there are
 * no locks either (plain http), with a stream of this tab's own.
 */
export function openLink(onMessage: (message: ToTab) => void): (message: FromTab) => void {
  const tell = speak(onMessage)
  tell({ kind: 'join' })
  addEventListener('pagehide', () => tell({ kind: 'bye' }))
  addEventListener('pageshow', (event) => {
    if (event.persisted) tell({ kind: 'join' })
  })
  return tell
}

type Listener = (message: ToTab) => void
type Tell = (message: FromTab) => void

function speak(onMessage: Listener): Tell {
  if (typeof SharedWorker !== 'function') return withoutWorker(onMessage)
  try {
    return toWorker(onMessage)
  } catch {
    // Some privacy settings forbid it.
    return withoutWorker(onMessage)
  }
}

function toWorker(onMessage: Listener): Tell {
  const worker = new SharedWorker(new URL('./feed-worker.ts', import.meta.url), { type: 'module', name })
  // A port has no origin to aim at.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  let tell: Tell = (message) => worker.port.postMessage(message)
  worker.port.addEventListener('message', ({ data }: MessageEvent<ToTab>) => onMessage(data))
  worker.port.start()
  worker.addEventListener(
    'error',
    () => {
      tell = withoutWorker(onMessage)
      tell({ kind: 'join' })
    },
    { once: true },
  )
  return (message) => tell(message)
}

function withoutWorker(onMessage: Listener): Tell {
  const later = (callback: () => void, ms: number): void => void setTimeout(callback, ms)
  const open = openUpstream
  if ('locks' in navigator && typeof BroadcastChannel === 'function') {
    const tab = Math.random().toString(36).slice(2)
    return joinElection({ name, tab, onMessage, open, later })
  }
  return createHub({ open, later }).connect(onMessage)
}
