import type { AdkRequest, AguiEvent, RunAgentInput, RunEnding, RunOutcome } from '@llm-eval/formats/agui'
import type { ConversationEventInput } from '@llm-eval/protocol'
import type { Logger } from 'pino'
import type { Recording } from '../recording/append.ts'
import type { RunRecorder } from './run-recorder.ts'
import type { Target } from './targets.ts'
import type { KnownThread } from './threads.ts'

/** Takes what the front end gets, as it comes; wait for it. */
export type Send = (events: readonly AguiEvent[]) => void | Promise<void>

/** Whose something is. */
export interface RunPlace {
  threadId: string
  runId: string
}

/** Is told all that goes by, for the logs of `llm-eval bridge --log-dir`; without what must not be kept. */
export interface BridgeTap {
  /** What is new in a request of a front end. */
  request: (messages: readonly object[], place: RunPlace) => void
  /** What the front end gets. */
  agui: (event: object, place: RunPlace) => void
  /** What the agent said, as it was read. */
  raw: (event: object, place: RunPlace) => void
}

/** What the bridge is made of. */
export interface BridgeOptions {
  recording: Recording
  targets: ReadonlyMap<string, Target>
  fetch: typeof globalThis.fetch
  /** The project whose threads have the sessions that are named after them; those of others have sessions of their own. */
  home: number
  log: Pick<Logger, 'warn' | 'error'>
  /** Aborted when the server closes. */
  closing: AbortSignal
  tap?: BridgeTap | undefined
  /** Bytes of one answer, and requests at the same time; as `limits` has them unless said. */
  answerBytes?: number
  runs?: number
  /** Milliseconds in which an api server tells the name of its app, before it is recorded under that of its target; 2,000 unless said. */
  appMs?: number
  /** Milliseconds between two signs of life of requests, for other servers; 5,000 unless said. */
  renewMs?: number | undefined
}

/** One request to an agent. */
export interface BridgeRequest {
  projectId: number
  target: Target
  input: RunAgentInput
  /** That go on to the agent. */
  headers: Readonly<Record<string, string>>
  replayOf: string | null
  /** The user whose words that says again. */
  wordsOf?: string | null | undefined
  /** Aborted when nobody wants the answer any more. */
  signal: AbortSignal
}

/** A request that is under way. */
export interface Running {
  options: BridgeOptions
  request: BridgeRequest
  known: KnownThread
  asked: AdkRequest
  appName: string
  /** Stores events of its thread. */
  append: (events: ConversationEventInput[]) => Promise<unknown>
  recorder: RunRecorder
  /** Aborted when another server has the thread: nothing more of this request can be stored. */
  takenOver: AbortSignal
  /** What of the answer could not be kept as it was written. */
  lost: Set<string>
}

/** How the answer of an agent becomes what the front end gets. */
export interface Telling {
  /** Before the agent is asked. */
  start: () => AguiEvent[]
  /** What is last, once everything is on disk. */
  end: (ending: RunEnding) => AguiEvent[]
  /** How it came out, after its end. */
  readonly outcome: RunOutcome | undefined
}

/** Listens to the answer of an agent. */
export interface Hearing {
  /** Aborted when it is not wanted any more, or does not come. */
  signal: AbortSignal
  /** Something came. */
  heard: () => void
  send: Send
}

/** An event of a run itself, as it is stored. */
export function runEvent<K extends 'run_start' | 'run_end'>(
  { options, request }: Pick<Running, 'options' | 'request'>,
  kind: K,
  payload: Extract<ConversationEventInput, { kind: K }>['payload'],
): ConversationEventInput {
  const shared = { run_id: request.input.runId, invocation_id: null, event_id: null }
  const at = new Date(options.recording.now()).toISOString()
  return { at, ...shared, kind, payload } as ConversationEventInput
}

/** In which session of its server an agent is asked. Threads of the same name in other projects have sessions of their own. */
export function sessionOf({
  known,
  options,
  request: { input, projectId },
}: Pick<Running, 'known' | 'options' | 'request'>): { threadId: string; sessionId: string | null } {
  const threadId = projectId === options.home ? input.threadId : `${projectId}/${input.threadId}`
  return { threadId, sessionId: known.sessionId }
}

/** The agent has what the user said: it is not said again. */
export function wasHeard({ asked, known }: Running): void {
  for (const { id } of asked.users) known.seen.add(id)
  Object.assign(known.state, asked.stateDelta)
}
