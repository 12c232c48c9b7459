import { RotateCw } from 'lucide-react'
import { useSyncExternalStore } from 'react'
import { useNow } from '../components/time.tsx'
import { formatTime } from '../format/times.ts'
import { useCell } from '../stream/cell.ts'
import { linkWords } from '../stream/link-words.ts'
import { useParts } from './parts.ts'

const dots = { good: 'bg-good', wait: 'bg-wait animate-breathe', bad: 'bg-bad' }

/** The state of the stream, and of the socket of runs where one is watched: always visible. */
export function ConnectionState() {
  const { feed, runLink } = useParts()
  const runs = useCell(runLink.status)
  const stream = useCell(feed.status)
  // Of two connections the reader hears of the one that is doing worse.
  const status = runs === null || stream.state !== 'live' ? stream : runs
  const online = useOnline()
  const now = useNow()
  // Who comes to a page of runs need not be told that its socket opens.
  const { mood, words, retry } = linkWords(status.state === 'connecting' ? stream : status, online, now)
  const title = status.state === 'live' ? `Receiving live since ${formatTime(status.since)}` : words
  return (
    <span
      className="inline-flex items-center gap-1 text-sm text-ink-2"
      data-link-state={online ? status.state : 'offline'}
    >
      <span className="inline-flex items-center gap-1.5 whitespace-nowrap" title={title}>
        <span aria-hidden className={`size-2 rounded-full ${dots[mood]}`} />
        {/* Read aloud when it changes, but not each second of the countdown. */}
        <span className={mood === 'good' ? '' : 'font-medium'}>{words}</span>
      </span>
      <span role="status" className="sr-only">
        {status.state === 'waiting' ? 'Connection lost, reconnecting' : words}
      </span>
      {retry && (
        <button
          type="button"
          aria-label="Reconnect now"
          title="Reconnect now"
          className="rounded p-1 text-ink-2 hover:bg-hover hover:text-ink"
          onClick={() => {
            if (stream.state !== 'live') feed.retry()
            if (runs?.state !== 'live') runLink.watch?.retry()
          }}
        >
          <RotateCw aria-hidden size={13} />
        </button>
      )}
    </span>
  )
}

function useOnline(): boolean {
  return useSyncExternalStore(
    (listener) => {
      addEventListener('online', listener)
      addEventListener('offline', listener)
      return () => {
        removeEventListener('online', listener)
        removeEventListener('offline', listener)
      }
    },
    () => navigator.onLine,
  )
}
