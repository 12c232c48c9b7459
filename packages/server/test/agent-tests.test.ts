import { type AgentReportInput, agentRoutes, limits } from '@llm-eval/protocol'
import { agentCaseDetail, agentSuiteDetail, agentSuiteList } from '@llm-eval/protocol/agent-test-schemas'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { registerAgentTests } from '../src/agent-tests/agent-tests.ts'
import { maintain } from '../src/maintenance.ts'
import { agentReportOf, agentTrace, attemptResult, caseCheck, caseResult, toolCall } from './agent-reports.ts'
import { allSlices, firstKey, type Ground, noon, openShelf, type Shelf, startGround } from './ground.ts'

let shelf: Shelf
let ground: Ground
// What is deleted does not come back, so that no two tests share a store.
beforeEach(async () => {
  shelf = await openShelf()
  ground = await startGround({ shelf, slices: [...allSlices, registerAgentTests] })
})
afterEach(async () => {
  await ground.close()
  await shelf.close()
})

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
const base = '/api/v1/agent-tests'
const suites = `${base}/suites`
const one = `${suites}/stocks/cases/a`
const iso = (ms: number) => new Date(ms).toISOString()

const report = (fields: Partial<AgentReportInput> = {}) =>
  ground.send({ path: `${base}/reports`, body: agentReportOf(fields) })
const failing = (id: string, at: number) => ({
  at: iso(at),
  exit_code: 1 as const,
  cases: [{ result: caseResult(id, { attempts: [attemptResult({ outcome: 'failed', score: 40 })] }), check: null }],
})
const read = async (path: string) => (await ground.send({ path })).json
const put = (path: string, body: object) => ground.send({ method: 'PUT', path, body })
const code = async (sent: Parameters<Ground['send']>[0]) => (await ground.send(sent)).json.code

