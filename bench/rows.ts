import type { NewTrace } from '@llm-eval/store'
import { prepareBatch, openBatch } from '../packages/server/src/intake/requests.ts'
import { sampleTrace } from './sample.ts'

/** Traces as the intake hands them to the store, made of the sample. */
export function storedTraces({ name, first, count }: { name: string; first: number; count: number }): NewTrace[] {
  const traces = Array.from({ length: count }, (_, i) => sampleTrace(`${name}-${String(first + i).padStart(12, '0')}`))
  const bytes = Buffer.from(JSON.stringify({ traces, source: 'bench' }))
  return prepareBatch(openBatch(bytes), { at: Date.now(), source: 'bench', batchId: null }).map((item) => {
    if (!('trace' in item)) throw new Error(`the sample was refused: ${JSON.stringify(item.faults)}`)
    return item.trace
  })
}
