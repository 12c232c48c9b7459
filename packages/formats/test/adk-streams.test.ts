import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { limits } from '@llm-eval/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AdkStreamItem, readAdkStream, readAdkText } from '../src/adk/index.ts'

setFlagsFromString('--expose-gc')
const gc: unknown = runInNewContext('gc')

function collect(): void {
  if (typeof gc === 'function') gc()
}

const utf8 = new TextEncoder()
/** Of any characters that UTF-8 can hold. */
const anyText = fc
  .array(fc.oneof(fc.nat(0x7f), fc.nat(0x10ffff)), { maxLength: 20 })
  .map((codes) => String.fromCodePoint(...codes).toWellFormed())

/** What is read of bytes that come in pieces. */
async function read(pieces: Iterable<Uint8Array>, maxChars?: number): Promise<AdkStreamItem[]> {
  async function* body() {
    yield* pieces
  }
  const items: AdkStreamItem[] = []
  for await (const item of readAdkStream(body(), maxChars === undefined ? {} : { maxChars })) items.push(item)
  return items
}

const readText = (text: string, maxChars?: number): Promise<AdkStreamItem[]> => read([utf8.encode(text)], maxChars)

/** An event whose text would mislead who does not know strings. */
function event(id: string, text = `{"a": [} ${id} \\" \n 🌞`): string {
  return JSON.stringify({ id, invocationId: 'e', author: 'a', timestamp: 1, content: { parts: [{ text }] } })
}

/** Items in short: ids of events, codes of errors, places of what is malformed. */
function short(items: readonly AdkStreamItem[]): string[] {
  return items.map((item) => {
    if (item.kind === 'event') return item.event.id
    return item.kind === 'error' ? `error ${item.code}: ${item.message}` : `${item.line}: ${item.message}`
  })
}

const recorded = (name: string): string => readFileSync(new URL(`fixtures/adk/${name}`, import.meta.url), 'utf8')

const framings: Record<string, (events: string[]) => string> = {
  SSE: (events) => events.map((one) => `data: ${one}\n\n`).join(''),
  'SSE without a space': (events) => events.map((one) => `data:${one}\n\n`).join(''),
  'SSE with CRLF and a BOM': (events) => `\uFEFF${events.map((one) => `data: ${one}\r\n\r\n`).join('')}`,
  'SSE with comments, ids and names': (events) =>
    `: hello\n\n${events.map((one) => `id: 7\nevent: message\nretry: 5\ndata: ${one}\n\n: ping\n\n`).join('')}data: [DONE]\n\n`,
  'SSE with an event over many lines': (events) =>
    events
      .map(
        (one) =>
          `${pretty(one)
            .split('\n')
            .map((line) => `data: ${line}`)
            .join('\n')}\n\n`,
      )
      .join(''),
  'an object a line': (events) => events.join('\n'),
  'objects one after the other': (events) => events.join(''),
  'a list': (events) => `[${events.join(',')}]`,
  'a list over many lines': (events) => JSON.stringify(events.map(parsed), null, 2),
  'a list over many lines, with CRLF and without indents': (events) =>
    JSON.stringify(events.map(parsed), null, 1).replace(/^ +/gm, '').replaceAll('\n', '\r\n'),
  'objects over many lines': (events) => events.map(pretty).join('\n'),
  'a session with its events': (events) => `{"id": "s", "appName": "a", "events": [${events.join(', ')}]}`,
  'chunks of AgentSpace': (events) => events.map((one) => `{"events": [${one}], "session_id": "s"}`).join('\n'),
}

const parsed = (text: string): unknown => JSON.parse(text)
const pretty = (text: string): string => JSON.stringify(parsed(text), null, 2)

