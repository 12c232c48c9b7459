import type { AdkEvent } from '../adk/index.ts'
import { type Draft, draftOf, finished } from './drafts.ts'
import type { AguiEvent, AguiEventOf } from './events.ts'
import { foreignUsage } from './usage.ts'

/** What is being said, and by whom if that is told. */
export interface Saying {
  kind: 'text' | 'thought' | 'call' | 'result' | 'state'
  id: string
  by?: string | null | undefined
}

interface ForeignOptions {
  author: string
  runId: string
  now: () => number
  warn: (text: string) => void
}

/**
 * Events of ADK that are made up of what agents say that know nothing of it. They are held until the end of their run, which tells
 * what was used and what is still waited for.
 */
export class Foreign {
  readonly #options: ForeignOptions
  #runId: string
  #drafts: Draft[] = []
  /** What the last of them holds. */
  #kinds = new Set<Saying['kind']>()
  #numbers = new Map<string, number>()

  constructor(options: ForeignOptions) {
    this.#options = options
    this.#runId = options.runId
  }

  /** Begins a run. */
  begin(runId: string): AdkEvent[] {
    this.#runId = runId
    return []
  }

  /** The event that something is a part of: a new one where what was said before was of another kind. */
  place(event: AguiEvent, { kind, id, by }: Saying): Draft {
    const last = this.#drafts.at(-1)
    const author = by ?? this.#options.author
    if (
      last &&
      (kind === 'state' || by === undefined || by === null || last.metadata.author === by) &&
      fits(last, kind, this.#kinds)
    ) {
      this.#kinds.add(kind)
      return last
    }
    if (by === undefined || by === null)
      this.#options.warn(`Nobody says who spoke: ${this.#options.author} is taken to be the one.`)
    this.#options.warn(`No invocations are told: turns are called by their runs.`)
    const draft = draftOf(
      {
        eventId: this.#unique(id === '' ? this.#runId : id),
        invocationId: this.#runId,
        author,
        timestamp: (event.timestamp ?? this.#options.now()) / 1_000,
      },
      'foreign',
    )
    this.#drafts.push(draft)
    this.#kinds = new Set([kind])
    return draft
  }

  /** What the end of a run tells. */
  finish({ outcome, usage }: AguiEventOf<'RUN_FINISHED'>): void {
    const pending = pendingOf(outcome)
    const spoken = this.#drafts.findLast(({ metadata, parts }) => {
      return metadata.author !== 'user' && parts.some(({ part }) => part.functionResponse === undefined)
    })
    if (spoken) Object.assign(spoken.metadata, foreignUsage(usage ?? []))
    for (const draft of this.#drafts) {
      const ids = draft.parts.flatMap(({ part }) => part.functionCall?.id ?? []).filter((id) => pending.has(id))
      if (ids.length > 0) draft.metadata.longRunningToolIds = ids
    }
  }

  /** A run that failed. */
  fail({ code, message, timestamp }: AguiEventOf<'RUN_ERROR'>): void {
    const metadata = {
      eventId: this.#unique(`${this.#runId}:error`),
      invocationId: this.#runId,
      author: this.#options.author,
      timestamp: (timestamp ?? this.#options.now()) / 1_000,
      more: { errorCode: code ?? 'RUN_ERROR', errorMessage: message },
    }
    this.#drafts.push(draftOf(metadata, 'foreign'))
    this.#kinds = new Set()
  }

  end(): AdkEvent[] {
    return this.#drafts.splice(0).flatMap((draft) => finished(draft, 'whole') ?? [])
  }

  #unique(id: string): string {
    const number = (this.#numbers.get(id) ?? 0) + 1
    this.#numbers.set(id, number)
    return number === 1 ? id : `${id}#${number}`
  }
}

/** Thoughts come before text, and text before calls; results stand by themselves, and so do users' words. */
function fits({ metadata }: Draft, kind: Saying['kind'], has: ReadonlySet<Saying['kind']>): boolean {
  if (kind === 'state') return metadata.author !== 'user'
  if (kind === 'result') return has.has('result') && !has.has('call') && !has.has('text')
  if (has.has('result') || metadata.author === 'user') return false
  if (kind === 'call') return true
  return !has.has('call') && !has.has('text')
}

function pendingOf(outcome: AguiEventOf<'RUN_FINISHED'>['outcome']): Set<string> {
  const interrupts: unknown = outcome?.['interrupts']
  const interrupted = (Array.isArray(interrupts) ? interrupts : []).flatMap((one: unknown) => {
    const id: unknown = typeof one === 'object' && one !== null && 'toolCallId' in one ? one.toolCallId : undefined
    return typeof id === 'string' ? [id] : []
  })
  return new Set([...(outcome?.pendingToolCallIds ?? []), ...interrupted])
}
