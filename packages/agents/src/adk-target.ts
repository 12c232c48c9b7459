import type { Called } from './call-server.ts'

/** An agent of Google's ADK, where it is served. */
export interface AdkTarget extends Called {
  /** `adk`: an `adk api_server`, of Python, JavaScript or Go. `agent_engine`: one that is deployed to Agent Engine. */
  kind: 'adk' | 'agent_engine'
  /**
   * Of the api server, or of the engine: `https://LOCATION-aiplatform.googleapis.com/v1/projects/…/reasoningEngines/…`, or its
   * resource name alone.
   */
  url: string
  /** Of an api server; null is the one app that it has. */
  appName: string | null
  userId: string
}

/** How one request reaches an agent. */
export interface AdkCalling {
  /** That go with this one request. */
  headers: Readonly<Record<string, string>>
  signal: AbortSignal
}

/** What an agent is asked. */
export interface AdkQuestion extends AdkCalling {
  threadId: string
  /** Of the agent's server, where it is known; otherwise one is made, or found again. */
  sessionId: string | null
  /** `Content` of google-genai, in camel case. */
  message: object
  stateDelta: Readonly<Record<string, unknown>> | null
}

/** An answer that begins: its body holds events. */
export interface AdkAnswer {
  response: Response
  sessionId: string
}

/** Asks an agent of ADK. */
export interface AdkClient {
  /**
   * Makes the session of a thread on an api server, so that whoever asks next need not wait for it. Nothing of what is asked is
   * told. `ask` does it too where nobody did, or it failed.
   *
   * @throws AgentFailed as `ask` does
   */
  prepare(thread: Pick<AdkQuestion, 'threadId' | 'sessionId'> & AdkCalling): Promise<void>
  /**
   * Sends a message, in the session that belongs to the thread.
   *
   * @throws AgentFailed for a status of 400 and more, for redirects that are not followed, and when nobody answers; and the
   * signal's reason when it is aborted
   */
  ask(question: AdkQuestion): Promise<AdkAnswer>
  /**
   * The app that is asked, found out where nobody named it; null of Agent Engine.
   *
   * @throws AgentFailed when it is not known, as `ask` would
   */
  app(calling: AdkCalling): Promise<string | null>
}
