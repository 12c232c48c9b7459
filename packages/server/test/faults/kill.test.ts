import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { killAgainAndAgain } from './kill.ts'

describe('a server that is killed in the middle of mixed work', () => {
  let data: string
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'llm-eval-kill-'))
  })
  afterEach(() => rm(data, { recursive: true, force: true }))

  it('keeps all it acknowledged, whole and once, with counters that equal a recount and followers that miss and repeat nothing', {
    timeout: 90_000,
  }, async () => {
    const report = await killAgainAndAgain({ data, rounds: 3, requests: 800, connections: 24, seed: 1 })
    expect(report.faults).toEqual([])
    // Or the server was never killed in the middle of anything.
    expect(report.rounds.every((round) => round.unanswered > 0)).toBe(true)
    expect(report.traces).toBeGreaterThan(500)
  })
})
