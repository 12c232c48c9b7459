import { parseCursor, type RunProgressData, type RunStatus } from '@llm-eval/protocol'
import type { RunNews, RunSaid } from './run-frames.ts'

/** What the socket has told of one run. */
export interface RunKnown {
  /** Cursor of the last thing that was told: what comes after it is asked for. Null before anything was. */
  seq: string | null
  /** `unknown` until the run exists; null before anything was told. */
  status: RunStatus | 'unknown' | 'deleted' | null
  /** Newer than what was read before; null before anything was told. */
  progress: RunProgressData | null
  /** Items that were finished since it is followed, and how many of them failed. */
  told: number
  failed: number
  /** The last of them, newest last. */
  recent: readonly RunNews[]
}

/** Items that are kept of each run. */
export const recentNews = 200

export const nothingKnown: RunKnown = { seq: null, status: null, progress: null, told: 0, failed: 0, recent: [] }

/** What is known after one more frame of this run. What was told before is passed over, whoever tells it again. */
export function hear(known: RunKnown, said: RunSaid): RunKnown {
  switch (said.kind) {
    case 'greeting':
      return { ...known, seq: known.seq ?? said.seq, status: said.status ?? known.status }
    case 'gap':
      return { ...known, seq: said.seq }
    case 'progress':
      return { ...known, progress: said.progress }
    case 'news': {
      if (isOld(known.seq, said.seq)) return known
      return {
        ...known,
        seq: said.seq ?? known.seq,
        told: known.told + 1,
        failed: known.failed + (said.news.status === 'failed' ? 1 : 0),
        recent: [...known.recent, said.news].slice(-recentNews),
      }
    }
    case 'completed':
      if (isOld(known.seq, said.seq)) return known
      return { ...known, seq: said.seq ?? known.seq, status: 'completed' }
    case 'update':
      // Of another stream: its places are not those of this one.
      return { ...known, status: said.update.type === 'run_deleted' ? 'deleted' : said.update.status }
    case 'refused':
      return said.code === 'run_deleted' ? { ...known, status: 'deleted' } : known
    case 'other':
      return known
  }
}

/** Whether what stands at this place was told before. */
function isOld(known: string | null, said: string | null): boolean {
  const [before, now] = [parseCursor(known ?? ''), parseCursor(said ?? '')]
  return before !== undefined && now !== undefined && before.epoch === now.epoch && now.seq <= before.seq
}
