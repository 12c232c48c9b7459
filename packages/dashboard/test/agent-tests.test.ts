import { randomUUID } from 'node:crypto'
import type { AgentCaseDetail, AgentReportInput } from '@llm-eval/protocol'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { agentReportOf, attemptResult, caseResult } from '../../server/test/agent-reports.ts'
import { after, before, reportOf, sendSuite } from './sample-agent-tests.ts'
import { byKeyboard, eventually, live, openStage, type Stage } from './stage.ts'

let stage: Stage
/** How the ids of reports of this test begin. */
let ids: string
beforeAll(async () => {
  stage = await openStage()
})
beforeEach(async () => {
  ids = randomUUID()
  await sendSuite(stage, ids)
})
afterEach(async () => {
  await stage.clear()
  for (const suite of ['stocks', 'team%2Fa%20b%25'])
    await stage.call('DELETE', `/api/v1/agent-tests/suites/${suite}`).catch(() => undefined)
})
afterAll(() => stage.close())

const one = '/api/v1/agent-tests/suites/stocks/cases/quote'

interface Shown {
  baselines: { variant: string; note: string | null }[]
  quarantine: { owner: string; reason: string } | null
}
const shown = async (path = one) => (await stage.call('GET', path)) as Shown

test('who has no tests yet is told how to begin, and sees the first suite when it comes', async () => {
  await stage.call('DELETE', '/api/v1/agent-tests/suites/stocks')
  const { open, problems } = await stage.profile()
  const page = await open('/tests')
  await page.getByRole('heading', { name: 'No agent was tested yet' }).waitFor()
  await page.getByText('llm-eval doctor http://localhost:3000/api/chat').waitFor()
  await page.getByText('llm-eval test --send', { exact: true }).waitFor()
  await stage.call('POST', '/api/v1/agent-tests/reports', reportOf(1, { report_id: randomUUID() }))
  await page.getByRole('link', { name: 'stocks' }).click()
  await page.getByRole('heading', { level: 1, name: 'stocks' }).waitFor()
  expect(problems).toEqual([])
})

test('what comes is shown by itself, on the list, the suite and the case, and nothing is missed while the server is away', async () => {
  const { open, problems } = await stage.profile()
  const list = await open('/tests')
  const suite = await open('/tests/stocks')
  const page = await open('/tests/stocks/quote')
  for (const one of [list, suite, page]) await live(one)
  await suite.getByRole('list', { name: 'Cases' }).waitFor()
  await page.getByRole('list', { name: 'Calls' }).waitFor()
  const send = (ago: number, fields: Partial<AgentReportInput>) =>
    stage.call('POST', '/api/v1/agent-tests/reports', { ...reportOf(ago), report_id: randomUUID(), ...fields })

  await send(0, { at: new Date().toISOString(), verdict: 'SAFE_TO_SHIP', note: 'after the mending' })
  await list.getByText('safe to ship').waitFor()
  await suite.getByText('after the mending').waitFor()
  await eventually(() => page.getByRole('table').getByRole('row').count()).toBe(11)

  await stage.call('PUT', `${one}/baselines/terse`, { report_id: `${ids}-3`, note: 'by somebody else' })
  await eventually(() => page.getByLabel('Held against').getByRole('option').allInnerTexts()).toContain('terse')
  await suite.getByText('3 ways accepted').waitFor()

  const expires_at = new Date(Date.now() + 86_400_000).toISOString()
  await stage.call('PUT', `${one}/quarantine`, { owner: 'bea', reason: 'The feed is late.', expires_at })
  await page.getByText('bea: The feed is late.').waitFor({ state: 'attached' })
  await suite.getByText('bea: The feed is late.').waitFor({ state: 'attached' })

  await stage.stopServer()
  await stage.startAgain()
  await stage.call('DELETE', `${one}/quarantine`)
  await send(0, { at: new Date().toISOString(), verdict: 'INVESTIGATE' })
  await list.getByText('investigate').waitFor()
  await eventually(() => page.getByText('bea: The feed is late.').count()).toBe(0)
  await eventually(() => suite.getByText('bea: The feed is late.').count()).toBe(0)
  expect(problems.filter((problem) => !/ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY|Failed to load/.test(problem))).toEqual(
    [],
  )
})

test('suites are reached by keys and say how their newest report went', async () => {
  const { open, problems } = await stage.profile()
  const page = await open('/runs')
  await page.getByRole('heading', { level: 1 }).waitFor({ state: 'attached' })
  await page.keyboard.press('g')
  await page.keyboard.press('a')
  const suites = page.getByRole('list', { name: 'Suites' })
  await suites.getByText('block release').waitFor()
  await suites.getByText('1 passed, 1 failed, 1 not told').waitFor()
  expect(problems).toEqual([])
})

