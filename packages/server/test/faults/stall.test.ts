import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stallOne } from './stall.ts'

describe('a reader that stops reading', () => {
  let data: string
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'llm-eval-stall-'))
  })
  afterEach(() => rm(data, { recursive: true, force: true }))

  it('costs the server a page, is cut after its time, misses nothing when it comes back, and the others read on', {
    timeout: 90_000,
  }, async () => {
    const report = await stallOne({ data, watchers: 30, batches: 20, stallMs: 1_500 })
    expect(report.faults).toEqual([])
  })
})
