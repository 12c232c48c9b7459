import type { RunFrameType, RunProgress } from '@llm-eval/protocol'
import { type Cell, createCell } from './cell.ts'
import type { LinkStatus } from './hub.ts'
import { observe, type Pace } from './pace.ts'
import { readRunFrame, type RunSaid, type RunUpdate } from './run-frames.ts'
import { hear, nothingKnown, type RunKnown } from './run-known.ts'
import { type LineParts, RunLine } from './run-line.ts'

/** What is known of a run that is watched. */
export interface Watched extends RunKnown {
  /** How fast it goes; empty before two counts. */
  pace: Pace
}

/** How closely a run is watched: its numbers, or each of its items too, without missing one. */
export type Closeness = 'numbers' | 'items'

export interface RunWatchParts extends LineParts {
  /** How the connection is doing; null while nobody watches. */
  status: Cell<LinkStatus | null>
  /** `progress` is the last that is known of a run that is watched: it tells more than the update. */
  onUpdate: (update: RunUpdate, progress: RunProgress | null) => void
  /** What was read of this run before may be old: read it again. Null: of any run. */
  onGap: (runId: string | null) => void
  onSignedOut: () => void
}

export const unwatched: Watched = { ...nothingKnown, pace: [] }

interface Followed {
  cell: Cell<Watched>
  watchers: Record<Closeness, number>
  /** What the server was asked for on this connection. */
  asked: Closeness | null
}

/** What is told of statuses comes for all runs together; asked for again with a run it would come twice. */
const wanted: Record<Closeness, RunFrameType[]> = {
  numbers: ['progress', 'completed'],
  items: ['progress', 'result', 'error', 'completed'],
}
/** Who comes back within this time finds everything as it was. Milliseconds. */
const lingerMs = 1_000

/**
 * Watches runs over one WebSocket for the whole page, which is open while anybody watches. After a broken connection
 * it goes on where it was: no item is missed, and none is told twice.
 */
export class RunWatch {
  readonly #parts: RunWatchParts
  readonly #followed = new Map<string, Followed>()
  #line: RunLine | undefined
  #watchers = 0
  /** After which the statuses of all runs are told. */
  #seq: string | null = null

  constructor(parts: RunWatchParts) {
    this.#parts = parts
  }

  /** Watches what becomes of all runs, until the returned function is called. */
  watchAll(): () => void {
    return this.#enter()
  }

  /** What is known of one run. It is watched as long as anybody subscribes. */
  follow(runId: string, closeness: Closeness): Pick<Cell<Watched>, 'get' | 'subscribe'> {
    return {
      get: () => this.#followed.get(runId)?.cell.get() ?? unwatched,
      subscribe: (listener) => {
        const leave = this.#watch(runId, closeness)
        const unsubscribe = this.#of(runId).cell.subscribe(listener)
        return () => {
          unsubscribe()
          leave()
        }
      },
    }
  }

  /** Connects at once instead of waiting. */
  retry(): void {
    this.#line?.connect()
  }

