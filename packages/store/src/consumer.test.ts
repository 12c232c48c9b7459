import { expect, test } from 'vitest'
import { newTraces } from './contract/room.contract.ts'
import { digestTexts } from './consumer.ts'
import type { Store, StoredEvent } from './store.ts'

test('texts that do not fit wait from their own event on, whatever else has the same number', async () => {
  const [one, other] = newTraces(2)
  const numbers = { modelId: 1, minute: 0, latencyMs: null, costNano: null, tokens: null }
  const started = { status: 'running', done: null, total: null } as const
  const events: StoredEvent[] = [
    // An execution is named by a number too, which may be that of a trace: nothing waits for it.
    { seq: 11, at: 0, kind: 'execution_started', ref: 5, data: started },
    { seq: 12, at: 0, kind: 'trace_created', ref: 4, data: numbers, model: '', trace: null },
    { seq: 13, at: 0, kind: 'trace_created', ref: 5, data: numbers, model: '', trace: null },
  ]
  const full = { texts: [{ ref: 4, text: `${one?.body} ${other?.body}` }], left: [5] }
  const store = { read: async () => full } as unknown as Pick<Store, 'read'>
  const { effects, to } = await digestTexts(store)(events, 1)
  expect(to).toBe(12)
  expect(effects).toMatchObject([{ kind: 'index', documents: [{ ref: 4 }], removed: [] }])
})