describe('a report of agent tests', () => {
  it('is kept once: the same again is no fault, another of its id is', async () => {
    const body = agentReportOf({ commit: 'abc', branch: 'main', by: 'ci', note: 'nightly' })
    const first = await ground.send({ path: `${base}/reports`, body })
    expect(first.status).toBe(201)
    expect(first.json).toMatchObject({ report_id: body.report_id, cases: 1, passed: 1, commit: 'abc', by: 'ci' })
    const again = await ground.send({ path: `${base}/reports`, body })
    expect([again.status, again.json]).toEqual([200, first.json])
    const other = await ground.send({ path: `${base}/reports`, body: { ...body, note: 'other' } })
    expect([other.status, other.json.code]).toEqual([409, 'agent_report_conflict'])
    expect(await read(`${base}/reports/${body.report_id}`)).toEqual(first.json)
    const listed = agentSuiteList.parse(await read(suites))
    expect(listed.items).toEqual([{ suite: 'stocks', reports: 1, updated_at: body.at, last: first.json }])
  })

  it('is refused with what does not fit: a case twice, a time far ahead, an unknown field', async () => {
    const twice = { cases: [caseResult('a'), caseResult('a')].map((result) => ({ result, check: null })) }
    const doubled = await report(twice)
    expect([doubled.status, doubled.json.errors[0].path]).toEqual([422, 'cases'])
    const ahead = await report({ at: iso(noon + 86_400_001) })
    expect([ahead.status, ahead.json.errors[0].path]).toEqual([422, 'at'])
    expect((await report({ at: iso(noon + 86_400_000) })).status).toBe(201)
    const unknown = { ...agentReportOf(), typo: 1 }
    expect((await ground.send({ path: `${base}/reports`, body: unknown })).status).toBe(422)
    const wild = agentReportOf({ note: 'nul \0' })
    expect((await ground.send({ path: `${base}/reports`, body: wild })).status).toBe(422)
  })

  it(`holds ${limits.agentReportCases} cases and none more`, async () => {
    const small = attemptResult({ trace: agentTrace({ tool_calls: [], turns: [] }), assertions: [] })
    const cases = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ result: caseResult(`c${i}`, { attempts: [small] }), check: null }))
    expect((await report({ cases: cases(limits.agentReportCases) })).json.cases).toBe(limits.agentReportCases)
    expect((await report({ cases: cases(limits.agentReportCases + 1) })).status).toBe(422)
  })

  it('keeps only the numbers of a result that is too large, and says so', async () => {
    const of = (output: string) => ({
      result: caseResult('a', { attempts: [attemptResult({ trace: agentTrace({ output, turns: [] }) })] }),
      check: null,
    })
    const room = limits.agentResultBytes - JSON.stringify(of('')).length
    await report({ report_id: 'fits', cases: [of('x'.repeat(room))] })
    expect((await read(one)).result.attempts[0].trace.output).toHaveLength(room)
    await report({ report_id: 'large', at: iso(noon), cases: [of('x'.repeat(room + 1))] })
    expect(await read(one)).toMatchObject({
      report: { report_id: 'large' },
      result: null,
      history: [{ score: 90 }, {}],
    })
    const accepted = await put(`${one}/baselines/default`, { report_id: 'large' })
    expect([accepted.status, accepted.json.code]).toEqual([409, 'agent_result_unusable'])
  })

  it('is kept as deep as agents may answer, whole, and refused with its depth where it goes deeper', async () => {
    const deep = (levels: number) => {
      let value: unknown = 'bottom'
      for (let i = 0; i < levels; i++) value = { deeper: value }
      return value
    }
    const of = (levels: number) => {
      const trace = agentTrace({ tool_calls: [toolCall('quote', deep(levels))] })
      return { cases: [{ result: caseResult('a', { attempts: [attemptResult({ trace })] }), check: null }] }
    }
    // The report, its cases, one, its result, its attempts, one, its trace, its calls and one of them are around it.
    const around = 9
    expect((await report({ report_id: 'deep', ...of(limits.agentJsonDepth) })).status).toBe(201)
    expect((await read(one)).result.attempts[0].trace.tool_calls[0].args).toEqual(deep(limits.agentJsonDepth))
    expect((await put(`${one}/baselines/default`, { report_id: 'deep' })).status).toBe(200)
    expect((await read(one)).compared.steps).toMatchObject([{ kind: 'same' }])
    expect((await report(of(limits.agentReportDepth - around))).status).toBe(201)
    const deeper = await report(of(limits.agentReportDepth - around + 1))
    expect([deeper.status, deeper.json.code]).toEqual([422, 'too_deep'])
    expect(deeper.text).toContain(`${limits.agentReportDepth} levels`)
  })

  it('says of a shortened result that it is one, keeps the numbers of all attempts, and is no example of what is right', async () => {
    await report({ report_id: 'whole' })
    await put(`${one}/baselines/default`, { report_id: 'whole' })
    const repeated = {
      n: 5,
      passed: 3,
      pass_rate: { estimate: 0.6, low: 0.2, high: 0.9, level: 0.95 },
      pass_at_k: [],
      pass_hat_k: [],
      mean_score: 71,
      standard_deviation: null,
      flaky: false,
      flaky_p: 1,
    }
    const result = caseResult('a', { attempts: [attemptResult(), attemptResult()], repeated })
    await report({ report_id: 'short', at: iso(noon), cases: [{ result, check: null, shortened: true }] })
    expect(await read(one)).toMatchObject({
      shortened: true,
      compared: null,
      baselines: [{ variant: 'default' }],
      history: [
        { n: 5, passed: 3, score: 71, cost: null, latency_ms: null },
        { n: 1, passed: 1, score: 90 },
      ],
    })
    const accepted = await put(`${one}/baselines/default`, { report_id: 'short' })
    expect([accepted.status, accepted.json.code]).toEqual([409, 'agent_result_unusable'])
    expect(await read(`${one}?report_id=whole`)).toMatchObject({ shortened: false, compared: { attempt: 0 } })
  })

  it(`takes ${limits.agentReportBytes} bytes and none more`, async () => {
    const text = JSON.stringify(agentReportOf())
    const send = (bytes: number) =>
      ground.send({
        path: `${base}/reports`,
        body: text.padEnd(bytes, ' '),
        headers: { 'content-type': 'application/json' },
      })
    expect((await send(limits.agentReportBytes)).status).toBe(201)
    const more = await send(limits.agentReportBytes + 1)
    expect([more.status, more.json.code]).toEqual([413, 'body_too_large'])
  })

  it('may be of a suite and of a model of any name', async () => {
    const suite = 'team/a b% ü'
    const trace = agentTrace({ model: `gpt\0${'ü'.repeat(300)}` })
    const cases = [{ result: caseResult('a', { attempts: [attemptResult({ trace })] }), check: null }]
    expect((await report({ report_id: 'r/1', suite, cases })).status).toBe(201)
    const path = `${suites}/${encodeURIComponent(suite)}`
    const { cases: told } = await read(path)
    expect(told[0].last.model).toBe(`gpt\ufffd${'ü'.repeat(limits.nameChars - 4)}`)
    const accepted = await put(`${path}/cases/a/baselines/default`, { report_id: 'r/1' })
    expect(accepted.json.model).toBe(told[0].last.model)
    expect((await ground.send({ method: 'DELETE', path })).json).toEqual({ deleted: 1 })
  })

  it('goes with all of its results, and so does a suite; old ones go by themselves', async () => {
    await report({ report_id: 'first' })
    await report({ report_id: 'second', at: iso(noon) })
    expect((await ground.send({ method: 'DELETE', path: `${base}/reports/first` })).json).toEqual({ deleted: 1 })
    expect(await code({ method: 'DELETE', path: `${base}/reports/first` })).toBe('agent_report_not_found')
    const again = await report({ report_id: 'first' })
    expect([again.status, again.json.code]).toEqual([410, 'agent_report_deleted'])
    expect((await read(one)).history).toHaveLength(1)
    shelf.clock.now = noon + 40 * 86_400_000
    const config = { ...ground.deps.config, retention_days: 30 }
    await maintain({ ...ground.deps, config })
    expect(await code({ path: one })).toBe('agent_case_not_found')
    expect((await read(suites)).items).toMatchObject([{ suite: 'stocks', reports: 0, last: null }])
    expect((await ground.send({ method: 'DELETE', path: `${suites}/stocks` })).json).toEqual({ deleted: 1 })
    expect(await code({ method: 'DELETE', path: `${suites}/stocks` })).toBe('agent_suite_not_found')
    expect(await code({ path: `${suites}/stocks` })).toBe('agent_suite_not_found')
  })

  it('wants a key that may write, and is read by one that may read', async () => {
    const admin = await firstKey(ground)
    const { json } = await ground.send({
      path: '/api/v1/keys',
      body: { name: 'reader', scopes: ['read'] },
      key: admin,
    })
    const key: string = json.key
    const refused = await ground.send({ path: `${base}/reports`, body: agentReportOf(), key })
    expect([refused.status, refused.json.code]).toEqual([403, 'forbidden'])
    expect((await ground.send({ path: suites, key })).status).toBe(200)
    for (const path of [`${one}/baselines/default`, `${one}/quarantine`])
      expect((await ground.send({ method: 'DELETE', path, key })).status).toBe(403)
  })
})

