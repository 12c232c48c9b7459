import type { ServerResponse } from 'node:http'
import { encodeSse } from '@llm-eval/protocol'
import { LLMEvalStreamClient, type StreamClientOptions, type StreamFrame, type StreamPhase } from '../src/index.ts'
import { type Behaviour, type FakeServer, startFakeServer } from './fake-server.ts'
import { ManualClock } from './manual-clock.ts'

export const timestamp = '2025-01-27T12:00:00Z'
export const frame = (seq: number) => ({
  event: 'trace_updates',
  data: { action: 'new_trace', trace_id: `t${seq}`, ref: seq },
  timestamp,
})
export const event = (seq: number) => encodeSse(JSON.stringify(frame(seq)), `e.${seq}`)
export const heartbeat = (seq: number) => encodeSse(undefined, `e.${seq}`)
export const connected = encodeSse(JSON.stringify({ event: 'connected', client_id: 'c', timestamp }), 'e.0')

/** Opens a stream, sends these chunks, each on its own, and does `then` with the open connection. */
export function stream(chunks: string[], then: (response: ServerResponse) => unknown = () => undefined): Behaviour {
  return async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    response.flushHeaders()
    for (const chunk of chunks) await new Promise((resolve) => response.write(chunk, resolve))
    await then(response)
  }
}

export const end = (response: ServerResponse) => response.end()
export const cut = (response: ServerResponse) => response.socket?.destroy()

export interface Scene {
  server: FakeServer
  clock: ManualClock
  streams: LLMEvalStreamClient
  phases: StreamPhase[]
  errors: Error[]
  /** Resolves when the stream has reached a phase. */
  reached: (phase: StreamPhase) => Promise<void>
  /** Resolves when so many errors were reported. */
  reported: (count: number) => Promise<void>
}

export async function scene(options: StreamClientOptions, test: (scene: Scene) => Promise<void>): Promise<void> {
  await using server = await startFakeServer(stream([connected]))
  const clock = new ManualClock()
  const phases: StreamPhase[] = []
  const errors: Error[] = []
  const watchers = new Set<() => void>()
  const streams = new LLMEvalStreamClient(server.url, {
    clock,
    random: () => 0,
    onError: (error) => {
      errors.push(error)
      for (const look of watchers) look()
    },
    onStatus: (phase) => {
      phases.push(phase)
      for (const look of watchers) look()
    },
    ...options,
  })
  const until = (met: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!met()) return
        watchers.delete(look)
        resolve()
      }
      watchers.add(look)
      look()
    })
  const reached = (phase: StreamPhase) => until(() => phases.at(-1) === phase)
  const reported = (count: number) => until(() => errors.length >= count)
  try {
    await test({ server, clock, streams, phases, errors, reached, reported })
  } finally {
    streams.closeAllStreams()
  }
}

/** A callback that collects frames, and a promise for when it has so many. */
export function collector() {
  const frames: StreamFrame[] = []
  const cursors: (string | undefined)[] = []
  let look = () => {}
  const callback = (one: StreamFrame, cursor: string | undefined) => {
    frames.push(one)
    cursors.push(cursor)
    look()
  }
  const got = (count: number) =>
    new Promise<void>((resolve) => {
      look = () => {
        if (frames.length >= count) resolve()
      }
      look()
    })
  return { frames, cursors, callback, got }
}

export const backoff = (ms: number) => ms === 250