describe('a stream of an agent', () => {
  it.each(Object.entries(framings))('is read as %s, however it is cut (trap 22)', async (_, frame) => {
    const ids = ['1', '2', '3']
    const bytes = utf8.encode(frame(ids.map((id) => event(id))))
    const whole = await read([bytes])
    expect(short(whole)).toEqual(ids)
    expect(whole.every((item) => item.kind === 'event' && item.lost.length === 0)).toBe(true)
    const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))
    expect(await read(single)).toEqual(whole)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 8 }), async (places) => {
        const cuts = [0, ...places.toSorted((a, b) => a - b), bytes.length]
        expect(await read(cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end)))).toEqual(whole)
      }),
      { numRuns: 30 },
    )
  })

  it('of any events gives these events, whatever frames them and however it is cut', async () => {
    const events = fc.array(anyText, { maxLength: 5 })
    const frame = fc.constantFrom(...Object.values(framings).slice(0, 8))
    await fc.assert(
      fc.asyncProperty(events, frame, fc.integer({ min: 1, max: 200 }), async (texts, framed, size) => {
        const bytes = utf8.encode(framed(texts.map((text, at) => event(String(at), text))))
        const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
          bytes.subarray(at * size, (at + 1) * size),
        )
        const items = await read(pieces)
        const told = items.map((item) => item.kind === 'event' && item.event.content?.parts?.[0]?.text)
        expect(told).toEqual(texts)
      }),
      { numRuns: 60 },
    )
  })

  it('gives each event as soon as its last brace is there', async () => {
    const gate = Promise.withResolvers<void>()
    async function* body() {
      yield utf8.encode(`data: ${event('1')}`)
      await gate.promise
      yield utf8.encode('\n\n')
    }
    const stream = readAdkStream(body())
    const first = await stream.next()
    expect(first.done === false && first.value.kind).toBe('event')
    gate.resolve()
    expect((await stream.next()).done).toBe(true)
  })

  it('that the real api_server sent is read without loss', () => {
    for (const scene of ['prime', 'both', 'approve', 'move', 'file', 'note']) {
      const items = [...readAdkText(recorded(`${scene}.sse`))]
      expect(items.length).toBeGreaterThan(1)
      expect(items.filter((item) => item.kind !== 'event' || item.lost.length > 0)).toEqual([])
    }
  })

  it('of the real api_server whose agent failed tells so twice: as an event, and in place of one (trap 16)', () => {
    expect([...readAdkText(recorded('fail.sse'))]).toMatchObject([
      { kind: 'event', event: { errorCode: 'ValueError', errorMessage: 'the model is out of order' } },
      { kind: 'error', code: 'ValueError', message: 'ValueError: the model is out of order' },
    ])
  })

  it('tells errors that come with HTTP 200, in all their forms (trap 16)', async () => {
    const text = [
      'data: {"error": "boom"}\n\n',
      'data: {"error":"x","error_details":{"error_type":"ValueError","error_message":"x"}}\n\n',
      '{\n  "error": {\n    "code": 404,\n    "message": "no such engine",\n    "status": "NOT_FOUND"\n  }\n}\n',
      '[{"error":{"code":429,"message":"slow down"}}]\n',
      '{"detail":"Session not found"}\n{"code":498,"message":"engine gone"}\n',
    ]
    expect(short(await readText(text.join('')))).toEqual([
      'error null: boom',
      'error ValueError: x',
      'error NOT_FOUND: no such engine',
      'error 429: slow down',
      'error null: Session not found',
      'error 498: engine gone',
    ])
  })

  it('that breaks off tells what is missing, and ends (trap 17)', async () => {
    expect(short(await readText(`data: ${event('1')}\n\ndata: ${event('2').slice(0, 40)}`))).toEqual([
      '1',
      '3: the text ended inside of an object',
    ])
    expect(short(await readText(`data: ${event('1')}\n\n`))).toEqual(['1'])
    expect(short(await readText(''))).toEqual([])
  })

  it('goes on behind lines that were cut off', async () => {
    const [one, two, three, four] = ['1', '2', '3', '4'].map((id) => event(id)) as [string, string, string, string]
    expect(short(await readText(`${one.slice(0, 40)}\n${two}\n${three.slice(0, 80)}\n${four}\n`))).toEqual([
      '1: a string breaks off',
      '2',
      '3: a string breaks off',
      '4',
    ])
    expect(short(await readText(`{"author":\n${two}\n${three}`))).toEqual(['1: the object breaks off', '2', '3'])
    expect(short(await readText(`{"author": "a", "content": {\ndata: ${two}\n\n`))).toEqual([
      '1: the object breaks off',
      '2',
    ])
    expect(short(await readText(`data: {"author":\n\ndata: ${two}\n\n`))).toEqual([
      '1: the event ended inside of an object',
      '2',
    ])
  })

  it("goes on behind what is no JSON: pages of HTML, words of logs, Python's own notation", async () => {
    const text = `<html>\nError: oops\n${event('1')}\n{'author': 'a'}\n${event('2')} trailing\nnull\n{"id": 1}\n{"a": tru}\n${event('3')}`
    expect(short(await readText(text))).toEqual([
      '1: is no JSON: <html>',
      '2: is no JSON: Error: oops',
      '1',
      '4: is no JSON: a name in double quotes is missing',
      '2',
      '5: is no JSON: trailing',
      '6: is no JSON: null',
      '7: is no event of ADK: it has neither author nor content',
      expect.stringMatching(/^8: is no JSON: /),
      '3',
    ])
  })

  it('reads an event at the limit and passes over one past it, in whatever pieces it comes', async () => {
    const one = event('1', 'x'.repeat(500))
    const after = event('2')
    expect(short(await readText(`${one}\n${after}`, one.length))).toEqual(['1', '2'])
    for (const size of [1, 7, 10_000]) {
      const bytes = utf8.encode(`data: ${one}\n\ndata: ${after}\n\n`)
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
        bytes.subarray(at * size, (at + 1) * size),
      )
      expect(short(await read(pieces, one.length - 1))).toEqual([`1: is longer than ${one.length - 1} characters`, '2'])
    }
  })

  it('holds no more of a part of 20 MB than it may', async () => {
    function* endless() {
      yield utf8.encode('data: {"author":"a","content":{"parts":[{"text":"')
      for (let at = 0; at < 20; at++) yield utf8.encode('x'.repeat(1_000_000))
      yield utf8.encode(`"}]}}\n\ndata: ${event('after')}\n\n`)
    }
    expect(short(await read(endless()))).toEqual([
      `1: is longer than ${limits.conversationEventBytes} characters`,
      'after',
    ])
  })

  it('throws on nothing', async () => {
    const junk = fc.array(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        '"',
        '\\',
        '\n',
        '\r',
        'data:',
        'data: {"a":',
        ':',
        ',',
        ' ',
        'é',
        '{"author":"a"}',
        'id:',
      ),
      { maxLength: 40 },
    )
    await fc.assert(
      fc.asyncProperty(junk, fc.integer({ min: 1, max: 9 }), async (words, size) => {
        const text = words.join('')
        const bytes = utf8.encode(text)
        const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
          bytes.subarray(at * size, (at + 1) * size),
        )
        expect(await read(pieces)).toEqual([...readAdkText(text)])
      }),
      { numRuns: 400 },
    )
  })

  it('keeps what Python writes and JSON has not (trap 21)', async () => {
    const [item] = await readText('{"author":"a","timestamp":1,"output":{"x":NaN,"id":12345678901234567890}}')
    expect(item).toMatchObject({ kind: 'event', event: { output: { x: 'NaN', id: '12345678901234567890' } } })
    expect(item?.kind === 'event' && item.lost).toHaveLength(2)
  })

  it('is let go at once when nobody wants it any more, also while the agent is silent', async () => {
    const controller = new AbortController()
    let isLetGo = false
    const silent: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: () => {
          isLetGo = true
          return Promise.resolve({ done: true, value: undefined })
        },
      }),
    }
    const reading = readAdkStream(silent, { signal: controller.signal }).next()
    controller.abort(new Error('enough'))
    await expect(reading).rejects.toThrow('enough')
    expect(isLetGo).toBe(true)
    await expect(readAdkStream(silent, { signal: controller.signal }).next()).rejects.toThrow('enough')
  })

  it('is forgotten while it goes on, though somebody may still let it go', async () => {
    const chunks: WeakRef<Uint8Array>[] = []
    async function* body() {
      for (let at = 0; at < 1_000; at++) {
        const chunk = utf8.encode(`${event(String(at))}\n`)
        chunks.push(new WeakRef(chunk))
        yield chunk
        // References that are weak hold until the turn of the loop is over.
        if (at % 100 === 0) await new Promise(setImmediate)
      }
    }
    const stream = readAdkStream(body(), { signal: new AbortController().signal })
    for (let at = 0; at < 900; at++) await stream.next()
    await new Promise(setImmediate)
    collect()
    expect(chunks.filter((chunk) => chunk.deref() !== undefined).length).toBeLessThan(200)
    await stream.return(undefined)
  })

  it('that fails throws what its body throws', async () => {
    async function* body() {
      yield utf8.encode(`${event('1')}\n`)
      throw new Error('connection reset')
    }
    const { signal } = new AbortController()
    const stream = readAdkStream(body(), { signal })
    expect((await stream.next()).done).toBe(false)
    await expect(stream.next()).rejects.toThrow('connection reset')
  })
})
