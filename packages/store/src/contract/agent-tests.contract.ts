import { randomUUID } from 'node:crypto'
import { limits } from '@llm-eval/protocol'
import { describe, expect, test } from 'vitest'
import type { NewAgentReport } from '../agent-tests.ts'
import { now, type Room } from './room.contract.ts'

type Case = NewAgentReport['cases'][number]

function newCase(caseId: string, fields: Partial<Case> = {}): Case {
  return {
    caseId,
    name: `case ${caseId}`,
    outcome: 'passed',
    state: 'PASSED',
    score: 92.5,
    costNano: 1_500_000,
    latencyMs: 120.5,
    model: 'gpt-4o',
    passed: 1,
    n: 1,
    flaky: false,
    body: '{"result":1}',
    ...fields,
  }
}

function newReport(fields: Partial<NewAgentReport> = {}): NewAgentReport {
  return {
    id: `rep-${randomUUID()}`,
    hash: 'h',
    suite: 'stocks',
    at: now,
    command: 'check',
    verdict: 'SAFE_TO_SHIP',
    exitCode: 0,
    by: 'ann',
    commit: 'abc',
    branch: 'main',
    note: null,
    runId: null,
    cases: [newCase('a'), newCase('b', { outcome: 'failed', state: 'REGRESSION', score: null, flaky: true })],
    ...fields,
  }
}

const baseline = {
  variant: 'default',
  acceptedAt: now,
  acceptedBy: 'ann',
  note: 'fine',
  model: null,
  attempts: 2,
  body: '{"version":1}',
}
const quarantine = { owner: 'bob', reason: 'upstream is down', expiresAt: now + 1_000, setAt: now, setBy: 'ann' }

function withoutBody<Row extends { body: unknown }>(row: Row): Omit<Row, 'body'> {
  const { body: _body, ...rest } = row
  return rest
}