describe('who may see and change agent tests', () => {
  const routes: [method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object][] = [
    ['GET', suites],
    ['GET', `${suites}/stocks`],
    ['GET', one],
    ['GET', `${one}/baselines`],
    ['GET', `${base}/reports/mine`],
    ['POST', `${base}/reports`, agentReportOf({ report_id: 'theirs' })],
    ['PUT', `${one}/baselines/theirs`, { report_id: 'mine' }],
    ['PUT', `${one}/quarantine`, { owner: 'eve', reason: 'x', expires_at: iso(noon + 86_400_000) }],
    ['DELETE', `${one}/quarantine`],
    ['DELETE', `${one}/baselines/default`],
    ['DELETE', `${base}/reports/mine`],
    ['DELETE', `${suites}/stocks`],
  ]

  it('is asked of each of its twelve routes', () => {
    const known = Object.values(agentRoutes).map(({ method, path }) => `${method} ${path.split('/').length}`)
    expect(routes.map(([method, path]) => `${method} ${path.split('/').length}`).toSorted(byText)).toEqual(
      known.toSorted(byText),
    )
  })

  it('is nobody without a key, nobody of another project, and nobody whose key is for something else', async () => {
    const admin = await firstKey(ground)
    const keyOf = async (fields: object) => {
      const { json } = await ground.send({ path: '/api/v1/keys', body: { name: 'k', ...fields }, key: admin })
      return String(json.key)
    }
    const ask = async (key: string | undefined, [method, path, body]: (typeof routes)[number]) =>
      ground.send({ method, path, ...(body && { body }), ...(key && { key }) })
    const mine = { path: `${base}/reports`, body: agentReportOf({ report_id: 'mine' }), key: admin }
    expect((await ground.send(mine)).status).toBe(201)
    const accepted = { report_id: 'mine', note: 'mine' }
    await ground.send({ method: 'PUT', path: `${one}/baselines/default`, body: accepted, key: admin })

    for (const route of routes) expect((await ask(undefined, route)).status, `${route[0]} ${route[1]}`).toBe(401)
    const ingest = await keyOf({ scopes: ['ingest'] })
    for (const route of routes) expect((await ask(ingest, route)).status, `${route[0]} ${route[1]}`).toBe(403)
    const reader = await keyOf({ scopes: ['read'] })
    for (const route of routes)
      expect((await ask(reader, route)).status, `${route[0]} ${route[1]}`).toBe(route[0] === 'GET' ? 200 : 403)

    const other = await keyOf({ scopes: ['read', 'write'], project: 'other' })
    const told = []
    for (const route of routes) told.push((await ask(other, route)).status)
    // Nothing of ours; a report of their own makes a suite of their own, in which ours is no report to accept.
    expect(told).toEqual([200, 404, 404, 200, 404, 201, 404, 200, 200, 404, 404, 200])
    const still = await ground.send({ path: one, key: admin })
    expect(still.json).toMatchObject({ baselines: [{ note: 'mine' }], quarantine: null, report: { report_id: 'mine' } })
  })
})

