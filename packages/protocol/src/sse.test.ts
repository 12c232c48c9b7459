import { createParser } from 'eventsource-parser'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSseDecoder, encodeSse, type SseMessage } from './sse.ts'

/** Any UTF-16 at all, lone surrogates too. */
const anyText = fc.array(fc.nat({ max: 0xffff })).map((codes) => String.fromCharCode(...codes))

interface Decoded {
  messages: SseMessage[]
  ids: string[]
  retries: number[]
}

function decode(chunks: string[], maxChars?: number): Decoded {
  const decoded: Decoded = { messages: [], ids: [], retries: [] }
  const decoder = createSseDecoder(
    {
      onMessage: (message) => decoded.messages.push(message),
      onId: (id) => decoded.ids.push(id),
      onRetry: (ms) => decoded.retries.push(ms),
    },
    maxChars,
  )
  for (const chunk of chunks) decoder.feed(chunk)
  return decoded
}

/** What another implementation makes of the same text, with the last id carried on as the specification wants. */
function oracle(chunks: string[]): Pick<Decoded, 'messages' | 'retries'> {
  const messages: SseMessage[] = []
  const retries: number[] = []
  const parser = createParser({
    onEvent: (event) => messages.push({ id: event.id ?? '', event: event.event ?? 'message', data: event.data }),
    onRetry: (ms) => retries.push(ms),
  })
  for (const chunk of chunks) parser.feed(chunk)
  return { messages, retries }
}

function cut(text: string, places: number[]): string[] {
  const sorted = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b)
  return [...sorted, text.length].map((end, index) => text.slice(index === 0 ? 0 : sorted[index - 1], end))
}

const lineEnd = fc.constantFrom('\n', '\r', '\r\n')
const line = fc.oneof(
  anyText.map((text) => `data: ${text.replace(/[\r\n]/g, '')}`),
  fc.constantFrom(
    'data',
    'data:',
    'data: ',
    'data:  two spaces',
    'id: a1b.7',
    'id',
    'id:',
    'event: named',
    'event:',
    'retry: 1500',
  ),
  fc.constantFrom(
    'retry: 12x',
    'retry:',
    ': comment',
    ':',
    'unknown: field',
    'unknown',
    ' data: leading space',
    'data :x',
    '',
  ),
)
const block = fc
  .tuple(fc.array(fc.tuple(line, lineEnd), { maxLength: 6 }), lineEnd)
  .map(([lines, end]) => `${lines.map(([text, eol]) => text + eol).join('')}${end}`)
const stream = fc.array(block, { maxLength: 8 }).map((blocks) => blocks.join(''))

describe('the event stream decoder', () => {
  it('reads any stream, however it is cut, as eventsource-parser does', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(), { maxLength: 12 }), (text, places) => {
        // A block that sets an id without data reaches the oracle's reader with its next message only.
        const ours = decode(cut(text, places))
        const theirs = oracle([text])
        expect(ours.messages.map(({ event, data }) => ({ event, data }))).toEqual(
          theirs.messages.map(({ event, data }) => ({ event, data })),
        )
        expect(ours.retries).toEqual(theirs.retries)
      }),
      { numRuns: 2_000 },
    )
  })

  it('says the same however the stream is cut', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(), { maxLength: 20 }), (text, places) => {
        expect(decode(cut(text, places))).toEqual(decode([text]))
        expect(decode(text.split(''))).toEqual(decode([text]))
      }),
      { numRuns: 1_000 },
    )
  })

  it('reads back whatever the encoder writes', () => {
    const json = fc.json()
    const id = fc.option(fc.stringMatching(/^[0-9a-z]{1,8}\.[0-9]{1,8}$/), { nil: undefined })
    fc.assert(
      fc.property(fc.array(fc.tuple(json, id)), (frames) => {
        let last = ''
        const expected = frames.map(([data, frameId]) => {
          last = frameId ?? last
          return { id: last, event: 'message', data }
        })
        expect(decode([frames.map(([data, frameId]) => encodeSse(data, frameId)).join('')]).messages).toEqual(expected)
      }),
    )
  })

  it('carries the last id on to later messages', () => {
    expect(decode(['id: e.1\ndata: a\n\ndata: b\n\nid: e.3\ndata: c\n\n']).messages).toEqual([
      { id: 'e.1', event: 'message', data: 'a' },
      { id: 'e.1', event: 'message', data: 'b' },
      { id: 'e.3', event: 'message', data: 'c' },
    ])
  })

  it('reports a heartbeat, which is a block with an id and no data, as a move of the cursor and not as a message', () => {
    expect(encodeSse(undefined, 'e.9')).toBe('id: e.9\n\n')
    expect(decode([encodeSse(undefined, 'e.9')])).toEqual({ messages: [], ids: ['e.9'], retries: [] })
  })

  it('an id that holds NUL is ignored', () => {
    expect(decode(['id: a\n\nid: b\0c\ndata: x\n\n']).messages).toEqual([{ id: 'a', event: 'message', data: 'x' }])
  })

  it('an empty id clears the last one', () => {
    expect(decode(['id: a\ndata: x\n\nid\ndata: y\n\n']).messages.map((message) => message.id)).toEqual(['a', ''])
  })

  it('joins several data lines with LF and takes away one leading space only', () => {
    expect(decode(['data:  a\ndata:b\ndata\n\n']).messages[0]?.data).toBe(' a\nb\n')
  })

  it('drops one leading byte order mark and no other', () => {
    expect(decode(['\uFEFFdata: a\n\n', '\uFEFFdata: b\n\n']).messages.map((message) => message.data)).toEqual(['a'])
  })

  it('takes the LF of a CRLF that comes with the next chunk for the same line end', () => {
    expect(decode(['data: a\r', '\ndata: b\r', '\n\r', '\n']).messages.map((message) => message.data)).toEqual(['a\nb'])
  })

  it('never delivers a block that was cut off', () => {
    expect(decode(['data: whole\n\n', 'id: e.2\ndata: half\n'])).toEqual({
      messages: [{ id: '', event: 'message', data: 'whole' }],
      ids: [],
      retries: [],
    })
  })

  it('accepts a message at the limit and refuses one past it, in whatever pieces it comes', () => {
    const limit = 100
    expect(decode([`data: ${'x'.repeat(limit - 'data: '.length)}`, '\n\n'], limit).messages).toHaveLength(1)
    expect(() => decode(['data: ', 'x'.repeat(limit - 5)], limit)).toThrow(RangeError)
    expect(() =>
      decode(Array.from({ length: 60 }, () => 'data: x\n').concat('data: xxxxx', 'x'.repeat(60)), limit),
    ).toThrow(RangeError)
  })
})
