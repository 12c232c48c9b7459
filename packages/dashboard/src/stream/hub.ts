import type { Metrics, StreamFrame } from '@llm-eval/protocol'
import { tellsAfter, type Place } from './place.ts'

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
  /** `whole`: every frame since the tab's place was, is or will be told, so that nothing need be read again. */
  | { kind: 'hello'; status: LinkStatus; metrics: Metrics | null; whole: boolean }
  | { kind: 'status'; status: LinkStatus }
  | { kind: 'frames'; frames: StreamFrame[] }
  /** Frames are missing between what came before and what comes next: read again. */
  | { kind: 'resync' }

/**
 * What a tab tells the hub. It joins with the place in the journal from which it wants every frame; null: from now on.
 * `done` confirms one `frames` message.
 */
export type FromTab = { kind: 'join'; place: Place | null } | { kind: 'done' } | { kind: 'retry' } | { kind: 'bye' }

export interface Upstream {
  /** Up to where it has told frames; null while nobody knows. */
  place(): Place | null
  /** Connects at once instead of waiting. */
  retry(): void
  close(): void
}

export interface UpstreamHandlers {
  onFrame(frame: StreamFrame): void
  onStatus(status: LinkStatus): void
  /** A connection begins: it goes on from the upstream's place, or from now, so that frames may be missing. */
  onBegin(from: 'place' | 'now'): void
}

export interface HubParts {
  /** Opens the stream from a place on; null: from now on. */
  open: (handlers: UpstreamHandlers, after: Place | null) => Upstream
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
  /** Gets, or has read, everything since its place. */
  whole: boolean
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

  function open(after: Place | null): Upstream {
    const handlers: UpstreamHandlers = {
      onFrame(frame) {
        if (frame.event === 'metrics_update') metrics = frame.data
        if (bundle.length === 0) parts.later(flush, flushMs)
        bundle.push(frame)
      },
      onStatus(next) {
        status = next
        tellAll({ kind: 'status', status })
      },
      onBegin(from) {
        for (const tab of tabs) {
          if (from === 'now' || !tab.whole) tab.post({ kind: 'resync' })
          tab.whole = true
        }
      },
    }
    return parts.open(handlers, after)
  }

  function join(tab: Tab, place: Place | null): void {
    tabs.add(tab)
    tab.open = 0
    tab.frozen = false
    // What is told but not handed on yet reaches this tab too, so that it may get a little more than it asked for.
    const told = upstream ? upstream.place() : place
    const whole = tellsAfter(told, place)
    tab.post({ kind: 'hello', status, metrics, whole })
    // A tab that joins a live stream reads again at this word; another one when the stream begins.
    tab.whole = whole || status.state === 'live'
    upstream ??= open(place)
  }

  return {
    connect(post) {
      const tab: Tab = { post, open: 0, frozen: false, whole: false }
      return (message) => {
        if (message.kind === 'join') join(tab, message.place)
        else if (message.kind === 'done') {
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
