import { type AdkEvent, type AdkPart, readAdkEvent } from '@llm-eval/formats/adk'
import { AdkToAgui, type AguiEvent, AguiToAdk, readAguiEvent, type RunEnding } from '@llm-eval/formats/agui'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { streams } from './adk-streams.ts'
import { readBy, versions } from './agui-clients.ts'

function told(
  events: readonly AdkEvent[],
  { ending = { how: 'complete' }, version }: { ending?: RunEnding; version?: string } = {},
): AguiEvent[] {
  const reducer = new AdkToAgui({ now: () => 1_700_000_000_000 })
  const protocolVersion = version === '1.0.0' ? '1.0' : undefined
  const begun = reducer.start({ threadId: 'thread', runId: 'run', state: {}, protocolVersion })
  return [...begun, ...events.flatMap((event) => reducer.push(event)), ...reducer.end(ending)]
}

function back(events: readonly AguiEvent[]): AdkEvent[] {
  const reader = new AguiToAdk()
  // As they come over the wire.
  const read = events.map((event) => readAguiEvent(JSON.parse(JSON.stringify(event))))
  return [...read.flatMap((one) => ('event' in one ? reader.push(one.event) : [])), ...reader.end()]
}

/** The one form that `readAdkEvent` gives. */
function normal(event: AdkEvent): AdkEvent {
  const read = readAdkEvent(JSON.parse(JSON.stringify(event)))
  if ('fault' in read) throw new Error(read.fault)
  return read.event
}

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
      { numRuns: 60 },
    )
  })

  it('comes back from AG-UI as it was', () => {
    fc.assert(
      fc.property(streams, ({ events, whole }) => {
        const again = back(told(events)).filter(({ partial }) => partial !== true)
        expect(again.map(normal)).toEqual(whole.map(normal))
      }),
      { numRuns: 300 },
    )
  })
})

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
