import type { ConversationEvent } from '@llm-eval/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AdkPart } from '../src/adk/index.ts'
import { GrowingTurns, toTurns } from '../src/conversation/index.ts'
import { adk, ask, began, callTool, end, record, say, start, type Told, toolResult } from './conversation-told.ts'

const runs = fc.constantFrom('r1', 'r2', 'r3', 'r4', null)
const invocations = fc.constantFrom('', 'e-1', 'e-2', 'e-r1', 'e-r3')
const agui = (payload: Record<string, unknown>, run: string | null): Told => ({ kind: 'agui_event', run, payload })

/** Anything, in any order: of requests that overlap, without names, with results that come late. */
const anything: fc.Arbitrary<Told> = fc.oneof(
  runs.map((run) => start(run)),
  runs.map((run) => end('finished', run ?? 'r9')),
  fc.tuple(fc.constantFrom('a', 'b', ''), runs).map(([text, run]) => ask(text, run)),
  runs.map((run) => say('yes', run)),
  fc.tuple(fc.constantFrom('c1', 'c2', ''), runs).map(([id, run]) => callTool(id, 'f', run)),
  fc.tuple(fc.constantFrom('c1', 'c2', ''), runs).map(([id, run]) => toolResult(id, { ok: true }, run)),
  fc
    .tuple(
      invocations,
      runs,
      fc.constantFrom('user', 'root'),
      fc.constantFrom<AdkPart>({ text: 'hi' }, { functionCall: { id: 'c1', name: 'f', args: {} } }),
      fc.boolean(),
    )
    .map(([invocationId, run, author, part, partial]) => adk([part], { invocationId, author, partial }, run)),
)
const speech: fc.Arbitrary<Told> = runs.map((run) => agui({ type: 'RUN_STARTED', threadId: 't', runId: 'e-1' }, run))

/** Requests one after the other, as the bridge records them. */
const request = (n: number, more: Told[] = []): Told[] => [
  start(`q${n}`),
  ask(`Nr. ${n}`, `q${n}`, `m${n}`),
  adk([{ functionCall: { id: `k${n}`, name: 'f', args: {} } }], { id: `x${n}`, invocationId: `i-${n}` }, `q${n}`),
  adk([{ functionResponse: { id: `k${n}`, name: 'f', response: {} } }], { invocationId: `i-${n}` }, `q${n}`),
  ...more,
  adk([{ text: 'done' }], { invocationId: `i-${n}` }, `q${n}`),
  end('finished', `q${n}`),
]
const requests = (count: number, from = 0): Told[] => Array.from({ length: count }, (_, i) => request(from + i)).flat()

const now = began + 3_600_000

/** Reads a conversation as it grows, and each time as a whole. */
function readGrowing(events: readonly ConversationEvent[], sizes: readonly number[]): void {
  const growing = new GrowingTurns()
  for (const size of [...sizes, events.length]) {
    const there = events.slice(0, size)
    expect(growing.list(there, { now })).toEqual(toTurns(there, { now }))
  }
}

describe('the turns of a conversation that grows', () => {
  it('are the same as those of all its events, whatever is told and whenever it is looked at', () => {
    const sized = fc.record({
      // Enough that turns are passed, with anything in between.
      parts: fc.array(
        fc.oneof(
          { weight: 3, arbitrary: fc.array(anything, { maxLength: 6 }) },
          { weight: 1, arbitrary: fc.array(speech, { maxLength: 1 }) },
          { weight: 3, arbitrary: fc.integer({ min: 20, max: 60 }) },
        ),
        { minLength: 3, maxLength: 8 },
      ),
      looks: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }),
    })
    fc.assert(
      fc.property(sized, ({ parts, looks }) => {
        let made = 0
        const told = parts.flatMap((part) => {
          if (typeof part !== 'number') return part
          made += part
          return requests(part, made - part)
        })
        const events = record(...told)
        readGrowing(
          events,
          looks.map((look) => Math.floor(look * events.length)).toSorted((a, b) => a - b),
        )
      }),
      { numRuns: 60 },
    )
  })

  it('are made of what is new: what is over is not read again', () => {
    let reads = 0
    const watched = (events: ConversationEvent[]) =>
      events.map(
        (event): ConversationEvent =>
          Object.defineProperty({ ...event }, 'payload', { enumerable: true, get: () => (reads++, event.payload) }),
      )
    const events = watched(record(...requests(1_000)))
    const growing = new GrowingTurns()
    for (let size = 5_000; size < events.length; size += 3) growing.list(events.slice(0, size), { now })
    reads = 0
    expect(growing.list(events, { now })).toHaveLength(1_000)
    expect(reads).toBeLessThan(4_000)
    const whole = (reads = 0)
    toTurns(events, { now })
    expect(reads).toBeGreaterThan(whole + 6_000)
  })

  it('have what is told late: the result of a call, the end of a request, what an agent said to it', () => {
    const late: Told[][] = [
      [toolResult('k3', { late: true }, 'z')],
      [end('failed', 'q4', 'It broke')],
      [adk([{ text: 'And one more' }], { invocationId: 'i-5' }, 'z')],
      [
        agui({ type: 'RUN_STARTED', threadId: 't', runId: 'i-7' }, 'z'),
        agui({ type: 'TEXT_MESSAGE_START', messageId: 'm', role: 'assistant' }, 'z'),
        agui({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta: 'Of Nr. 7' }, 'z'),
      ],
      [ask('Still there?', null), adk([{ text: 'Yes' }], { invocationId: 'i-6' }, null)],
    ]
    for (const told of late) {
      const events = record(...requests(100), ...told, ...requests(100, 100), ...requests(5, 300))
      const sizes = [600, 600 + told.length, 900, 1_200]
      readGrowing(events, sizes)
    }
  })

  it('run, and are truncated when nothing was heard for long, though nothing is told', () => {
    const events = record(...requests(100), start('open'), ask('Hello?', 'open'))
    const growing = new GrowingTurns()
    const at = Date.parse(events.at(-1)?.at ?? '')
    expect(growing.list(events, { now: at }).at(-1)?.state).toBe('running')
    expect(growing.list(events, { now: at + 3_600_000 }).at(-1)?.state).toBe('truncated')
  })
})
