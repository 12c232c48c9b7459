import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AdkEvent, type AdkPart, type AdkStreamItem, readAdkText } from '@llm-eval/formats/adk'
import { AdkToAgui, type AguiEvent } from '@llm-eval/formats/agui'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { growingCalls, streams } from './adk-streams.ts'
import { readBy, versions } from './agui-clients.ts'
import { back, normal, told } from './agui-told.ts'

const textsOf = (parts: readonly AdkPart[] = []) =>
  parts.flatMap(({ text, thought }) => (thought === true ? [] : (text ?? [])))

describe('any stream of an agent of ADK', () => {
  it.each(versions)('is accepted by @ag-ui/client %s, which ends up with the same text, said once', async (version) => {
    await fc.assert(
      fc.asyncProperty(streams, async ({ events }) => {
        const { error, failed, messages, warnings } = await readBy(version, told(events, { version }))
        expect(error).toBeUndefined()
        expect([null, 'UPSTREAM_TRUNCATED']).toContain(failed)
        expect(warnings).toEqual([])
        const shown = messages.flatMap(({ role, content }) => (role === 'assistant' && content ? [content] : []))
        expect(shown.join('')).toBe(textOf(events))
      }),
      { numRuns: 40 },
    )
  })

  it('comes back from AG-UI as it was', () => {
    fc.assert(
      fc.property(streams, ({ events, whole }) => {
        const again = back(told(events)).filter(({ partial }) => partial !== true)
        expect(again.map(normal)).toEqual(whole.map(normal))
      }),
      { numRuns: 150 },
    )
  })
})

describe('calls of tools that are streamed', () => {
  it.each(versions)('grow at @ag-ui/client %s, and end up as they are', async (version) => {
    await fc.assert(
      fc.asyncProperty(growingCalls, async ({ events, calls }) => {
        const { error, failed, messages, warnings } = await readBy(version, told(events, { version }))
        expect({ error, failed, warnings }).toEqual({ error: undefined, failed: null, warnings: [] })
        const held = messages.flatMap(
          ({ toolCalls }) => (toolCalls ?? []) as { id: string; function: { name: string } }[],
        )
        expect(held.map(({ id, function: { name } }) => ({ id, name })).toSorted(byId)).toEqual(
          calls.map(({ id }) => ({ id, name: 'write' })).toSorted(byId),
        )
      }),
      { numRuns: 40 },
    )
  })

  it('are JSON of the whole arguments in the end, unless ADK takes back what it said, and come back as they were', () => {
    let grown = 0
    fc.assert(
      fc.property(growingCalls, ({ events, calls }) => {
        const made = told(events)
        for (const { id, args } of calls) {
          const deltas = made.flatMap((event) =>
            event.type === 'TOOL_CALL_ARGS' && event.toolCallId === id ? [event.delta] : [],
          )
          expect(deltas).not.toContain('')
          expect(JSON.parse(deltas.join('') || '{}')).toEqual(args)
          if (deltas.length > 2) grown++
        }
        const again = back(made).map(normal)
        expect(again).toEqual(events.filter(({ partial }) => partial !== true).map(normal))
        // Keys of arguments stand in eval files in the order in which the agent gave them.
        const parts = again.flatMap(({ content }) => content?.parts ?? [])
        const given = parts.flatMap(({ functionCall }) => (functionCall ? [JSON.stringify(functionCall.args)] : []))
        expect(given).toEqual(calls.map(({ args }) => JSON.stringify(args)))
      }),
      { numRuns: 300 },
    )
    expect(grown).toBeGreaterThan(20)
  })

  const write = (id: string, more: object) => ({ functionCall: { id, name: 'write', ...more } })
  const piece = (stringValue: string) => ({ partialArgs: [{ jsonPath: '$.text', stringValue }], willContinue: true })
  const event = (id: string, parts: AdkPart[], more: Partial<AdkEvent> = {}): AdkEvent => {
    return { id, invocationId: 'i', author: 'a', timestamp: 1, content: { role: 'model', parts }, ...more }
  }
  const partial = (part: AdkPart) => event('1', [part], { partial: true })

  it('of ADK before 2, which gives each piece another id, appear once, when they are whole (trap 2)', () => {
    const events = [
      partial(write('adk-1', piece('On'))),
      partial(write('adk-2', piece('ce'))),
      event('2', [write('adk-3', { args: { text: 'Once' } })]),
      event('3', [{ text: 'Done.' }]),
    ]
    const calls = told(events).filter(({ type }) => type.startsWith('TOOL_CALL_'))
    expect(calls).toMatchObject([
      { type: 'TOOL_CALL_START', toolCallId: 'adk-3' },
      { type: 'TOOL_CALL_ARGS', delta: '{"text":"Once"}' },
      { type: 'TOOL_CALL_END' },
    ])
  })

  it('that broke off end with the run, which is told as truncated, and are no calls afterwards', async () => {
    const events = [partial(write('c', piece('On'))), partial(write('c', piece('ce')))]
    const made = told(events)
    expect(made.slice(1)).toMatchObject([
      { type: 'TOOL_CALL_START', toolCallId: 'c', toolCallName: 'write' },
      { type: 'TOOL_CALL_ARGS', delta: '{"text":"On' },
      { type: 'TOOL_CALL_ARGS', delta: 'ce' },
      { type: 'TOOL_CALL_END' },
      { type: 'RUN_ERROR', code: 'UPSTREAM_TRUNCATED' },
    ])
    for (const version of versions) expect((await readBy(version, told(events, { version }))).error).toBeUndefined()
    expect(back(made)).toEqual([])
  })

  it('end with the run where the model calls another tool instead, and are told as they are where it says other arguments', () => {
    const instead = event('2', [write('other', { args: {} })])
    const made = told([partial(write('c', piece('On'))), instead, event('3', [{ text: 'Done.' }])])
    expect(typesOf(made).filter((type) => type === 'TOOL_CALL_END')).toHaveLength(2)
    expect(back(made).map(normal)[0]).toEqual(normal(instead))
    const changed = event('2', [write('c', { args: { text: 'Twice' } })])
    expect(back(told([partial(write('c', piece('On'))), changed])).map(normal)).toEqual([normal(changed)])
  })
})

