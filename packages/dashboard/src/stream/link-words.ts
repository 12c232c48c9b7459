import { formatUntil } from '../format/times.ts'
import type { LinkStatus } from './hub.ts'

/** What the reader is told about the connection. */
export interface LinkWords {
  mood: 'good' | 'wait' | 'bad'
  words: string
  /** Whether trying at once makes sense. */
  retry: boolean
}

const offlineAfterMs = 30_000

/** Words for the state of the stream. */
export function linkWords(status: LinkStatus, online: boolean, now: number): LinkWords {
  if (!online) return { mood: 'bad', words: 'Offline', retry: false }
  switch (status.state) {
    case 'live':
      return { mood: 'good', words: 'Live', retry: false }
    case 'connecting':
      return { mood: 'wait', words: 'Connecting…', retry: false }
    case 'signed_out':
      return { mood: 'bad', words: 'Signed out', retry: false }
    case 'refused':
      return { mood: 'bad', words: 'Not allowed', retry: false }
    case 'waiting': {
      const until = formatUntil(status.retryAt, now)
      return now - status.since > offlineAfterMs
        ? { mood: 'bad', words: `Offline, trying in ${until}`, retry: true }
        : { mood: 'wait', words: `Reconnecting in ${until}`, retry: true }
    }
  }
}