test('a suite shows how each case stands, and finds those that are looked for', async () => {
  const { open, problems } = await stage.profile()
  const page = await open('/tests/stocks')
  const cases = page.getByRole('list', { name: 'Cases' })
  const names = () => cases.getByRole('link').allInnerTexts()
  await eventually(names).toEqual([
    'Answers in German',
    'Compares two companies',
    'Quote of one company',
    'Refuses_to_give_advice_that_nobody_should_give_even_when_asked_with_a_name_that_is_long',
  ])
  const row = (name: string) => cases.getByRole('listitem').filter({ hasText: name })
  await row('Quote').getByText('regression').waitFor()
  await row('Quote').getByText('2 ways accepted · 0 of 2 attempts passed').waitFor()
  await row('Compares').getByText('It changed 8 of 8 times').waitFor({ state: 'attached' })
  await row('Compares').getByText('The exchange rates are of last week.').waitFor({ state: 'attached' })
  await row('German').getByText('cannot tell').waitFor()
  await row('Refuses').getByText('not in the newest report').waitFor()
  await page.getByRole('button', { name: 'Flaky' }).click()
  await eventually(names).toEqual(['Compares two companies'])
  await page.getByRole('button', { name: 'Not well' }).click()
  await page.getByLabel('Search cases').fill('quote')
  await eventually(names).toEqual(['Quote of one company'])
  await eventually(() => new URL(page.url()).search).toBe('?q=quote&show=bad')
  await page.getByLabel('Search cases').fill('nothing of the kind')
  await page.getByText('No case fits.').waitFor()
  expect(problems).toEqual([])
})

test('a case shows its calls against the baseline, what changed in the answer, and what is not known', async () => {
  const { open, problems } = await stage.profile()
  const page = await open('/tests/stocks/quote')
  await page.getByText('The score fell by 35 points.').waitFor()
  const calls = page.getByRole('list', { name: 'Calls' })
  const steps = () => calls.locator('summary').evaluateAll((rows) => rows.map((row) => row.textContent))
  await eventually(steps).toEqual([
    'get_quoteother arguments90 ms',
    'get_newsgone',
    'web_searchnew failed90 ms',
    'summarizesame90 ms',
  ])
  await calls.locator('summary').first().click()
  const differences = page.getByRole('list', { name: 'Differences' })
  await differences.getByText('volume').waitFor()
  const changes = page.getByRole('group', { name: 'Changes of the answer' })
  await changes.locator('del').first().waitFor()
  await changes.locator('ins').first().waitFor()
  await page.getByRole('button', { name: 'Side by side' }).click()
  await page.getByRole('group', { name: 'Accepted' }).getByText(before.output).waitFor()
  await page.getByRole('group', { name: 'Now' }).getByText(after.output).waitFor()
  const assertions = page.getByRole('list', { name: 'Assertions' }).getByRole('listitem')
  await eventually(() => assertions.allInnerTexts()).toHaveLength(3)
  expect(await assertions.first().innerText()).toContain('get_news must be called')
  await page.getByRole('region', { name: 'Score' }).getByText('unknown').waitFor()
  expect(problems).toEqual([])
})

test('an older report, another attempt and another baseline are chosen, and the address keeps them', async () => {
  const { open, problems } = await stage.profile()
  const page = await open('/tests/stocks/quote')
  await page.getByLabel('Held against').selectOption('short')
  await page.getByText('Held against “short”').waitFor()
  await page.getByLabel('Attempt').selectOption('1')
  await eventually(() => new URL(page.url()).search).toBe('?variant=short&attempt=1')
  await page.getByRole('region', { name: 'Score' }).getByText('61', { exact: true }).waitFor()
  await page.getByRole('combobox', { name: 'Report' }).selectOption(`${ids}-3`)
  await page.getByText('Answer, as accepted').waitFor()
  await eventually(() => new URL(page.url()).search).toBe(`?report=${ids}-3`)
  await page.reload()
  await page.getByRole('region', { name: 'Score' }).getByText('89', { exact: true }).waitFor()
  expect(problems).toEqual([])
})

