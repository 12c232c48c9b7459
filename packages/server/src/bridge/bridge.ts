import { type AguiEvent, toAdkRequest } from '@llm-eval/formats/agui'
import { type ConversationEventInput, Failure, limits } from '@llm-eval/protocol'
import { appendEvents, StaleThread } from '../recording/append.ts'
import type { Keeper } from '../recording/forgetting.ts'
import { answer } from './answer.ts'
import { RunRecorder } from './run-recorder.ts'
import { type BridgeOptions, type BridgeRequest, runEvent, type Running, type Send, sessionOf } from './running.ts'
import { Slots } from './slots.ts'
import { guarded, newest } from './tap.ts'
import type { Target } from './targets.ts'
import { type HeldThread, type KnownThread, Threads } from './threads.ts'

/** A request whose message is stored. */
export interface BegunRun {
  /** Asks the agent and sends what comes of it, to the end. Never rejects. */
  answer: (send: Send) => Promise<void>
}

interface StartedRun {
  running: Running
  /** When it was stored. */
  at: string
}

interface Begun {
  appName: string
  held: HeldThread
  known: KnownThread
}

/** How often a thread is read for one request, of which others tell more each time. */
const mostStarts = 3

/** Between front ends of AG-UI and agents: what both say is recorded. */
export class Bridge {
  readonly #options: BridgeOptions
  readonly #threads: Threads
  readonly #slots: Slots

  constructor(options: BridgeOptions) {
    const { recording, tap } = options
    this.#options = tap === undefined ? options : { ...options, tap: guarded(tap, recording) }
    this.#threads = new Threads({ ...options.recording, everyMs: options.renewMs })
    this.#slots = new Slots(options.runs ?? limits.bridgeRuns)
  }

  /** @throws {Failure} `target_not_found` */
  target(name: string): Target {
    const target = this.#options.targets.get(name)
    if (target === undefined) throw new Failure('target_not_found', { values: { target: name } })
    return target
  }

  /**
   * Stores what the user said. The agent is asked with `answer`, which must be called.
   *
   * @throws {Failure} when it cannot be: `conversation_busy`, `too_many_streams`, `invalid_request`, and what storing throws
   */
  async begin(request: BridgeRequest): Promise<BegunRun> {
    const end = this.#slots.take()
    try {
      const run = await this.#prepare(request)
      return { answer: (send) => run(send).finally(end) }
    } catch (error) {
      end()
      throw error
    }
  }

  /** What is kept of threads in memory. */
  get threads(): Keeper {
    return this.#threads
  }

  /** Resolves when no request is under way. */
  settled(): Promise<void> {
    return this.#slots.settled()
  }

  async #prepare(request: BridgeRequest): Promise<(send: Send) => Promise<void>> {
    const { input, projectId, signal } = request
    const held = await this.#threads.hold({ projectId, threadId: input.threadId }, () => signal.aborted)
    try {
      const appName = await appOf(request, this.#options.appMs ?? appMs)
      const { running, at } = await this.#start(request, { appName, held })
      return (send) => this.#run(running, at, send).finally(() => held.release())
    } catch (error) {
      held.release()
      throw error
    }
  }

