import type { Metrics, StreamFrame } from '@llm-eval/protocol'

/** How the one stream of this browser is doing. Times are milliseconds since 1970. */
export type LinkStatus =
  | { state: 'connecting' }
  | { state: 'live'; since: number }
  | { state: 'waiting'; since: number; retryAt: number }
  | { state: 'signed_out' }
  /** The server will not let this reader in. */
  | { state: 'refused' }

/** What the hub tells a tab. */
export type ToTab =
  | { kind: 'hello'; status: LinkStatus; metrics: Metrics | null }
  | { kind: 'status'; status: LinkStatus }
  | { kind: 'frames'; frames: StreamFrame[] }
  /** Frames are missing between what came before and what comes next: read again. */
  | { kind: 'resync' }

/** What a tab tells the hub. `done` confirms one `frames` message. */
export type FromTab = { kind: 'join' } | { kind: 'done' } | { kind: 'retry' } | { kind: 'bye' }

export interface Upstream {
  /** Connects at once instead of waiting. */
  retry(): void
  close(): void
}

export interface UpstreamHandlers {
  onFrame(frame: StreamFrame): void
  onStatus(status: LinkStatus): void
  /** A connection begins that does not continue an earlier one. */
  onFresh(): void
}

export interface HubParts {
  open: (handlers: UpstreamHandlers) => Upstream
  /** Calls back after some milliseconds. */
  later: (callback: () => void, ms: number) => void
}

export interface Hub {
  /** A tab's side of the conversation: `post` reaches the tab, the returned function takes what the tab says. */
  connect(post: (message: ToTab) => void): (message: FromTab) => void
  close(): void
}

const flushMs = 16
/** Unconfirmed messages after which a tab counts as frozen. Nothing is kept for it; it reads again when it wakes. */
const frozenAfter = 64

interface Tab {
  post(message: ToTab): void
  open: number
  frozen: boolean
}

/**
 * Holds the one stream of a browser and hands its frames to every tab, a bundle at a time. It runs in a shared worker,
 * or in the tab that was elected where there is none.
 */
export function createHub(parts: HubParts): Hub {
  const tabs = new Set<Tab>()
  let status: LinkStatus = { state: 'connecting' }
  let metrics: Metrics | null = null
  let bundle: StreamFrame[] = []
  let upstream: Upstream | undefined

  function tellAll(message: ToTab): void {
    for (const tab of tabs) tab.post(message)
  }

  function flush(): void {
    const frames = bundle
    bundle = []
    for (const tab of tabs) {
      if (tab.frozen) continue
      if (tab.open >= frozenAfter) tab.frozen = true
      else {
        tab.open++
        tab.post({ kind: 'frames', frames })
      }
    }
  }

  function open(): Upstream {
    return parts.open({
      onFrame(frame) {
        if (frame.event === 'metrics_update') metrics = frame.data
        if (bundle.length === 0) parts.later(flush, flushMs)
        bundle.push(frame)
      },
      onStatus(next) {
        status = next
        tellAll({ kind: 'status', status })
      },
      onFresh: () => tellAll({ kind: 'resync' }),
    })
  }

  return {
    connect(post) {
      const tab: Tab = { post, open: 0, frozen: false }
      return (message) => {
        if (message.kind === 'join') {
          tabs.add(tab)
          tab.open = 0
          tab.frozen = false
          post({ kind: 'hello', status, metrics })
          upstream ??= open()
        } else if (message.kind === 'done') {
          tab.open = Math.max(0, tab.open - 1)
          if (tab.frozen && tab.open === 0) {
            tab.frozen = false
            post({ kind: 'resync' })
          }
        } else if (message.kind === 'retry') upstream?.retry()
        else tabs.delete(tab)
      }
    },
    close() {
      upstream?.close()
      tabs.clear()
    },
  }
}