describe('hostile words', () => {
  it.each([
    '__proto__',
    'constructor',
    '../../../etc/passwd',
    '<script>alert(1)</script>',
    '\u202egnirts\u2069',
    "'; DROP TABLE agent_reports; --",
    '%2e%2e%2f',
    '🦊'.repeat(50),
  ])('%s is a name like any other, of suites, cases, reports and owners', async (word) => {
    const result = caseResult(word, { name: word, suite: word })
    const body = { report_id: word, suite: word, note: word, by: word, cases: [{ result, check: null }] }
    expect((await report(body)).status).toBe(201)
    const path = `${suites}/${encodeURIComponent(word)}`
    const place = `${path}/cases/${encodeURIComponent(word)}`
    expect((await read(path)).cases).toMatchObject([{ case_id: word, name: word }])
    expect((await put(`${place}/baselines/default`, { report_id: word, note: word, by: word })).json.note).toBe(word)
    const expires_at = iso(noon + 1_000)
    expect((await put(`${place}/quarantine`, { owner: word, reason: word, expires_at })).json.owner).toBe(word)
    expect(await read(place)).toMatchObject({ case_id: word, quarantine: { reason: word }, report: { note: word } })
    expect((await read(`${place}/baselines`)).items[0].case_id).toBe(word)
    expect((await ground.send({ method: 'DELETE', path })).json).toEqual({ deleted: 1 })
  })

  it('of tools and answers are kept as they came, keys of the language included', async () => {
    const args = JSON.parse('{"__proto__": {"admin": true}, "constructor": 1}') as object
    const trace = agentTrace({
      output: '\u202e<b>\u0000'.replace('\u0000', ''),
      tool_calls: [toolCall('__proto__', args)],
    })
    const body = agentReportOf({
      cases: [{ result: caseResult('a', { attempts: [attemptResult({ trace })] }), check: null }],
    })
    expect((await ground.send({ path: `${base}/reports`, body })).status).toBe(201)
    const { text } = await ground.send({ path: one })
    expect(text).toContain('"args":{"__proto__":{"admin":true},"constructor":1}')
    await put(`${one}/baselines/default`, { report_id: body.report_id })
    expect((await ground.send({ path: `${one}/baselines` })).text).toContain('"__proto__":{"admin":true}')
    expect((await read(one)).compared.steps).toMatchObject([{ kind: 'same', name: '__proto__' }])
  })
})