test('a behaviour is accepted, in place of the baseline or beside it, and forgotten', async () => {
  const { open, problems } = await stage.profile()
  const page = await open('/tests/stocks/quote')
  await page.getByRole('button', { name: 'Accept…' }).click()
  const form = page.getByRole('form', { name: 'Accept' })
  await form.getByText('It takes the place of what is accepted as “default”.').waitFor()
  await form.getByLabel('Variant').fill('no-news')
  await form.getByText('It is accepted beside the others').waitFor()
  await form.getByLabel('Note').fill('News are down for good.')
  await form.getByRole('button', { name: 'Accept' }).click()
  await page.getByText('Accepted.', { exact: true }).waitFor()
  const variants = async () => (await shown()).baselines.map(({ variant, note }) => [variant, note])
  await eventually(variants).toContainEqual(['no-news', 'News are down for good.'])
  await page.getByLabel('Held against').selectOption('no-news')
  await page.getByText('Answer, as accepted').waitFor()
  await page.getByRole('button', { name: 'Forget “no-news”…' }).click()
  await page.getByRole('button', { name: 'Forget', exact: true }).click()
  await page.getByText('Forgotten.').waitFor()
  await eventually(async () => (await shown()).baselines.map(({ variant }) => variant)).toEqual(['default', 'short'])
  expect(problems.filter((problem) => !problem.includes('404'))).toEqual([])
})

test('all of it is done with the keyboard alone, and whoever leaves a dialog is where they were', async () => {
  const { open, problems } = await stage.profile({ reducedMotion: 'reduce' })
  const page = await open('/tests')
  const { isFocused, enter } = byKeyboard(page)
  await enter(page.getByRole('link', { name: 'stocks' }))
  await enter(page.getByRole('link', { name: 'Quote of one company' }))
  await enter(page.getByRole('list', { name: 'Calls' }).locator('summary').first())
  await page.getByRole('list', { name: 'Differences' }).getByText('volume').waitFor()
  await page.reload()

  const accept = page.getByRole('button', { name: 'Accept…' })
  await enter(accept)
  const form = page.getByRole('form', { name: 'Accept' })
  await form.waitFor()
  await page.keyboard.press('Escape')
  await eventually(() => form.count()).toBe(0)
  await eventually(() => isFocused(accept)).toBe(true)
  await page.keyboard.press('Enter')
  await form.waitFor()
  const variant = form.getByLabel('Variant')
  for (let steps = 0; steps < 10 && !(await isFocused(variant)); steps++) await page.keyboard.press('Tab')
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type('by-keys')
  await page.keyboard.press('Enter')
  await page.getByText('Accepted.', { exact: true }).waitFor()
  const variants = async () => (await shown()).baselines.map((one) => one.variant)
  await eventually(variants).toContain('by-keys')

  await enter(page.getByRole('button', { name: 'Quarantine…' }))
  const quarantine = page.getByRole('form', { name: 'Quarantine' })
  await quarantine.waitFor()
  const owner = quarantine.getByLabel('Owner')
  for (let steps = 0; steps < 10 && !(await isFocused(owner)); steps++) await page.keyboard.press('Tab')
  await page.keyboard.type('ada')
  await page.keyboard.press('Tab')
  await page.keyboard.type('No mouse.')
  await page.keyboard.press('Enter')
  await eventually(async () => (await shown()).quarantine).toMatchObject({ owner: 'ada', reason: 'No mouse.' })
  expect(problems).toEqual([])
})

test('what is decided is what was seen: a report that comes meanwhile is not accepted, nor is a colleague overwritten', async () => {
  const { open, problems } = await stage.profile()
  const page = await open('/tests/stocks/quote')
  await live(page)
  await page.getByRole('button', { name: 'Accept…' }).click()
  const form = page.getByRole('form', { name: 'Accept' })
  await form.getByText('No attempt passed: whoever accepts them says that they are right all the same.').waitFor()
  await form.getByLabel('Variant').fill('new-way')
  const next = reportOf(0, { report_id: randomUUID(), at: new Date().toISOString() })
  await stage.call('POST', '/api/v1/agent-tests/reports', next)
  await eventually(() => page.getByLabel('Report').first().locator('option').count()).toBe(10)
  await form.getByRole('button', { name: 'Accept' }).click()
  await page.getByText('Accepted.', { exact: true }).waitFor()
  const kept = (await stage.call('GET', `${one}?variant=new-way`)) as AgentCaseDetail
  expect(kept.compared?.baseline.attempts[0]?.trace.output).toBe(after.output)

  await page.getByRole('button', { name: 'Accept…' }).click()
  await form.getByText('It passed.').waitFor()
  await form.getByText('It takes the place of what is accepted as “default”.').waitFor()
  await stage.call('PUT', `${one}/baselines/default`, { report_id: `${ids}-3`, note: 'by a colleague' })
  await form.getByRole('button', { name: 'Replace' }).click()
  await form.getByRole('alert').getByText('changed since it was read').waitFor()
  expect((await shown()).baselines).toContainEqual(expect.objectContaining({ note: 'by a colleague' }))
  await form.getByRole('button', { name: 'Cancel' }).click()

  await page.getByRole('button', { name: 'Quarantine…' }).click()
  const quarantine = page.getByRole('form', { name: 'Quarantine' })
  await quarantine.getByLabel('Owner').fill('bob')
  await quarantine.getByLabel('Reason').fill('Mine.')
  const expires_at = new Date(Date.now() + 86_400_000).toISOString()
  await stage.call('PUT', `${one}/quarantine`, { owner: 'cid', reason: 'Was first.', expires_at })
  await quarantine.getByRole('button', { name: 'Quarantine' }).click()
  await quarantine.getByRole('alert').getByText('changed since it was read').waitFor()
  expect((await shown()).quarantine).toMatchObject({ owner: 'cid' })
  await quarantine.getByRole('button', { name: 'Cancel' }).click()
  await page.getByText('cid: Was first.').waitFor({ state: 'attached' })
  expect(problems.filter((problem) => !problem.includes('409'))).toEqual([])
})

