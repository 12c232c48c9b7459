import { createHub, type FromTab, type Hub, type HubParts, type ToTab } from './hub.ts'

/** What goes over the channel between the tabs. */
type Letter =
  | { to: 'leader'; from: string; message: FromTab }
  | { to: 'tab'; tab: string; message: ToTab }
  /** A new leader asks everybody to join again. */
  | { to: 'all' }

export interface ElectionParts extends HubParts {
  /** Name of the lock and of the channel. */
  name: string
  tab: string
  /** How the tab joins at this moment. */
  join: () => FromTab
  onMessage: (message: ToTab) => void
}

/**
 * Where the browser has no shared workers: the tab that holds the lock keeps the stream, the others hear it over a
 * channel. When the leader is closed the browser hands the lock to the next tab.
 */
export function joinElection(parts: ElectionParts): (message: FromTab) => void {
  const channel = new BroadcastChannel(parts.name)
  // A channel has no origin to aim at.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  const say = (letter: Letter): void => channel.postMessage(letter)
  const tabs = new Map<string, (message: FromTab) => void>()
  let hub: Hub | undefined
  let own: ((message: FromTab) => void) | undefined

  channel.addEventListener('message', ({ data }: MessageEvent<Letter>) => {
    if (data.to === 'leader') hear(data.from, data.message)
    else if (data.to === 'all') say({ to: 'leader', from: parts.tab, message: parts.join() })
    else if (data.tab === parts.tab) parts.onMessage(data.message)
  })

  function hear(from: string, message: FromTab): void {
    if (!hub) return
    const tell = tabs.get(from) ?? hub.connect((answer) => say({ to: 'tab', tab: from, message: answer }))
    tabs.set(from, tell)
    tell(message)
    if (message.kind === 'bye') tabs.delete(from)
  }

  void navigator.locks.request(parts.name, () => {
    hub = createHub(parts)
    own = hub.connect(parts.onMessage)
    own(parts.join())
    say({ to: 'all' })
    // The lock is held as long as this tab lives.
    return new Promise<never>(() => {})
  })

  return (message) => {
    if (own) own(message)
    else say({ to: 'leader', from: parts.tab, message })
  }
}