describe('a suite', () => {
  it('tells of each case how it does, how it did, and whether that is by turns', async () => {
    for (let i = 0; i < 8; i++) await report(i % 2 === 0 ? failing('a', noon + i) : { at: iso(noon + i) })
    await report({ at: iso(noon + 9), cases: [{ result: caseResult('b'), check: caseCheck('b') }] })
    const detail = agentSuiteDetail.parse(await read(`${suites}/stocks`))
    expect(detail.reports).toHaveLength(9)
    const [a, b] = detail.cases
    expect(a).toMatchObject({ name: 'case a', current: false, last: { outcome: 'passed', score: 90 }, variants: [] })
    expect(a?.history.map(({ score }) => score)).toEqual([90, 40, 90, 40, 90, 40, 90, 40])
    expect(a?.flakiness).toMatchObject({ flaky: true, changes: 7, of: 7 })
    expect(b).toMatchObject({ current: true, flakiness: { flaky: false, changes: 0, of: 0, p: null } })
    expect(b?.last).toMatchObject({ state: 'PASSED', cost: 0.002, latency_ms: 120, model: 'gpt-4o', passed: 1, n: 1 })
  })

  it('tells its cases by their names, as people count', async () => {
    const names = ['Case 10', 'case 9', 'Case 1', 'Ärger']
    const cases = names.map((name, at) => ({ result: caseResult(`c${at}`, { name }), check: null }))
    await report({ cases })
    const { cases: told } = agentSuiteDetail.parse(await read(`${suites}/stocks`))
    expect(told.map(({ name }) => name)).toEqual(['Ärger', 'Case 1', 'case 9', 'Case 10'])
  })

  it('shows what is unknown as unknown: no score, no cost, no time of what got no answer', async () => {
    const fault = { code: 'refused', message: 'Nobody answers.' } as const
    const trace = agentTrace({ cost: null, model: null, fault })
    const attempts = [attemptResult({ outcome: 'faulted', score: null, trace })]
    await report({ exit_code: 2, cases: [{ result: caseResult('a', { attempts }), check: null }] })
    const { cases } = await read(`${suites}/stocks`)
    expect(cases[0].last).toMatchObject({ outcome: 'faulted', score: null, cost: null, latency_ms: null, model: null })
    const accepted = await put(`${one}/baselines/default`, { report_id: cases[0].last.report_id })
    expect([accepted.status, accepted.json.code]).toEqual([409, 'agent_result_unusable'])
  })
})