test('a case is quarantined with owner, reason and end, and put back', async () => {
  const { open, problems } = await stage.profile()
  const page = await open('/tests/stocks/quote')
  await page.getByRole('button', { name: 'Quarantine…' }).click()
  const form = page.getByRole('form', { name: 'Quarantine' })
  await form.getByLabel('Owner').fill('bob')
  await form.getByLabel('Reason').fill('The news are down.')
  await form.getByRole('button', { name: 'Quarantine' }).click()
  await page.getByText('Quarantined.', { exact: true }).waitFor()
  await page.getByText('bob: The news are down.').waitFor({ state: 'attached' })
  expect((await shown()).quarantine).toMatchObject({ owner: 'bob', reason: 'The news are down.' })
  await page.getByRole('button', { name: 'End quarantine…' }).click()
  await page.getByRole('button', { name: 'End', exact: true }).click()
  await page.getByText('Back in the gate.').waitFor()
  await eventually(async () => (await shown()).quarantine).toBeNull()
  expect(problems).toEqual([])
})

test('what is not there any more is said to be gone, and a suite is deleted only after a question', async () => {
  const { open } = await stage.profile()
  const page = await open('/tests/stocks')
  const other = await open('/tests/stocks/quote')
  await other.getByRole('heading', { level: 1, name: 'Quote of one company' }).waitFor()
  await page.getByRole('button', { name: 'Delete the suite' }).click()
  await page.getByRole('button', { name: 'Delete', exact: true }).click()
  await page.getByRole('heading', { name: 'No agent was tested yet' }).waitFor()
  await other.reload()
  await other.getByRole('heading', { name: 'There is no such case' }).waitFor()
  await page.goto(`${stage.url}/tests/stocks`)
  await page.getByRole('heading', { name: 'There is no such suite' }).waitFor()
})

test('names and answers of agents cannot become markup', async () => {
  const evil = '<img src=x onerror=alert(1)>'
  const trace = { ...before, output: evil, tool_calls: before.tool_calls.map((call) => ({ ...call, name: evil })) }
  const cases = [{ result: caseResult('evil', { name: evil, attempts: [attemptResult({ trace })] }), check: null }]
  await stage.call(
    'POST',
    '/api/v1/agent-tests/reports',
    agentReportOf({ suite: 'team/a b%', note: evil, cases, at: new Date().toISOString() }),
  )
  const { open, problems } = await stage.profile()
  const page = await open('/tests')
  await page.getByRole('link', { name: 'team/a b%' }).click()
  await page.getByRole('link', { name: evil }).click()
  await page.getByRole('heading', { level: 1, name: evil }).waitFor()
  expect(await page.locator('img').count()).toBe(0)
  await page.reload()
  await page.getByRole('heading', { level: 1, name: evil }).waitFor()
  expect(problems).toEqual([])
})

