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

const grownArguments = fc.dictionary(
  fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom("it's", 'a.b', '1', '\n')).filter((key) => key !== '__proto__'),
  // JSON knows no -0.
  fc.jsonValue({ maxDepth: 3 }).map((value): unknown => JSON.parse(JSON.stringify(value))),
  { maxKeys: 4, noNullPrototype: true },
)

/** Calls that are streamed with their arguments, as ADK 2.x does: their pieces, and then the whole. */
export const growingCalls = fc
  .array(
    fc.record({
      args: grownArguments,
      cut: fc.integer({ min: 1, max: 3 }),
      order: fc.constantFrom('in order', 'in order', 'turned', 'half'),
      ids: fc.constantFrom('toolu', 'adk', 'each its own'),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((calls): { events: AdkEvent[]; calls: { id: string; args: Record<string, unknown> }[] } => {
    let number = 0
    const event = (parts: AdkPart[], more: Partial<AdkEvent> = {}): AdkEvent => ({
      id: 'event-1',
      invocationId: 'e-1',
      author: 'root_agent',
      timestamp: 1_700_000_000 + ++number / 8,
      content: { role: 'model', parts },
      ...more,
    })
    const called = calls.map(({ args: given, ids }, at) => ({
      id: `${ids === 'toolu' ? 'toolu' : 'adk'}-${at}`,
      args: given,
    }))
    const pieces = calls.flatMap(({ args: given, cut, order, ids }, at) => {
      const all = piecesOf(given, '$', cut)
      const told = order === 'turned' ? turned(all) : order === 'half' ? all.slice(0, all.length / 2) : all
      return [undefined, ...told].map((piece, index) => {
        const id = ids === 'each its own' ? `adk-${at}-${index}` : called[at]?.id
        const partialArgs = piece === undefined ? {} : { partialArgs: [piece] }
        return event([{ functionCall: { id, name: 'write', ...partialArgs, willContinue: true } }], { partial: true })
      })
    })
    const whole = event(called.map((call) => ({ functionCall: { ...call, name: 'write' } })))
    const answers = event(
      called.map(({ id }) => ({ functionResponse: { id, name: 'write', response: { done: true } } })),
      { id: 'event-2' },
    )
    answers.content = { role: 'user', parts: answers.content?.parts ?? [] }
    const last = event([{ text: 'Written.' }], { id: 'event-3' })
    return { events: [...pieces, whole, answers, last], calls: called }
  })

/** Pieces of arguments as ADK's `_JsonPathTracker` tells them: one for each value, and for texts one for each part of them. */
function piecesOf(value: unknown, path: string, cut: number): Record<string, unknown>[] {
  if (typeof value === 'string') {
    const letters = Array.from(value)
    const texts = letters.flatMap((_, at) => (at % cut === 0 ? letters.slice(at, at + cut).join('') : []))
    return (texts.length === 0 ? [''] : texts).map((stringValue) => ({
      jsonPath: path,
      stringValue,
      willContinue: true,
    }))
  }
  if (typeof value === 'number') return [{ jsonPath: path, numberValue: value }]
  if (typeof value === 'boolean') return [{ jsonPath: path, boolValue: value }]
  if (value === null || typeof value !== 'object') return [{ jsonPath: path, nullValue: 'NULL_VALUE' }]
  const inside = Array.isArray(value)
    ? value.flatMap((one: unknown, at) => piecesOf(one, `${path}[${at}]`, cut))
    : Object.entries(value).flatMap(([key, one]) => piecesOf(one, `${path}${stepOf(key)}`, cut))
  return inside.length === 0 && path !== '$' ? [{ jsonPath: path }] : inside
}

/** The last value first; pieces of one text stay as they are. */
function turned(pieces: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  return [...Map.groupBy(pieces, ({ jsonPath }) => jsonPath).values()].toReversed().flat()
}

/** As ADK's `_append_json_path_key`. */
function stepOf(key: string): string {
  if (/^[a-zA-Z_]\w*$/.test(key)) return `.${key}`
  const escaped = key.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
  return `['${escaped.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')}']`
}
