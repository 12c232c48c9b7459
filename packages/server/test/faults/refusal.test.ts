import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fillDatabase, lockDatabase } from './refusal.ts'

describe('a database that takes no writes', () => {
  let data: string
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'llm-eval-refusal-'))
  })
  afterEach(() => rm(data, { recursive: true, force: true }))

  it('is answered 503 while another program holds its lock; nothing is half stored, reads go on, and later the same requests succeed', {
    timeout: 90_000,
  }, async () => {
    const report = await lockDatabase({ data, connections: 16, requests: 200, seed: 2 })
    expect(report.faults).toEqual([])
    expect(report.refused).toBeGreaterThan(8)
  })

  it('is answered 503 when the disk is full; nothing is half stored, all acknowledged traces can be read, and with more room the same requests succeed', {
    timeout: 90_000,
  }, async () => {
    const report = await fillDatabase({ data, connections: 16, requests: 3_000, maxPages: 300, seed: 3 })
    expect(report.faults).toEqual([])
    expect(report.traces).toBeGreaterThan(100)
  })
})