  /** Where another server told more of the thread after it was read here, it is read again: what the agent heard is not said twice. */
  async #start(request: BridgeRequest, parts: { appName: string; held: HeldThread }): Promise<StartedRun> {
    for (let attempt = 1; ; attempt++) {
      const running = this.#toRunning(request, { ...parts, known: await parts.held.recall() })
      const [start, ...said] = beginning(running)
      try {
        const stored = running.append([start, ...said])
        this.#prepareSession(running)
        await stored
        return { running, at: start.at }
      } catch (error) {
        if (!(error instanceof StaleThread) || attempt === mostStarts) throw error
      }
    }
  }

  #toRunning(request: BridgeRequest, { appName, held, known }: Begun): Running {
    const { input, target } = request
    const asked = toAdkRequest(input, { isSeen: (id) => known.seen.has(id), state: known.state })
    if (asked.newMessage === null && target.kind !== 'agui') throw nothingNew()
    const append = this.#appendTo(request, { appName, held, known })
    const { now, redacts } = this.#options.recording
    const recorder = new RunRecorder({ runId: input.runId, append, now, redacts, runs: () => this.#slots.taken })
    const [options, takenOver] = [this.#options, held.hold.lost]
    return { options, request, known, asked, appName, append, recorder, takenOver, lost: new Set<string>() }
  }

  /** The session is made while what the user said is stored: that alone is told afterwards. What goes wrong with it, asking tells. */
  #prepareSession(running: Running): void {
    const { headers, signal, target } = running.request
    const wanted = AbortSignal.any([signal, this.#options.closing])
    target.client?.prepare({ ...sessionOf(running), headers, signal: wanted }).catch(() => undefined)
  }

  #appendTo({ input, projectId, replayOf, target, wordsOf }: BridgeRequest, { appName, held, known }: Begun) {
    const { userId, name } = target
    const thread = { projectId, threadId: input.threadId, target: name, appName, userId, replayOf, wordsOf }
    return async (events: ConversationEventInput[]) => {
      const { first, last } = await held.hold.store({ events, last: known.last }, (hold) =>
        appendEvents(this.#options.recording, { ...thread, hold }, events),
      )
      // What somebody else told in between was not read here.
      known.last = first === null || first === known.last + 1 ? last : -1
    }
  }

  async #run(running: Running, at: string, send: Send): Promise<void> {
    const { log, tap } = this.#options
    const { input } = running.request
    tap?.request(newest(input), input)
    const told = marking(running, at, (events) => {
      if (tap) for (const event of events) tap.agui(event, input)
      return send(events)
    })
    try {
      await answer(running, told)
    } catch (error) {
      log.error({ err: error, thread_id: input.threadId }, 'a request to an agent failed')
    }
  }
}

/**
 * Tells a recorder in the front end, at `metadata.llm_eval`, what only the bridge knows. With RUN_STARTED: that it records by itself,
 * whose thread it is, and when its request was stored; with RUN_ERROR: whether the agent heard what the user said, or is told it
 * again. With it the recorder makes the same file as the export here.
 */
function marking({ appName, asked, known, request: { target } }: Running, at: string, send: Send): Send {
  const mark = { app_name: appName, user_id: target.userId, target: target.name, at }
  const marked = (event: AguiEvent): AguiEvent => {
    if (event.type === 'RUN_STARTED') return { ...event, metadata: { ...event.metadata, llm_eval: mark } }
    if (event.type !== 'RUN_ERROR') return event
    const heard = asked.users.every(({ id }) => known.seen.has(id))
    return { ...event, metadata: { ...event.metadata, llm_eval: { heard } } }
  }
  return (events) => send(events.map(marked))
}

const appMs = 2_000

/** The app that is talked to, as eval files call it. */
async function appOf({ headers, signal, target }: BridgeRequest, withinMs: number): Promise<string> {
  if (target.appName !== null || !target.client) return target.appName ?? target.name
  const patient = AbortSignal.any([signal, AbortSignal.timeout(withinMs)])
  const app = await target.client.app({ headers, signal: patient }).catch(() => null)
  return app ?? target.name
}

function nothingNew(): Failure {
  const message = 'holds no message of a user, and no result of a tool, since the agent last spoke'
  return new Failure('invalid_request', { errors: [{ path: 'messages', message }] })
}

/** What is stored before the agent is asked. */
function beginning(running: Running): [start: ConversationEventInput, ...said: ConversationEventInput[]] {
  const { asked, known, request } = running
  const { input, target } = request
  const payload = { parent_run_id: input.parentRunId ?? null, target: target.name, session_id: known.sessionId }
  const start = runEvent(running, 'run_start', payload)
  const shared = { at: start.at, run_id: input.runId, invocation_id: null, event_id: null }
  const results = asked.results.map((result): ConversationEventInput => {
    return { ...shared, kind: 'tool_result', payload: { ...result, author: 'user' } }
  })
  const users = asked.users.map((user): ConversationEventInput => {
    return { ...shared, kind: 'user_message', payload: { ...user, author: null } }
  })
  return [start, ...results, ...users]
}
