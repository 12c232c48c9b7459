import type { AdkEvent } from '@llm-eval/formats/adk'
import { type ConversationEventInput, limits } from '@llm-eval/protocol'
import { describe, expect, it } from 'vitest'
import { RunRecorder } from './run-recorder.ts'

/** A recorder, and what it stored. */
function open({ redacts }: { redacts: boolean }) {
  const stored: ConversationEventInput[] = []
  const append = (events: ConversationEventInput[]) => Promise.resolve(stored.push(...events))
  const recorder = new RunRecorder({ runId: 'r', append, now: () => 1_700_000_000_000, runs: () => 1, redacts })
  return { recorder, stored }
}

const sizeOf = ({ payload }: ConversationEventInput) => Buffer.byteLength(JSON.stringify(payload))

describe('pieces of one text', () => {
  it('are not put together to more than may be kept of one event', async () => {
    const large = 'x'.repeat(limits.conversationEventBytes - 300)
    const { recorder, stored } = open({ redacts: false })
    const texts = ['Well, ', 'a'.repeat(60_000), large, ' and ', 'so on.']
    const piece = (text: string): AdkEvent => {
      const content = { role: 'model', parts: [{ text }] }
      return { id: 'e', invocationId: 'i', author: 'a', timestamp: 1, partial: true, content }
    }
    for (const text of texts) await recorder.adk(piece(text))
    await recorder.flush()
    expect(stored.map(({ payload }) => payload)).toMatchObject(
      [`Well, ${texts[1]}`, large, ' and so on.'].map((text) => ({ content: { parts: [{ text }] } })),
    )
  })

  it.each([true, false])('of an agent of AG-UI neither, whether anything is taken out (%s) or not', async (redacts) => {
    const { recorder, stored } = open({ redacts })
    const deltas = ['ä'.repeat(60_000), 'x'.repeat(limits.conversationEventBytes - 300), ' and so on.']
    for (const delta of deltas) await recorder.agui({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta })
    await recorder.flush()
    expect(Math.max(...stored.map(sizeOf))).toBeLessThan(limits.conversationEventBytes)
    expect(stored.map(({ payload }) => ('delta' in payload ? payload['delta'] : '')).join('')).toBe(deltas.join(''))
  })
})