  #of(runId: string): Followed {
    const known = this.#followed.get(runId)
    if (known) return known
    const made: Followed = { cell: createCell(unwatched), watchers: { numbers: 0, items: 0 }, asked: null }
    this.#followed.set(runId, made)
    return made
  }

  #watch(runId: string, closeness: Closeness): () => void {
    const followed = this.#of(runId)
    followed.watchers[closeness]++
    const leave = this.#enter()
    this.#ask(runId, followed)
    return () => {
      followed.watchers[closeness]--
      this.#parts.later(() => this.#forget(runId, followed), lingerMs)
      leave()
    }
  }

  #enter(): () => void {
    this.#watchers++
    if (!this.#line) this.#line = this.#open()
    // Whoever was sent away may have signed in since.
    else if (isShut(this.#parts.status.get())) this.#line.connect()
    let left = false
    return () => {
      if (left) return
      left = true
      this.#watchers--
      this.#parts.later(() => this.#leave(), lingerMs)
    }
  }

  #open(): RunLine {
    const line: RunLine = new RunLine(this.#parts, {
      onText: (text) => this.#take(line, text),
      onStatus: (status) => {
        this.#parts.status.set(status)
        if (status.state !== 'live') for (const followed of this.#followed.values()) followed.asked = null
        if (status.state === 'signed_out') this.#parts.onSignedOut()
      },
      after: () => this.#seq,
    })
    line.connect()
    return line
  }

  #leave(): void {
    if (this.#watchers > 0) return
    this.#line?.close()
    this.#line = undefined
    // What happens until somebody watches again is not looked up: everything is read anew then.
    this.#seq = null
    this.#followed.clear()
    this.#parts.status.set(null)
  }

  #forget(runId: string, followed: Followed): void {
    if (closenessOf(followed) !== null || this.#followed.get(runId) !== followed) return
    this.#followed.delete(runId)
    if (followed.asked !== null) this.#line?.say({ type: 'unsubscribe', run_id: runId })
  }

  /** Asks the server for a run, if it is not asked for as closely yet. */
  #ask(runId: string, followed: Followed): void {
    const closeness = closenessOf(followed)
    if (closeness === null || this.#line === undefined || this.#parts.status.get()?.state !== 'live') return
    if (followed.asked === 'items' || followed.asked === closeness) return
    const known = followed.cell.get()
    // Numbers alone have no places: they come whole, from now on.
    const after = closeness === 'items' && followed.asked === null ? known.seq : null
    if (after === null) followed.cell.set({ ...known, seq: null })
    followed.asked = closeness
    this.#line.say({
      type: 'subscribe',
      run_id: runId,
      ...(after === null ? {} : { after_seq: after }),
      filter: { events: wanted[closeness] },
    })
  }

  #take(line: RunLine, text: string): void {
    let said: RunSaid
    try {
      said = readRunFrame(text)
    } catch {
      // What this page cannot read counts as missing, so that nothing shown is wrong.
      return this.#parts.onGap(null)
    }
    if (said.kind === 'update') return this.#updated(said)
    const runId = 'runId' in said ? said.runId : null
    if (runId !== null) return this.#heard(runId, said)
    if (said.kind === 'greeting') this.#greeted(line, said.seq)
    else if (said.kind === 'gap') {
      this.#seq = said.seq
      this.#parts.onGap(null)
    }
  }

  #greeted(line: RunLine, seq: string | null): void {
    const isFresh = this.#seq === null
    this.#seq ??= seq
    line.greeted()
    if (isFresh) this.#parts.onGap(null)
    for (const [runId, followed] of this.#followed) this.#ask(runId, followed)
  }

  #updated(said: Extract<RunSaid, { kind: 'update' }>): void {
    this.#seq = said.seq ?? this.#seq
    const { update } = said
    const followed = update.runId === null ? undefined : this.#followed.get(update.runId)
    if (followed) followed.cell.set({ ...followed.cell.get(), ...hear(followed.cell.get(), said) })
    this.#parts.onUpdate(update, followed?.cell.get().progress ?? null)
  }

  #heard(runId: string, said: RunSaid): void {
    const followed = this.#followed.get(runId)
    if (!followed) return
    const before = followed.cell.get()
    const known = hear(before, said)
    const pace =
      said.kind === 'progress'
        ? observe(before.pace, { at: this.#parts.now(), completed: said.progress.completed_items })
        : before.pace
    followed.cell.set({ ...known, pace })
    // What was read before the first place that is known may lack what happened in between.
    const isFresh = said.kind === 'greeting' && before.seq === null && followed.asked === 'items'
    if (isFresh || said.kind === 'gap') this.#parts.onGap(runId)
  }
}

function isShut(status: LinkStatus | null): boolean {
  return status?.state === 'signed_out' || status?.state === 'refused'
}

function closenessOf({ watchers }: Followed): Closeness | null {
  return watchers.items > 0 ? 'items' : watchers.numbers > 0 ? 'numbers' : null
}
