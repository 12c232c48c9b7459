import type { AgentDialect } from '@llm-eval/protocol'
import type { TurnRecorder } from '../recorder.ts'

/** An event as a stream carries it; `type` is what it calls itself, or what its frame is called. */
export interface AgentEvent {
  type: string
  told: Readonly<Record<string, unknown>>
  line: number
}

/** Understands the events of a stream, one by one. */
export interface Dialect {
  readonly name: AgentDialect
  /** Told to a recorder; throws AgentFailed where the agent says that it failed. */
  event(event: AgentEvent, recorder: TurnRecorder): void
}