describe('a case', () => {
  it('is shown with its newest result beside what was accepted, call by call', async () => {
    await report({ report_id: 'before' })
    expect(
      (await put(`${one}/baselines/default`, { report_id: 'before', note: 'fine', by: 'ann' })).json,
    ).toMatchObject({
      accepted_by: 'ann',
      variant: 'default',
      note: 'fine',
      model: 'gpt-4o',
      attempts: 1,
      accepted_at: iso(noon),
    })
    const calls = [toolCall('get_quote', { symbol: 'MSFT' }), toolCall('get_news', {}, 1)]
    const now = caseResult('a', { attempts: [attemptResult({ trace: agentTrace({ tool_calls: calls }) })] })
    await report({
      report_id: 'after',
      at: iso(noon),
      command: 'check',
      verdict: 'INVESTIGATE',
      cases: [{ result: now, check: caseCheck('a', { state: 'TOOLS_CHANGED', variant: 'default' }) }],
    })
    const shown = agentCaseDetail.parse(await read(one))
    expect(shown).toMatchObject({
      report: { report_id: 'after', verdict: 'INVESTIGATE' },
      check: { state: 'TOOLS_CHANGED' },
      baselines: [{ variant: 'default' }],
      compared: { attempt: 0, baseline: { variant: 'default' } },
    })
    expect(shown.compared?.steps.map(({ kind, name }) => [kind, name])).toEqual([
      ['arguments', 'get_quote'],
      ['added', 'get_news'],
    ])
    const before = agentCaseDetail.parse(await read(`${one}?report_id=before&attempt=7`))
    expect(before).toMatchObject({
      report: { report_id: 'before' },
      compared: { attempt: 0, steps: [{ kind: 'same' }] },
    })
  })

  it('accepts several ways, whole traces and all, until they are taken back', async () => {
    await report({ report_id: 'r' })
    for (const variant of ['default', 'short']) await put(`${one}/baselines/${variant}`, { report_id: 'r' })
    const { items, quarantine } = await read(`${one}/baselines`)
    expect(quarantine).toBeNull()
    expect(items.map((item: { variant: string }) => item.variant)).toEqual(['default', 'short'])
    expect(items[0].attempts[0].trace.tool_calls[0].args).toEqual({ symbol: 'AAPL' })
    expect((await read(`${one}?variant=short`)).compared.baseline.variant).toBe('short')
    expect(await code({ path: `${one}?variant=other` })).toBe('agent_baseline_not_found')
    expect((await ground.send({ method: 'DELETE', path: `${one}/baselines/short` })).status).toBe(200)
    expect(await code({ method: 'DELETE', path: `${one}/baselines/short` })).toBe('agent_baseline_not_found')
    expect((await put(`${one}/baselines/no good`, { report_id: 'r' })).status).toBe(400)
    expect((await put(`${one}/baselines/default`, { report_id: 'none' })).json.code).toBe('agent_report_not_found')
    const other = `${suites}/stocks/cases/none/baselines/default`
    expect((await put(other, { report_id: 'r' })).json.code).toBe('agent_case_not_found')
  })

  it('keeps as its baseline only attempts that passed, where any did', async () => {
    const attempts = [attemptResult({ outcome: 'failed', score: 10 }), attemptResult(), attemptResult({ score: 80 })]
    await report({ report_id: 'r', cases: [{ result: caseResult('a', { attempts, outcome: 'failed' }), check: null }] })
    expect((await put(`${one}/baselines/default`, { report_id: 'r' })).json.attempts).toBe(2)
    expect((await read(one)).compared.attempt).toBe(1)
    await report({ report_id: 'bad', ...failing('a', noon) })
    expect((await put(`${one}/baselines/default`, { report_id: 'bad' })).json.attempts).toBe(1)
  })

  it('is accepted, forgotten and quarantined by two at once without one overwriting what the other did unseen', async () => {
    await report({ report_id: 'r' })
    const seen = { report_id: 'r', expected_accepted_at: null }
    const both = await Promise.all(['ann', 'bob'].map((by) => put(`${one}/baselines/default`, { ...seen, by })))
    expect(new Set(both.map(({ status }) => status))).toEqual(new Set([200, 409]))
    const winner = both.find(({ status }) => status === 200)?.json
    expect(both.find(({ status }) => status === 409)?.json.code).toBe('agent_baseline_changed')
    expect((await read(one)).baselines).toEqual([winner])
    shelf.clock.now = noon + 1_000
    const replace = { report_id: 'r', expected_accepted_at: winner.accepted_at, by: 'cid' }
    expect((await put(`${one}/baselines/default`, replace)).json.accepted_at).toBe(iso(noon + 1_000))
    expect((await put(`${one}/baselines/default`, replace)).json.code).toBe('agent_baseline_changed')
    const removal = (path: string, query: object) =>
      code({ method: 'DELETE', path: `${path}?${new URLSearchParams({ ...query }).toString()}` })
    const old = { expected_accepted_at: winner.accepted_at }
    expect(await removal(`${one}/baselines/default`, old)).toBe('agent_baseline_changed')
    expect(await removal(`${one}/baselines/default`, { expected_accepted_at: iso(noon + 1_000) })).toBeUndefined()

    const quarantine = { owner: 'ann', reason: 'x', expires_at: iso(noon + 5_000), expected_set_at: null }
    const set = await Promise.all(['ann', 'bob'].map((owner) => put(`${one}/quarantine`, { ...quarantine, owner })))
    expect(new Set(set.map(({ status }) => status))).toEqual(new Set([200, 409]))
    expect(set.find(({ status }) => status === 409)?.json.code).toBe('agent_quarantine_changed')
    const stale = { expected_set_at: iso(noon) }
    expect(await removal(`${one}/quarantine`, stale)).toBe('agent_quarantine_changed')
    expect((await read(one)).quarantine).toEqual(set.find(({ status }) => status === 200)?.json)
    expect(await removal(`${one}/quarantine`, { expected_set_at: iso(noon + 1_000) })).toBeUndefined()
    expect(await removal(`${one}/quarantine`, stale)).toBe('agent_quarantine_not_found')
    expect(await removal(`${one}/quarantine`, { typo: '1' })).toBe('invalid_query')
  })

  it(`has at most ${limits.agentVariants} variants`, async () => {
    await report({ report_id: 'r' })
    for (let i = 0; i < limits.agentVariants; i++)
      expect((await put(`${one}/baselines/v${i}`, { report_id: 'r' })).status).toBe(200)
    expect((await put(`${one}/baselines/more`, { report_id: 'r' })).json.code).toBe('limit_reached')
  })

  it('is quarantined by an owner, for a reason, until a time that comes', async () => {
    await report()
    const path = `${one}/quarantine`
    const ends = (expires_at: string) => put(path, { owner: 'ann', reason: 'upstream is down', expires_at })
    const last = noon + limits.agentQuarantineDays * 86_400_000
    expect((await ends(iso(last + 1))).json.errors[0].path).toBe('expires_at')
    expect((await ends(iso(noon))).json.errors[0].path).toBe('expires_at')
    expect((await ends('tomorrow')).status).toBe(422)
    expect((await put(path, { owner: '', reason: 'x', expires_at: iso(last) })).status).toBe(422)
    expect((await ends(iso(last))).json).toMatchObject({ owner: 'ann', expired: false, expires_at: iso(last) })
    expect((await read(`${suites}/stocks`)).cases[0].quarantine).toMatchObject({ reason: 'upstream is down' })
    expect(await read(`${one}/baselines`)).toMatchObject({ items: [], quarantine: { owner: 'ann' } })
    expect(await read(`${suites}/none/cases/none/baselines`)).toEqual({ items: [], quarantine: null })
    shelf.clock.now = last
    expect((await read(one)).quarantine).toMatchObject({ expired: true })
    expect((await ground.send({ method: 'DELETE', path })).json).toEqual({ deleted: 1 })
    expect(await code({ method: 'DELETE', path })).toBe('agent_quarantine_not_found')
    expect((await read(one)).quarantine).toBeNull()
    const nobody = `${suites}/stocks/cases/none/quarantine`
    expect((await put(nobody, { owner: 'a', reason: 'b', expires_at: iso(last + 1) })).json.code).toBe(
      'agent_case_not_found',
    )
  })
})