const byId = (one: { id: string }, other: { id: string }) => (one.id < other.id ? -1 : 1)

/** What a reader sees in the end: of text that came in pieces the whole, or the pieces where no whole came. */
function textOf(events: readonly AdkEvent[]): string {
  let open = ''
  let text = ''
  for (const { content, partial } of events) {
    const said = textsOf(content?.parts).join('')
    if (partial === true) open += said
    else if (said !== '') {
      text += said
      open = ''
    }
  }
  return text + open
}

const folder = join(import.meta.dirname, 'fixtures/adk-streams')

async function captured(name: string): Promise<AdkStreamItem[]> {
  return [...readAdkText(await readFile(join(folder, `${name}.sse`), 'utf8'))]
}

function eventsIn(items: readonly AdkStreamItem[]): AdkEvent[] {
  return items.flatMap((item) => (item.kind === 'event' ? [item.event] : []))
}

const typesOf = (events: readonly AguiEvent[]) => events.map(({ type }) => type)

describe('what ADK 2.13 for Python really says', async () => {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sse')).map((name) => name.slice(0, -4))

  it.each(names)('of %s is accepted by both clients and comes back', async (name) => {
    const events = eventsIn(await captured(name))
    for (const version of versions) {
      const { error, messages } = await readBy(version, told(events, { version }))
      expect(error).toBeUndefined()
      const shown = messages.flatMap(({ role, content }) => (role === 'assistant' && content ? [content] : []))
      expect(shown.join('')).toBe(textOf(events))
    }
    expect(back(told(events)).map(normal)).toEqual(events.filter(({ partial }) => partial !== true))
  })

  it('text in pieces, under one id, is said once', async () => {
    const events = told(eventsIn(await captured('streamed')))
    const [, start, first, second, end, last] = events
    expect(typesOf(events)).toEqual([
      'RUN_STARTED',
      'TEXT_MESSAGE_START',
      'TEXT_MESSAGE_CONTENT',
      'TEXT_MESSAGE_CONTENT',
      'TEXT_MESSAGE_END',
      'RUN_FINISHED',
    ])
    expect([first, second]).toMatchObject([{ delta: 'Hel' }, { delta: 'lo!' }])
    expect(start).toMatchObject({ name: 'root_agent', metadata: { adk: { author: 'root_agent' } } })
    expect(end).toMatchObject({ metadata: { adk: { modelVersion: 'scripted-1', usage: { totalTokenCount: 32 } } } })
    expect(last).toMatchObject({
      usage: [{ model: 'scripted-1', inputTokens: 20, outputTokens: 12, reasoningTokens: 5 }],
    })
  })

  it.each([
    [
      'growing',
      '{"title":"A |\\"tale|\\" of| two","pages":12,"parts":[{"text":"Onc|e"},{"text":"Then|","odd":{}}],"draft":true}',
    ],
    ['growing-of-gemini', '{"title":"A \\"|tale\\"|","pages":3|,"parts":[{"text":"Once|"}]}'],
  ])('arguments of %s are told while they are written', async (name, pieces) => {
    const events = told(eventsIn(await captured(name)))
    const types = typesOf(events)
    const deltas = events.flatMap((event) => (event.type === 'TOOL_CALL_ARGS' ? [event.delta] : []))
    expect(deltas).toEqual(pieces.split('|'))
    // What is said before a call is over when the call begins.
    expect(types.indexOf('TEXT_MESSAGE_END')).toBe(types.indexOf('TOOL_CALL_START') - 1)
    expect(types.filter((type) => type === 'TOOL_CALL_START' || type === 'TOOL_CALL_END')).toHaveLength(2)
  })

  it('thoughts end before the text begins, and a signature follows the call that it is of', async () => {
    expect(typesOf(told(eventsIn(await captured('tool'))))).toEqual([
      'RUN_STARTED',
      'REASONING_START',
      'REASONING_MESSAGE_START',
      'REASONING_MESSAGE_CONTENT',
      'REASONING_MESSAGE_END',
      'REASONING_END',
      'TOOL_CALL_START',
      'TOOL_CALL_ARGS',
      'TOOL_CALL_END',
      'REASONING_ENCRYPTED_VALUE',
      'TOOL_CALL_RESULT',
      'TEXT_MESSAGE_START',
      'TEXT_MESSAGE_CONTENT',
      'TEXT_MESSAGE_END',
      'RUN_FINISHED',
    ])
  })

  it('a call without arguments has no TOOL_CALL_ARGS (trap 9), and of parallel calls only the first is signed (trap 4)', async () => {
    const events = told(eventsIn(await captured('parallel')))
    const calls = events.flatMap((event) => (event.type === 'TOOL_CALL_START' ? [event.toolCallId] : []))
    const withArguments = events.flatMap((event) => (event.type === 'TOOL_CALL_ARGS' ? [event.toolCallId] : []))
    const signed = events.flatMap((event) => (event.type === 'REASONING_ENCRYPTED_VALUE' ? [event.entityId] : []))
    expect(calls).toHaveLength(2)
    expect(withArguments).toEqual(calls.slice(0, 1))
    expect(signed).toEqual(calls.slice(0, 1))
  })

  it('a call that takes long has no result, and the run waits for it (trap 13)', async () => {
    for (const version of versions) {
      const events = told(eventsIn(await captured('long-running')), { version })
      expect(typesOf(events)).not.toContain('TOOL_CALL_RESULT')
      const call = events.find((event) => event.type === 'TOOL_CALL_START')
      expect(events.at(-1)).toMatchObject({
        type: 'RUN_FINISHED',
        outcome: { type: 'success', ...(version === '1.0.0' ? { pendingToolCallIds: [call?.toolCallId] } : {}) },
        metadata: { adk: { pendingToolCallIds: [call?.toolCallId] } },
      })
    }
  })

  it('another agent speaks in a step of its own (trap 11)', async () => {
    const events = told(eventsIn(await captured('transfer')))
    const steps = events.flatMap((event) => ('stepName' in event ? [`${event.type} ${String(event.stepName)}`] : []))
    expect(steps).toEqual(['STEP_STARTED billing', 'STEP_FINISHED billing'])
  })

  it('what a model failed with ends the run as failed', async () => {
    expect(told(eventsIn(await captured('error'))).at(-1)).toMatchObject({
      type: 'RUN_ERROR',
      code: 'MALFORMED_FUNCTION_CALL',
      message: 'The call makes no sense.',
    })
  })

  it('changes of state are patches with escaped keys, whose prefixes stay (trap 23)', async () => {
    const events = eventsIn(await captured('state'))
    const patch = told(events).find((event) => event.type === 'STATE_DELTA')
    expect(patch).toMatchObject({ delta: [{ op: 'add', path: '/user:a~1b~0c', value: { seen: true } }] })
    for (const version of versions)
      expect((await readBy(version, told(events))).state).toEqual({ 'user:a/b~c': { seen: true } })
  })
})

