import type { AdkEvent, AdkPart } from '@llm-eval/formats/adk'
import * as fc from 'fast-check'

// Streams of agents of ADK, as its runner makes them: text in pieces and then whole, calls and their results, several agents.

const words = fc.oneof(fc.string({ minLength: 1, maxLength: 12 }), fc.constantFrom('a', 'ä\n', '{"}', '🦉', ' '))
const author = fc.constantFrom('root_agent', 'billing', 'search_agent')
const args = fc.dictionary(
  fc.string({ maxLength: 5 }).filter((key) => key !== '__proto__'),
  fc.jsonValue({ maxDepth: 2 }),
  {
    maxKeys: 3,
    noNullPrototype: true,
  },
)
const signature = fc.option(fc.base64String({ minLength: 4, maxLength: 12 }).map(urlSafe), { nil: undefined })
const usage = fc.option(
  fc.record({ promptTokenCount: fc.nat(1_000), candidatesTokenCount: fc.nat(1_000), totalTokenCount: fc.nat(2_000) }),
  { nil: undefined },
)

function urlSafe(text: string): string {
  return text.replaceAll('+', '-').replaceAll('/', '_')
}

/** A text of an agent, with how it is streamed. */
const text = fc.record({
  thought: fc.boolean(),
  pieces: fc.array(words, { minLength: 1, maxLength: 4 }),
  signature,
})

const odd = fc.constantFrom<AdkPart>(
  { executableCode: { code: 'print(1)', language: 'PYTHON' } },
  { inlineData: { data: 'AAAA', mimeType: 'image/png' } },
  { text: '', thoughtSignature: 'AAAA' },
)

const turn = fc.record({
  author,
  branch: fc.option(fc.constantFrom('root_agent', 'root_agent.billing'), { nil: undefined }),
  texts: fc.array(text, { maxLength: 3 }),
  odd: fc.option(odd, { nil: undefined }),
  calls: fc.array(
    fc.record({ name: fc.constantFrom('find', 'add', 'transfer_to_agent'), args, signature, known: fc.boolean() }),
    {
      maxLength: 3,
    },
  ),
  streamed: fc.constantFrom('whole', 'pieces', 'merged', 'broken'),
  longRunning: fc.boolean(),
  state: fc.option(
    fc.dictionary(
      fc
        .oneof(fc.string({ minLength: 1, maxLength: 6 }), fc.constantFrom('constructor', 'user:a/b~c'))
        .filter((key) => key !== '__proto__'),
      fc.jsonValue({ maxDepth: 1 }),
      {
        minKeys: 1,
        maxKeys: 2,
        noNullPrototype: true,
      },
    ),
    { nil: undefined },
  ),
  usage,
  artifact: fc.boolean(),
})

type Turn = typeof turn extends fc.Arbitrary<infer T> ? T : never

/** Streams, with the events that are no mere pieces. */
export const streams = fc
  .tuple(fc.array(turn, { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([turns, isShared]) => {
    const events: AdkEvent[] = []
    let number = 0
    const next = (given: Turn, more: Partial<AdkEvent>): AdkEvent => {
      number++
      const { author: by, branch } = given
      const whose = branch === undefined ? {} : { branch }
      return {
        id: `event-${number}`,
        invocationId: 'e-1',
        author: by,
        timestamp: 1_700_000_000 + number / 8,
        ...whose,
        ...more,
      }
    }
    // What broke off is the last that was said.
    for (const [at, one] of turns.entries())
      events.push(...named(isShared, eventsOf(at < turns.length - 1 ? { ...one, streamed: unbroken(one) } : one, next)))
    return { events, whole: events.filter(({ partial }) => partial !== true) }
  })

function eventsOf(one: Turn, next: (given: Turn, more: Partial<AdkEvent>) => AdkEvent): AdkEvent[] {
  const events: AdkEvent[] = []
  const ordered =
    one.streamed === 'merged' ? one.texts.toSorted((a, b) => Number(b.thought) - Number(a.thought)) : one.texts
  if (one.streamed !== 'whole')
    for (const { thought, pieces } of one.texts)
      for (const piece of pieces) {
        const part = { text: piece, ...(thought ? { thought } : {}) }
        events.push(next(one, { content: { role: 'model', parts: [part] }, partial: true }))
      }
  if (one.streamed === 'broken' && one.texts.length > 0) return events
  const number = events.length
  const calls = one.calls.map((call, at) => ({ ...call, id: `call-${next(one, {}).id}-${at}-${number}` }))
  const parts: AdkPart[] = [
    ...ordered.map(({ thought, pieces, signature: signed }) => ({
      text: pieces.join(''),
      ...(thought ? { thought } : {}),
      ...(signed === undefined ? {} : { thoughtSignature: signed }),
    })),
    ...(one.odd ? [one.odd] : []),
    ...calls.map(({ id, name, args: given, signature: signed }) => ({
      functionCall: { id, name, args: given },
      ...(signed === undefined ? {} : { thoughtSignature: signed }),
    })),
  ]
  const more: Partial<AdkEvent> = {
    ...(parts.length === 0 ? {} : { content: { role: 'model', parts } }),
    ...(one.usage ? { usageMetadata: one.usage, modelVersion: 'gemini-test' } : {}),
    ...(one.state ? { actions: { stateDelta: one.state } } : {}),
    ...(one.longRunning && calls[0] ? { longRunningToolIds: [calls[0].id] } : {}),
  }
  const whole = next(one, more)
  events.push(whole)
  if (one.artifact)
    events.push({ ...whole, content: undefined, usageMetadata: undefined, actions: { artifactDelta: { 'a.txt': 1 } } })
  const answered = calls.map(({ id, name }) => ({ functionResponse: { id, name, response: { result: name } } }))
  if (answered.length > 0) events.push(next(one, { content: { role: 'user', parts: answered.toReversed() } }))
  return events
}

function unbroken({ streamed }: Turn): Turn['streamed'] {
  return streamed === 'broken' ? 'pieces' : streamed
}

/** ADK gives the pieces of a text the id of the whole, or ids of their own. */
function named(isShared: boolean, events: AdkEvent[]): AdkEvent[] {
  const id = events.find(({ partial }) => partial !== true)?.id ?? events[0]?.id
  return events.map((event) => (isShared && event.partial === true && id !== undefined ? { ...event, id } : event))
}
