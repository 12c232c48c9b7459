/** What a recorder hears of one request to an agent of AG-UI. Both are checked before anything in them is believed. */
export interface AgentHearing {
  readonly event?: unknown
  readonly error?: unknown
  readonly input?: unknown
}

/** What a recorder subscribes to an agent with. */
export interface AgentListener {
  onRunInitialized(heard: AgentHearing): void
  onEvent(heard: AgentHearing): void
  onRunFailed(heard: AgentHearing): void
  onRunFinalized(heard: AgentHearing): void
}

/** An agent of `@ag-ui/client`, such as `HttpAgent`, or anything with its `subscribe`. */
export interface AttachableAgent {
  subscribe(listener: AgentListener): { unsubscribe(): void }
}