describe('what agents say', () => {
  let number = 0
  const said = (parts: AdkPart[], more: Partial<AdkEvent> = {}): AdkEvent => ({
    id: `said-${++number}`,
    invocationId: 'e-1',
    author: 'root_agent',
    timestamp: 1_700_000_000.25,
    content: { role: 'model', parts },
    ...more,
  })
  const piece = (text: string, more: Partial<AdkEvent> = {}) => said([{ text }], { ...more, partial: true })

  it('at the same time is kept apart, and is no change of step', async () => {
    const events = [
      piece('A1 ', { author: 'one', branch: 'root.one' }),
      piece('B1 ', { author: 'two', branch: 'root.two' }),
      piece('A2', { author: 'one', branch: 'root.one' }),
      said([{ text: 'B1 ' }], { author: 'two', branch: 'root.two' }),
      said([{ text: 'A1 A2' }], { author: 'one', branch: 'root.one' }),
    ]
    for (const version of versions) {
      const { error, messages } = await readBy(version, told(events, { version }))
      expect(error).toBeUndefined()
      expect(messages.map(({ name, content }) => [name, content])).toEqual([
        ['one', 'A1 A2'],
        ['two', 'B1 '],
      ])
    }
    expect(typesOf(told(events))).not.toContain('STEP_STARTED')
    expect(back(told(events)).map(normal)).toEqual(events.slice(3).map(normal))
  })

  it('as a call in pieces, whose id changes, is told when it is whole (trap 2)', () => {
    const call = (id: string, args: object) => ({ functionCall: { id, name: 'find', args: { ...args } } })
    const whole = said([call('adk-3', { city: 'Rome' })])
    const events = told([
      said([call('adk-1', {})], { partial: true }),
      said([call('adk-2', { city: 'Ro' })], { partial: true }),
      whole,
    ])
    const calls = events.flatMap((event) => (event.type === 'TOOL_CALL_START' ? [event.toolCallId] : []))
    expect(calls).toEqual(['adk-3'])
    expect(back(events).map(normal)).toEqual([normal(whole)])
  })

  it('and then whole with more, or with other words, loses nothing and doubles nothing (trap 1)', async () => {
    for (const [pieces, whole, shown] of [
      ['Hel', 'Hello', ['Hello']],
      ['Hello', 'Hello', ['Hello']],
      ['Well, hello', 'hello', ['Well, hello']],
      ['secret', 'Sorry.', ['secret', 'Sorry.']],
    ] as const) {
      const events = [piece(pieces), said([{ text: whole }])]
      for (const version of versions) {
        const { messages } = await readBy(version, told(events, { version }))
        expect(messages.map(({ content }) => String(content))).toEqual(shown)
      }
      expect(back(told(events)).map(normal)).toEqual([normal(events[1] ?? piece(''))])
    }
  })

  it.each([
    ['failed', { how: 'failed', code: 'X', message: 'Gone.' }],
    ['cancelled', { how: 'failed', status: 'cancelled', code: 'CANCELLED', message: 'Nobody listens.' }],
  ] as const)('until it %s has every message closed before the one last event', async (status, ending) => {
    const events = [said([{ text: 'A.' }]), said([{ text: 'Hm', thought: true }], { author: 'two', partial: true })]
    const reducer = new AdkToAgui({ now: () => 5 })
    const all = [
      ...reducer.start({ threadId: 't', runId: 'r', parentRunId: 'p' }),
      ...events.flatMap((event) => reducer.push(event)),
      ...reducer.end(ending),
      ...reducer.end({ how: 'complete' }),
      ...reducer.push(said([{ text: 'late' }])),
    ]
    expect(typesOf(all).slice(-5)).toEqual([
      'REASONING_MESSAGE_CONTENT',
      'REASONING_MESSAGE_END',
      'REASONING_END',
      'STEP_FINISHED',
      'RUN_ERROR',
    ])
    expect(all[0]).toMatchObject({ type: 'RUN_STARTED', parentRunId: 'p' })
    expect(reducer.outcome).toMatchObject({ status })
    for (const version of versions) expect((await readBy(version, all)).error).toBeUndefined()
    expect(back(all).map(normal)).toEqual(events.map(normal))
  })

  it('and users said is no event for the front end, which has it (trap 5)', () => {
    const events = told([
      said([{ text: 'mine' }], { author: 'user', content: { role: 'user', parts: [{ text: 'mine' }] } }),
    ])
    expect(typesOf(events)).toEqual(['RUN_STARTED', 'RUN_ERROR'])
  })

  it('has times in whole milliseconds, since a client breaks on others (trap 19)', () => {
    const events = told([said([{ text: 'A.' }], { timestamp: 1_700_000_000.123456 })])
    for (const { timestamp } of events) expect(Number.isInteger(timestamp)).toBe(true)
  })
})