test('a history shows each known value, breaks where it is unknown, and tells its oldest reports when they are wished', async () => {
  const lost = attemptResult({
    outcome: 'faulted',
    score: null,
    trace: { ...before, cost: null, fault: { code: 'timeout', message: 'Too slow.' } },
  })
  for (let i = 0; i < 25; i++) {
    const known = attemptResult({ score: 50 + i, trace: before })
    const one = { result: caseResult('gaps', { attempts: [i % 2 === 0 ? known : lost] }), check: null }
    const at = new Date(Date.now() - (25 - i) * 60_000).toISOString()
    await stage.call('POST', '/api/v1/agent-tests/reports', agentReportOf({ at, cases: [one] }))
  }
  const { open, problems } = await stage.profile()
  const page = await open('/tests/stocks/gaps')
  const score = page.getByRole('figure').filter({ hasText: 'Score' })
  await eventually(() => score.locator('path').count()).toBe(13)
  await score.getByText('from 50 to 74, unknown in 12 of 25').waitFor({ state: 'attached' })
  // Each stands alone, and is a dot.
  for (const path of await score.locator('path').all()) expect(await path.getAttribute('d')).toMatch(/^M(\S+ \S+)L\1$/)
  await page.getByText('It ended alike in all of the 13 newest reports that could tell.').waitFor()
  const rows = page.getByRole('table').getByRole('row')
  await eventually(() => rows.count()).toBe(21)
  await page.getByRole('button', { name: '5 more' }).click()
  await eventually(() => rows.count()).toBe(26)
  expect(problems).toEqual([])
})

test('a result that was shortened or too large says so, and offers nothing to accept', async () => {
  const cut = { ...after, output: 'Apple stands at… (3,999,500 more characters)', tool_calls: [] }
  const result = caseResult('quote', { name: 'Quote of one company', attempts: [attemptResult({ trace: cut })] })
  const send = (at: number, one: AgentReportInput['cases'][number]) =>
    stage.call(
      'POST',
      '/api/v1/agent-tests/reports',
      agentReportOf({ at: new Date(Date.now() + at).toISOString(), cases: [one] }),
    )
  await send(0, { result, check: null, shortened: true })
  const { open, problems } = await stage.profile()
  const page = await open('/tests/stocks/quote')
  await live(page)
  await page.getByText('Shortened: the whole report was too large').waitFor()
  await page.getByText('Its calls were left out').waitFor()
  await page.getByRole('button', { name: 'Quarantine…' }).waitFor()
  expect(await page.getByRole('button', { name: 'Accept…' }).count()).toBe(0)
  const large = caseResult('quote', {
    name: 'Quote of one company',
    attempts: [attemptResult({ trace: { ...after, output: 'x'.repeat(1_100_000) } })],
  })
  await send(1_000, { result: large, check: null })
  await page.getByRole('heading', { name: 'Only its numbers are kept' }).waitFor()
  expect(await page.getByRole('button', { name: 'Accept…' }).count()).toBe(0)
  expect(problems).toEqual([])
})

test('an agent that gave no answer has nothing to accept, and its unknown numbers are no zeros', async () => {
  const { open, problems } = await stage.profile()
  const page = await open('/tests/stocks/down')
  await page.getByText('The agent does not answer: nobody listens at localhost:3000.').waitFor()
  await page.getByRole('region', { name: 'Score' }).getByText('unknown').first().waitFor()
  await page.getByText('which it called is unknown').waitFor()
  await page.getByRole('button', { name: 'Quarantine…' }).waitFor()
  expect(await page.getByRole('button', { name: 'Accept…' }).count()).toBe(0)
  expect(problems).toEqual([])
})

test('who may only read is offered no change, and a server that is away is told until it is back', async () => {
  const key = `llmeval_${'operators-own-key-'.repeat(2)}`
  const guarded = await openStage({ admin_key: key })
  try {
    await sendSuite(guarded)
    const made = await guarded.call('POST', '/api/v1/keys', { name: 'reader', scopes: ['read'] })
    const { key: reader } = made as { key: string }
    const page = await (await guarded.profile()).open('/signin?next=/tests/stocks/quote')
    await page.getByLabel('API key').fill(reader)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('list', { name: 'Calls' }).waitFor()
    for (const name of ['Accept…', 'Quarantine…', 'Forget “default”…'])
      await eventually(() => page.getByRole('button', { name }).count()).toBe(0)
    await page.getByRole('link', { name: 'stocks' }).click()
    await page.getByRole('list', { name: 'Cases' }).waitFor()
    await eventually(() => page.getByRole('button', { name: 'Delete the suite' }).count()).toBe(0)
    await guarded.stopServer()
    await page.getByRole('link', { name: 'Answers in German' }).click()
    await page.getByText('The case cannot be shown').waitFor()
    await guarded.startAgain()
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('heading', { level: 1, name: 'Answers in German' }).waitFor()
  } finally {
    await guarded.close()
  }
})