/** Reports of agent tests, and what teams accept of them. */
export function agentTestsContract(room: () => Promise<Room>): void {
  const put = (r: Room, fields: Partial<NewAgentReport> = {}) =>
    r.apply({ kind: 'putAgentReport', report: newReport(fields), at: now })
  const suiteOf = async (r: Room, suite = 'stocks') => r.read('agentSuite', { suite, reports: 30, results: 20_000 })
  const kinds = async (r: Room) => (await r.journal()).map(({ kind, data }) => ({ kind, data }))

  describe('reports of agent tests', () => {
    test('are kept once, with their cases, in their own project', async () => {
      const [r, other] = [await room(), await room()]
      const report = newReport()
      expect(await r.apply({ kind: 'putAgentReport', report, at: now })).toEqual({ result: 'created' })
      expect(await r.apply({ kind: 'putAgentReport', report, at: now })).toEqual({ result: 'exists' })
      expect(await put(r, { id: report.id, hash: 'other' })).toEqual({ result: 'conflict' })
      const { cases, ...head } = report
      const counts = { cases: 2, passed: 1, failed: 1, faulted: 0, unevaluated: 0 }
      const stored = { ...head, counts }
      expect(await r.read('agentReport', { id: report.id })).toEqual(stored)
      expect(await r.read('agentSuites', {})).toEqual([{ suite: 'stocks', reports: 1, updatedAt: now, last: stored }])
      expect(await suiteOf(r)).toEqual({
        reports: [stored],
        results: cases.map((row) => ({ ...withoutBody(row), reportId: report.id })),
        baselines: [],
        quarantines: [],
      })
      expect(await r.read('agentResult', { reportId: report.id, caseId: 'a' })).toEqual({ body: '{"result":1}' })
      expect(await r.read('agentResult', { reportId: report.id, caseId: 'none' })).toBeNull()
      expect(await other.read('agentSuites', {})).toEqual([])
      expect(await suiteOf(other)).toBeNull()
      expect(await other.read('agentReport', { id: report.id })).toBeNull()
      expect(await other.read('agentResult', { reportId: report.id, caseId: 'a' })).toBeNull()
      expect(await put(other, { id: report.id })).toEqual({ result: 'created' })
    })

    test('of many that send the same one at once, one does', async () => {
      const r = await room()
      const report = newReport()
      const all = await Promise.all(
        Array.from({ length: 8 }, () => r.apply({ kind: 'putAgentReport', report, at: now })),
      )
      expect(all.filter(({ result }) => result === 'created')).toHaveLength(1)
      expect(all.filter(({ result }) => result === 'exists')).toHaveLength(7)
      expect((await r.read('agentSuites', {}))[0]?.reports).toBe(1)
    })

    test('are told in the journal by numbers only', async () => {
      const r = await room()
      await put(r, { verdict: 'BLOCK_RELEASE', exitCode: 1, note: 'secret words' })
      await put(r, { verdict: null, command: 'test', at: now - 90 * 86_400_000 })
      const [first, second] = await kinds(r)
      // When they came, not when the agent was asked: the journal forgets what is old.
      expect((await r.journal()).map(({ at }) => at)).toEqual([now, now])
      const data = { report: expect.any(Number), exitCode: 1, passed: 1, cases: 2 }
      expect(first).toEqual({ kind: 'agent_tested', data: { ...data, verdict: 'BLOCK_RELEASE' } })
      expect(second).toEqual({ kind: 'agent_tested', data: { ...data, exitCode: 0, verdict: null } })
    })

    test('are named in the events of streams as long as they are there, and by their own project only', async () => {
      const [r, other] = [await room(), await room()]
      await put(r, { id: 'first' })
      await put(r, { id: 'second', suite: 'weather' })
      await put(other, { id: 'elsewhere' })
      const named = async () =>
        (await r.journal()).flatMap((event) => (event.kind === 'agent_tested' ? [event.report] : []))
      expect(await named()).toEqual([
        { id: 'first', suite: 'stocks' },
        { id: 'second', suite: 'weather' },
      ])
      await r.apply({ kind: 'deleteAgentReport', id: 'first', at: now })
      expect(await named()).toEqual([null, { id: 'second', suite: 'weather' }])
      const facts = await r.read('facts', { after: 0, limit: 10 })
      expect(facts.flatMap((event) => (event.kind === 'agent_tested' ? [event.report] : []))).toEqual([null, null])
    })

    test('of a suite come newest first by when they were made, and so does the history of a case', async () => {
      const r = await room()
      await put(r, { id: 'second', at: now + 2, cases: [newCase('a', { body: null })] })
      await put(r, { id: 'first', at: now + 1 })
      await put(r, { id: 'elsewhere', suite: 'other', at: now + 9 })
      const found = await r.read('agentSuite', { suite: 'stocks', reports: 1, results: 10 })
      expect(found?.reports.map(({ id }) => id)).toEqual(['second'])
      expect(found?.results.map(({ reportId }) => reportId)).toEqual(['second'])
      const history = async (limit: number) =>
        (await r.read('agentHistory', { suite: 'stocks', caseId: 'a', limit })).map(({ report }) => report.id)
      expect(await history(10)).toEqual(['second', 'first'])
      expect(await history(1)).toEqual(['second'])
      expect(await r.read('agentHistory', { suite: 'stocks', caseId: 'none', limit: 5 })).toEqual([])
      expect((await r.read('agentSuites', {})).map(({ suite, last }) => [suite, last?.id])).toEqual([
        ['other', 'elsewhere'],
        ['stocks', 'second'],
      ])
      expect(await r.read('agentResult', { reportId: 'second', caseId: 'a' })).toEqual({ body: null })
    })

    test('of a suite tell results as far back as they are asked for, and those of the newest always', async () => {
      const r = await room()
      for (let i = 0; i < 4; i++) await put(r, { id: `r${i}`, at: now + i })
      const told = async (results: number) => {
        const found = await r.read('agentSuite', { suite: 'stocks', reports: 3, results })
        return [found?.reports.length, found?.results.map(({ reportId, caseId }) => `${reportId}${caseId}`)]
      }
      expect(await told(4)).toEqual([3, ['r2a', 'r2b', 'r3a', 'r3b']])
      expect(await told(5)).toEqual([3, ['r2a', 'r2b', 'r3a', 'r3b']])
      expect(await told(1)).toEqual([3, ['r3a', 'r3b']])
    })

    test(`may hold ${limits.agentReportCases} cases`, async () => {
      const r = await room()
      const cases = Array.from({ length: limits.agentReportCases }, (_, i) => newCase(`c${i}`))
      expect(await put(r, { cases })).toEqual({ result: 'created' })
      expect((await suiteOf(r))?.results).toHaveLength(limits.agentReportCases)
    })

    test(`of one suite there are ${limits.agentSuiteReports}: the oldest makes room`, async () => {
      const r = await room()
      const none = { cases: [] }
      await Promise.all(
        Array.from({ length: limits.agentSuiteReports }, (_, i) => put(r, { id: `r${i}`, at: now + i, ...none })),
      )
      expect(await r.read('agentReport', { id: 'r0' })).not.toBeNull()
      await put(r, { id: 'one more', at: now + limits.agentSuiteReports, ...none })
      expect(await r.read('agentReport', { id: 'r0' })).toBeNull()
      expect(await r.read('agentReport', { id: 'r1' })).not.toBeNull()
      expect((await r.read('agentSuites', {}))[0]).toMatchObject({ reports: limits.agentSuiteReports })
    })

    test(`are of at most ${limits.agentSuites} suites of a project`, async () => {
      const r = await room()
      const none = { cases: [] }
      await Promise.all(Array.from({ length: limits.agentSuites }, (_, i) => put(r, { suite: `s${i}`, ...none })))
      expect(await put(r, { suite: 'one more' })).toEqual({ result: 'too_many' })
      expect(await put(r, { suite: 's7', ...none })).toEqual({ result: 'created' })
    })

    test('that are deleted leave nothing but an event', async () => {
      const r = await room()
      const secret = `secret-${randomUUID()}`
      const id = `rep-${secret}`
      const cases = [newCase(secret, { name: secret, model: secret, body: JSON.stringify({ secret }) })]
      await put(r, { id, by: secret, commit: secret, branch: secret, note: secret, runId: secret, cases })
      await put(r)
      expect(await r.apply({ kind: 'deleteAgentReport', id, at: now })).toEqual({ found: true })
      expect(await r.apply({ kind: 'deleteAgentReport', id, at: now })).toEqual({ found: false })
      expect(await r.dump()).not.toContain(secret)
      expect((await kinds(r)).at(-1)).toEqual({
        kind: 'agent_tests_changed',
        data: { subject: 'report', removed: true },
      })
      expect((await r.read('agentSuites', {}))[0]).toMatchObject({ reports: 1 })
    })

    test('that are deleted do not come back by being sent again, alone or with their suite', async () => {
      const [r, other] = [await room(), await room()]
      for (const id of ['alone', 'a', 'b', 'c']) await put(r, { id })
      await put(r, { id: 'elsewhere', suite: 'weather' })
      await r.apply({ kind: 'deleteAgentReport', id: 'alone', at: now })
      expect(await put(r, { id: 'alone' })).toEqual({ result: 'deleted' })
      expect(await put(r, { id: 'alone', suite: 'weather' })).toEqual({ result: 'deleted' })
      expect(await put(other, { id: 'alone' })).toEqual({ result: 'created' })
      const remove = () => r.apply({ kind: 'deleteAgentSuite', suite: 'stocks', at: now, limit: 2 })
      expect(await remove()).toEqual({ found: true, more: true })
      expect(await remove()).toEqual({ found: true, more: false })
      for (const id of ['a', 'b', 'c']) expect(await put(r, { id })).toEqual({ result: 'deleted' })
      expect((await r.read('agentSuites', {})).map(({ suite }) => suite)).toEqual(['weather'])
      expect(await put(r, { id: 'another' })).toEqual({ result: 'created' })
      expect(await r.read('agentReport', { id: 'elsewhere' })).not.toBeNull()
    })

    test('that reached their age may be sent again', async () => {
      const r = await room()
      await put(r, { id: 'old' })
      await r.apply({ kind: 'expireAgentReports', before: now + 1, at: now, limit: 10 })
      expect(await put(r, { id: 'old' })).toEqual({ result: 'created' })
    })

    test('that are old go in bounded steps, the oldest first; what was accepted stays', async () => {
      const r = await room()
      for (let i = 0; i < 5; i++) await put(r, { id: `r${i}`, at: now + i })
      await r.apply({ kind: 'putAgentBaseline', suite: 'stocks', caseId: 'a', baseline })
      const expire = (limit: number) => r.apply({ kind: 'expireAgentReports', before: now + 4, at: now + 10, limit })
      expect(await expire(3)).toEqual({ deleted: 3, more: true })
      expect(await r.read('agentReport', { id: 'r3' })).not.toBeNull()
      expect(await expire(3)).toEqual({ deleted: 1, more: false })
      expect((await suiteOf(r))?.reports.map(({ id }) => id)).toEqual(['r4'])
      expect((await suiteOf(r))?.baselines).toHaveLength(1)
      expect((await r.read('agentSuites', {}))[0]).toMatchObject({ reports: 1 })
    })
  })

  describe('what is accepted of a case', () => {
    const key = { suite: 'stocks', caseId: 'a' }
    const accept = (r: Room, fields: object = {}) =>
      r.apply({ kind: 'putAgentBaseline', ...key, baseline: { ...baseline, ...fields } })

    test('is kept by variant, the last word counts, and it goes one by one', async () => {
      const [r, other] = [await room(), await room()]
      await put(r)
      expect(await accept(r)).toEqual({ result: 'ok' })
      await accept(r, { variant: 'short', body: '{"short":1}' })
      await accept(r, { note: 'again', body: '{"again":1}' })
      const head = withoutBody(baseline)
      const told = [
        { ...head, caseId: 'a', note: 'again', body: '{"again":1}' },
        { ...head, caseId: 'a', variant: 'short', body: '{"short":1}' },
      ]
      expect(await r.read('agentBaselines', key)).toEqual(told)
      expect((await suiteOf(r))?.baselines).toEqual(told.map(withoutBody))
      expect(await other.read('agentBaselines', key)).toEqual([])
      const remove = (variant: string) => r.apply({ kind: 'deleteAgentBaseline', ...key, variant, at: now })
      expect(await remove('short')).toEqual({ result: 'ok' })
      expect(await remove('short')).toEqual({ result: 'not_found' })
      expect((await r.read('agentBaselines', key)).map(({ variant }) => variant)).toEqual(['default'])
      expect((await kinds(r)).slice(1).map(({ data }) => data)).toEqual([
        ...Array.from({ length: 3 }, () => ({ subject: 'baseline', removed: false })),
        { subject: 'baseline', removed: true },
      ])
    })

    test(`has at most ${limits.agentVariants} variants`, async () => {
      const r = await room()
      await put(r)
      for (let i = 0; i < limits.agentVariants; i++) await accept(r, { variant: `v${i}` })
      expect(await accept(r, { variant: 'more' })).toEqual({ result: 'too_many' })
      expect(await accept(r, { variant: 'v3', note: 'replaced' })).toEqual({ result: 'ok' })
    })

    test('is quarantined until somebody says otherwise', async () => {
      const [r, other] = [await room(), await room()]
      await put(r)
      await r.apply({ kind: 'putAgentQuarantine', ...key, quarantine })
      const longer = { ...quarantine, expiresAt: now + 9_000, setBy: null }
      await r.apply({ kind: 'putAgentQuarantine', ...key, quarantine: longer })
      expect(await r.read('agentQuarantine', key)).toEqual({ caseId: 'a', ...longer })
      expect((await suiteOf(r))?.quarantines).toEqual([{ caseId: 'a', ...longer }])
      expect(await other.read('agentQuarantine', key)).toBeNull()
      expect(await r.apply({ kind: 'deleteAgentQuarantine', ...key, at: now })).toEqual({ result: 'ok' })
      expect(await r.apply({ kind: 'deleteAgentQuarantine', ...key, at: now })).toEqual({ result: 'not_found' })
      expect((await kinds(r)).slice(1).map(({ data }) => data)).toEqual([
        { subject: 'quarantine', removed: false },
        { subject: 'quarantine', removed: false },
        { subject: 'quarantine', removed: true },
      ])
    })

    test('is overwritten and taken back only as it was seen, where that is wished', async () => {
      const r = await room()
      await put(r)
      const expecting = (expected: number | null, acceptedAt = now + 1) =>
        r.apply({ kind: 'putAgentBaseline', ...key, baseline: { ...baseline, acceptedAt }, expected })
      expect(await expecting(now)).toEqual({ result: 'changed' })
      expect(await expecting(null, now)).toEqual({ result: 'ok' })
      expect(await expecting(null)).toEqual({ result: 'changed' })
      expect(await expecting(now)).toEqual({ result: 'ok' })
      const remove = (expected: number) =>
        r.apply({ kind: 'deleteAgentBaseline', ...key, variant: 'default', at: now, expected })
      expect(await remove(now)).toEqual({ result: 'changed' })
      expect((await r.read('agentBaselines', key)).map(({ acceptedAt }) => acceptedAt)).toEqual([now + 1])
      expect(await remove(now + 1)).toEqual({ result: 'ok' })

      const quarantining = (expected: number | null, setAt = now + 1) =>
        r.apply({ kind: 'putAgentQuarantine', ...key, quarantine: { ...quarantine, setAt }, expected })
      expect(await quarantining(now)).toEqual({ result: 'changed' })
      expect(await quarantining(null, now)).toEqual({ result: 'ok' })
      expect(await quarantining(null)).toEqual({ result: 'changed' })
      expect(await quarantining(now)).toEqual({ result: 'ok' })
      const end = (expected: number) => r.apply({ kind: 'deleteAgentQuarantine', ...key, at: now, expected })
      expect(await end(now)).toEqual({ result: 'changed' })
      expect(await end(now + 1)).toEqual({ result: 'ok' })
    })

    test('of many who accept a new way at once, each with nothing seen before, one does', async () => {
      const r = await room()
      await put(r)
      const all = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          r.apply({ kind: 'putAgentBaseline', ...key, baseline: { ...baseline, note: `${i}` }, expected: null }),
        ),
      )
      expect(all.filter(({ result }) => result === 'ok')).toHaveLength(1)
      expect(all.filter(({ result }) => result === 'changed')).toHaveLength(7)
    })

    test('does not bring back a suite that was deleted meanwhile', async () => {
      const r = await room()
      await put(r)
      await r.apply({ kind: 'deleteAgentSuite', suite: 'stocks', at: now, limit: 10 })
      expect(await accept(r)).toEqual({ result: 'no_suite' })
      expect(await r.apply({ kind: 'putAgentQuarantine', ...key, quarantine })).toEqual({ result: 'no_suite' })
      expect(await r.read('agentSuites', {})).toEqual([])
      expect(await r.read('agentQuarantine', key)).toBeNull()
    })

    test('goes with its suite, which goes step by step', async () => {
      const r = await room()
      const secret = `secret-${randomUUID()}`
      for (let i = 0; i < 5; i++) await put(r, { suite: secret, cases: [newCase(secret)] })
      const of = { suite: secret, caseId: secret }
      await r.apply({ kind: 'putAgentBaseline', ...of, baseline: { ...baseline, note: secret } })
      await r.apply({ kind: 'putAgentQuarantine', ...of, quarantine: { ...quarantine, reason: secret } })
      await put(r)
      const remove = () => r.apply({ kind: 'deleteAgentSuite', suite: secret, at: now, limit: 3 })
      expect(await remove()).toEqual({ found: true, more: true })
      expect((await suiteOf(r, secret))?.reports).toHaveLength(2)
      expect(await remove()).toEqual({ found: true, more: false })
      expect(await remove()).toEqual({ found: false, more: false })
      expect(await r.dump()).not.toContain(secret)
      expect((await suiteOf(r))?.reports).toHaveLength(1)
      expect((await kinds(r)).at(-1)?.data).toEqual({ subject: 'suite', removed: true })
    })
  })
}
