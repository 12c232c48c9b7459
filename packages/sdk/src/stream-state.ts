import type { LLMEvalError } from './error.ts'

/**
 * A stream that resumes by itself, as a pure machine: what happened and when goes in, the next state comes out.
 * Nothing here knows about sockets, timers or clocks. Times are milliseconds of one monotonic clock.
 */
export type StreamState = Connecting | Live | Waiting | Done | Failed

/** Where a stream stands. */
export type StreamPhase = StreamState['phase']

/** What a stream knows in every phase. */
interface Place {
  /** Where to resume: the last `id` the server gave. */
  readonly cursor: string | undefined
  /** Connections in a row that came to nothing. */
  readonly tries: number
  /** Milliseconds the server wants to pass between two connections. */
  readonly retryMs: number
}

/** A request is on its way. */
export interface Connecting extends Place {
  readonly phase: 'connecting'
  readonly since: number
}

/** The server sends. */
export interface Live extends Place {
  readonly phase: 'live'
  readonly since: number
  /** When anything last arrived, or the reader last began to listen. */
  readonly heardAt: number
}

/** The connection is lost, and will be tried again. */
export interface Waiting extends Place {
  readonly phase: 'waiting'
  readonly until: number
  readonly error: LLMEvalError
}

/** Ended by the server, or stopped by the application. */
export interface Done extends Place {
  readonly phase: 'done'
}

/** Ended because trying again would not help. */
export interface Failed extends Place {
  readonly phase: 'failed'
  readonly error: LLMEvalError
}

/** What can happen to a stream. */
export type StreamSignal =
  | { type: 'begun'; at: number }
  | { type: 'opened'; at: number }
  | { type: 'heard'; at: number }
  | { type: 'moved'; cursor: string }
  | { type: 'paced'; retryMs: number }
  | { type: 'dropped'; at: number; jitter: number; error: LLMEvalError }
  | { type: 'refused'; error: LLMEvalError }
  | { type: 'ended' }
  | { type: 'ticked'; at: number; jitter: number; error: LLMEvalError }

/** Milliseconds that decide when a stream gives up on a connection and when it tries again. */
export const streamTiming = {
  /** Shortest wait before a connection is tried again. */
  minWait: 250,
  /** Longest wait of our own choice. */
  maxWait: 30_000,
  /** Longest wait that the server can ask for. */
  maxAsked: 3_600_000,
  /** Without an answer for so long, a request has failed. */
  connect: 30_000,
  /** Three heartbeats: without a byte for so long, a connection is dead. */
  silence: 45_000,
  /** A connection that lasted so long was a good one: the next failure counts as the first. */
  stable: 10_000,
} as const

type Step<S extends StreamState, T extends StreamSignal> = (state: S, signal: T) => StreamState
type Table = {
  [P in StreamPhase]: {
    [T in StreamSignal['type']]: Step<Extract<StreamState, { phase: P }>, Extract<StreamSignal, { type: T }>>
  }
}

const stay = (state: StreamState): StreamState => state
const move = (state: StreamState, { cursor }: { cursor: string }): StreamState =>
  cursor === state.cursor ? state : { ...state, cursor }
const pace = (state: StreamState, { retryMs }: { retryMs: number }): StreamState =>
  retryMs === state.retryMs ? state : { ...state, retryMs }
const end = (state: StreamState): StreamState => ({ ...place(state), phase: 'done' })
const fail = (state: StreamState, { error }: { error: LLMEvalError }): StreamState => ({
  ...place(state),
  phase: 'failed',
  error,
})

/** What is over stays over. */
const over = {
  begun: stay,
  opened: stay,
  heard: stay,
  moved: stay,
  paced: stay,
  dropped: stay,
  refused: stay,
  ended: stay,
  ticked: stay,
}

// Every phase answers every signal, or this does not compile.
const table: Table = {
  connecting: {
    begun: (state, { at }) => ({ ...state, since: at }),
    opened: (state, { at }) => ({ ...place(state), phase: 'live', since: at, heardAt: at }),
    heard: stay,
    moved: move,
    paced: pace,
    dropped: (state, signal) => wait(state, state.tries, signal),
    refused: fail,
    ended: end,
    ticked: (state, signal) =>
      signal.at < state.since + streamTiming.connect ? state : wait(state, state.tries, signal),
  },
  live: {
    begun: stay,
    opened: stay,
    heard: (state, { at }) => (at === state.heardAt ? state : { ...state, heardAt: at }),
    moved: move,
    paced: pace,
    dropped: (state, signal) => wait(state, triesAfter(state, signal.at), signal),
    refused: fail,
    ended: end,
    ticked: (state, signal) =>
      signal.at < state.heardAt + streamTiming.silence ? state : wait(state, triesAfter(state, signal.at), signal),
  },
  waiting: {
    begun: stay,
    opened: stay,
    heard: stay,
    moved: stay,
    paced: pace,
    dropped: stay,
    refused: fail,
    ended: end,
    ticked: (state, { at }) => (at < state.until ? state : { ...place(state), phase: 'connecting', since: at }),
  },
  done: over,
  failed: over,
}

/** A stream that is about to connect. */
export function startStream(at: number, cursor: string | undefined): StreamState {
  return { phase: 'connecting', cursor, tries: 0, retryMs: streamTiming.minWait, since: at }
}

/** The state after a signal; the same object when nothing changed. */
export function step(state: StreamState, signal: StreamSignal): StreamState {
  // The table pairs each phase and signal with its own step; the compiler cannot follow that through two indexes.
  const next = table[state.phase][signal.type] as Step<StreamState, StreamSignal>
  return next(state, signal)
}

/** When the stream wants to be told the time (`ticked`); undefined when it does not depend on it any more. */
export function wakeAt(state: StreamState): number | undefined {
  switch (state.phase) {
    case 'connecting':
      return state.since + streamTiming.connect
    case 'live':
      return state.heardAt + streamTiming.silence
    case 'waiting':
      return state.until
    case 'done':
    case 'failed':
      return undefined
  }
}

function place({ cursor, tries, retryMs }: Place): Place {
  return { cursor, tries, retryMs }
}

function triesAfter(state: Live, at: number): number {
  return at - state.since >= streamTiming.stable ? 0 : state.tries
}

/**
 * The wait doubles from try to try and is spread at random from the first on, so that the watchers of a server that
 * restarts do not all return at once. A `Retry-After` is kept, and spread too.
 */
function wait(
  state: Place,
  tries: number,
  { at, jitter, error }: { at: number; jitter: number; error: LLMEvalError },
): Waiting {
  const least = Math.max(streamTiming.minWait, Math.min(state.retryMs, streamTiming.maxAsked))
  const most = Math.min(Math.max(streamTiming.maxWait, least * 2), least * 2 ** Math.min(tries + 1, 30))
  const asked = error.retryAfter === undefined ? 0 : Math.min(error.retryAfter * 1000, streamTiming.maxAsked)
  return {
    ...place(state),
    phase: 'waiting',
    tries: tries + 1,
    until: at + asked + least + jitter * (most - least),
    error,
  }
}
