import { limits, statusOfOutcome } from '@llm-eval/protocol'
import type { BridgeRun } from './logs-bridge-words.ts'
import { type Found, momentOf, recordOf, textIn } from './logs-find.ts'
import { resultsOf, usersOf } from './logs-messages.ts'
import type { LogWarnings } from './logs-words.ts'

/** Puts the records of a bridge's log together, run by run. */
export class BridgeRuns {
  readonly #warnings: LogWarnings
  readonly #runs: BridgeRun[] = []
  /** By thread and run. */
  readonly #known = new Map<string, BridgeRun>()
  /** By the id of a message or call that belongs to it. */
  readonly #ids = new Map<string, BridgeRun>()
  readonly #open = new Set<BridgeRun>()
  readonly #mostEvents: number
  #events = 0

  constructor(warnings: LogWarnings, mostEvents: number) {
    this.#warnings = warnings
    this.#mostEvents = mostEvents
  }

  all(): BridgeRun[] {
    return this.#runs
  }

  /** @param named the type that stands before the record, where it is not in it */
  take({ value, hints }: Found, { line, named }: { line: number; named: string | undefined }): void {
    const type = textIn(value, 'type') ?? named
    const at = momentOf(value['timestamp']) ?? hints.at
    if (Array.isArray(value['messages']) && type !== 'MESSAGES_SNAPSHOT') {
      const run = this.#runOf({ thread: hints.thread, run: hints.run, at, line })
      if (run) takeInput(run, value)
      return
    }
    if (type === undefined) return
    const event = value['type'] === type ? value : { ...value, type }
    const run = this.#runFor(event, { thread: hints.thread, run: hints.run, at, line })
    if (!run) return
    if (this.#events >= this.#mostEvents)
      return this.#warnings.once('too_many', line, `The log has more events than are read: ${this.#events}.`)
    this.#events++
    run.events.push({ at, event })
    run.lastLine = line
    run.startedAt ??= at
    this.#note(run, event, at)
  }

  /** What an event says of its run. */
  #note(run: BridgeRun, event: Record<string, unknown>, at: number | null): void {
    const type = textIn(event, 'type')
    const id = textIn(event, 'toolCallId', 'tool_call_id') ?? textIn(event, 'messageId', 'message_id')
    if (id !== null) this.#ids.set(id, run)
    if ((type === 'TOOL_CALL_START' || type === 'TOOL_CALL_CHUNK') && id !== null) run.calls.add(id)
    const adk = recordOf(recordOf(event['metadata'])?.['adk']) ?? {}
    const invocation = textIn(adk, 'invocationId') ?? textIn(event, 'invocationId', 'invocation_id')
    if (invocation !== null) run.invocations.add(invocation)
    const input = recordOf(event['input'])
    if (type === 'RUN_STARTED' && input && run.users.length === 0) takeInput(run, input)
    if (type === 'RUN_STARTED') takeMark(run, recordOf(recordOf(event['metadata'])?.['llm_eval']) ?? {})
    if (type !== 'RUN_FINISHED' && type !== 'RUN_ERROR') return
    run.endedAt = at
    run.code = textIn(event, 'code')
    run.message = type === 'RUN_ERROR' ? (textIn(event, 'message') ?? 'The agent failed.') : null
    run.status = type === 'RUN_ERROR' ? failedAs(run.code) : statusOfOutcome(event['outcome'])
    this.#open.delete(run)
  }

  /** The run that an event is of: by its names, by the id of what it goes on with, or the one that began last. */
  #runFor(event: Record<string, unknown>, place: Place): BridgeRun | undefined {
    if (event['type'] === 'RUN_STARTED' || place.run !== null) return this.#runOf(place)
    const id = textIn(event, 'toolCallId', 'tool_call_id') ?? textIn(event, 'messageId', 'message_id')
    const known = id === null ? undefined : this.#ids.get(id)
    if (known && this.#open.has(known)) return known
    const open = [...this.#open].filter(({ thread }) => place.thread === null || thread === place.thread)
    if (open.length > 1)
      this.#warnings.once(
        'ambiguous',
        place.line,
        'Several runs are under way, and events do not say whose they are: the one that began last has them.',
      )
    return open.at(-1) ?? (place.thread === null ? known : this.#runOf(place))
  }

  #runOf(place: Place): BridgeRun | undefined {
    const { thread, run, at, line } = place
    if (thread === null) {
      this.#warnings.once('bad_event', line, 'A run does not say of which thread it is.')
      return undefined
    }
    const key = JSON.stringify([thread, run])
    const known = this.#known.get(key)
    // A run without a name is over when it ended.
    if (known && (run !== null || known.status === null)) return known
    if (this.#runs.length >= limits.logRuns) {
      this.#warnings.once('too_many', line, `No more than ${limits.logRuns} runs are read.`)
      return undefined
    }
    const begun: BridgeRun = {
      thread,
      run,
      file: this.#warnings.file,
      line,
      lastLine: line,
      app: null,
      user: null,
      startedAt: at,
      endedAt: null,
      status: null,
      code: null,
      message: null,
      users: [],
      results: [],
      calls: new Set(),
      invocations: new Set(),
      events: [],
    }
    this.#runs.push(begun)
    this.#known.set(key, begun)
    this.#open.add(begun)
    return begun
  }
}

interface Place {
  thread: string | null
  run: string | null
  at: number | null
  line: number
}

function takeInput(run: BridgeRun, input: Record<string, unknown>): void {
  run.users = usersOf(input['messages'])
  run.results = resultsOf(input['messages'])
}

/** What a bridge of llm-eval says of a run: whose it is, and when it was recorded, which is before a log of it is written. */
function takeMark(run: BridgeRun, mark: Record<string, unknown>): void {
  run.app = textIn(mark, 'app_name')
  run.user = textIn(mark, 'user_id')
  run.startedAt = momentOf(mark['at']) ?? run.startedAt
}

function failedAs(code: string | null): BridgeRun['status'] {
  if (code === 'UPSTREAM_TRUNCATED') return 'truncated'
  return code !== null && /cancel|abort/i.test(code) ? 'cancelled' : 'failed'
}
