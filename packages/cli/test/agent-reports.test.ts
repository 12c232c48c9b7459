import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { limits } from '@llm-eval/protocol'
import { agentReportInput } from '@llm-eval/protocol/agent-test-schemas'
import type { BrowserContextOptions } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { type SuiteReport, testReport } from '../src/agents/report.ts'
import { agentHtml } from '../src/agents/html.ts'
import { agentMarkdown } from '../src/agents/markdown.ts'
import { reportBody } from '../src/agents/report-body.ts'
import { type Behave, call, event, good, place, said, startAgent, stocks } from './agents.ts'
import { sharedBrowser } from './browser.ts'
import { llmEval, serve, start } from './stage.ts'

const open = sharedBrowser()

const within = { timeout: 30_000 }

const hostile = `<script>document.title='pwned'</script><img src=x onerror="document.title='pwned'">|\`<!--]]>&"'\u001b[31m\u2028`

/** Says and does what would be markup elsewhere. */
const bad: Behave = (message) => [
  event('status', { message: hostile }),
  event('tool_call', { id: '1', name: hostile, args: { [hostile]: hostile } }),
  event('tool_result', { id: '1', result: hostile }),
  event('tool_call', { id: '2', name: 'quote', args: { symbol: message } }),
  event('tool_result', { id: '2', error: hostile, success: false }),
  said(hostile),
]
const hostileCases = `
cases:
  - name: ${JSON.stringify(hostile.replaceAll('\u001b', ''))}
    query: ${JSON.stringify(hostile)}
    expected: {tools: [quote, ${JSON.stringify(hostile)}, never], output: {contains: [${JSON.stringify(hostile)}, nothing of the kind]}}
  - name: Fine
    query: Is AAPL fine?
    expected: {tools: [quote]}
  - name: Breaks off
    query: Break
`

/** What an XML parser makes of it, as far as a browser has one. */
function xmlFaults(page: Awaited<ReturnType<typeof open>>['page'], xml: string): Promise<string> {
  return page.evaluate(
    (text) => new DOMParser().parseFromString(text, 'application/xml').querySelector('parsererror')?.textContent ?? '',
    xml,
  )
}

describe('reports of agents', { timeout: 240_000 }, () => {
  test('the page needs nothing but a browser, and what comes from an agent stays text', async () => {
    const { url } = await startAgent((message, nth) => (message === 'Break' ? null : bad(message, nth)))
    const cwd = place({ 'agent-tests/a.yaml': hostileCases })
    const args = ['test', '--agent', url, '--html', 'out/agent.html', '--junit', 'out/agent.xml']
    const { code } = await llmEval(args, { cwd })
    expect(code).toBe(1)
    const { page, problems } = await open(join(cwd, 'out/agent.html'))
    expect(await page.title()).toMatch(/FAILED · llm-eval$/)
    expect(await page.locator('img, b, i, iframe, a').count()).toBe(0)
    await expect.poll(() => page.locator('.told').textContent(), within).toBe('3 cases')
    // What failed is open at once, with its demands and its steps.
    const first = page.locator('.case').first()
    expect(await first.getAttribute('open')).toBe('')
    expect(await first.locator('.timeline').textContent()).toContain(`status: `)
    expect(await first.locator('.timeline svg').first().getAttribute('aria-label')).toMatch(/^took \d+ ms$/)
    expect(await first.textContent()).toContain('Not called: never.')
    expect(await first.textContent()).toContain("document.title='pwned'")
    await page.evaluate(() => {
      const script = document.createElement('script')
      script.textContent = `document.title = 'pwned'`
      document.body.append(script)
    })
    expect(await page.title()).not.toBe('pwned')
    expect(problems.filter((problem) => !problem.includes('Content Security Policy'))).toEqual([])
    expect(await xmlFaults(page, readFileSync(join(cwd, 'out/agent.xml'), 'utf8'))).toBe('')
  })

  test('cases are found and filtered on the page', async () => {
    const { url } = await startAgent((message, nth) => (message === 'Break' ? null : bad(message, nth)))
    const cwd = place({ 'agent-tests/a.yaml': hostileCases })
    await llmEval(['test', '--agent', url, '--html', 'a.html'], { cwd })
    const { page } = await open(join(cwd, 'a.html'))
    const told = page.locator('.told')
    await page.getByRole('combobox', { name: 'Outcome' }).selectOption('bad')
    await expect.poll(() => told.textContent(), within).toBe('2 of 3 cases')
    await page.getByRole('combobox', { name: 'Outcome' }).selectOption('all')
    await page.getByRole('searchbox', { name: 'Find cases' }).fill('IS AAPL')
    await expect.poll(() => told.textContent(), within).toBe('1 of 3 cases')
    await page.locator('.case:not([hidden]) > summary').focus()
    await page.keyboard.press('Enter')
    await expect.poll(() => page.locator('.case:not([hidden])').getAttribute('open'), within).toBe('')
  })

  test('a check shows before and now beside each other', async () => {
    const { url, becomes } = await startAgent(good)
    const cwd = place({ 'agent-tests/stocks.yaml': stocks })
    await llmEval(['snapshot', '--agent', url, '--by', 'Ada', '--note', 'As <b>today</b>'], { cwd })
    becomes((message) =>
      message.startsWith('Compare')
        ? [call('compare'), call('quote', { symbol: 'MSFT' }), call('look'), said('AAPL is at 300.')]
        : good(message, 0),
    )
    const files = ['--html', 'c.html', '--junit', 'c.xml', '--markdown', 'c.md']
    const { code } = await llmEval(['check', '--agent', url, ...files], { cwd })
    expect(code).toBe(0)
    const { page } = await open(join(cwd, 'c.html'))
    const one = page.locator('.case', { hasText: 'TOOLS_CHANGED' })
    await one.locator('summary').first().click()
    expect(await one.textContent()).toContain('by Ada: As <b>today</b>')
    expect(await one.locator('.steps ins').allTextContents()).toContain('look')
    expect(await one.locator('pre del').allTextContents()).toContain('266')
    expect(await one.locator('pre ins').allTextContents()).toContain('300')
    const markdown = readFileSync(join(cwd, 'c.md'), 'utf8')
    expect(markdown).toContain('### ✅ INVESTIGATE')
    expect(markdown).toMatch(/\| 🔶 \| Compare \| TOOLS\\_CHANGED \|/)
    expect(markdown).toContain('look')
    const xml = readFileSync(join(cwd, 'c.xml'), 'utf8')
    expect(xml).toContain('tests="3" failures="0" errors="0"')
  })

  test.each<[string, BrowserContextOptions]>([
    ['light', { colorScheme: 'light', viewport: { width: 1200, height: 900 } }],
    ['dark', { colorScheme: 'dark', viewport: { width: 1200, height: 900 } }],
    ['narrow', { colorScheme: 'light', viewport: { width: 390, height: 900 } }],
  ])('the page has room for all of it, %s', async (scheme, options) => {
    const { url, becomes } = await startAgent(bad)
    const cwd = place({ 'agent-tests/a.yaml': 'name: A\nquery: x\nexpected: {tools: [quote]}\n' })
    await llmEval(['snapshot', '--agent', url], { cwd })
    becomes(() => [call('x'.repeat(300), { a: 'y'.repeat(300) }), said('z'.repeat(300))])
    await llmEval(['check', '--agent', url, '--html', 'a.html'], { cwd })
    const { page } = await open(join(cwd, 'a.html'), options)
    for (const summary of await page.locator('.timeline summary').all()) await summary.click()
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(options.viewport?.width)
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    expect(background).toBe(scheme === 'dark' ? 'rgb(18, 18, 20)' : 'rgb(248, 248, 246)')
  })

  test('JUnit has a failure for what failed, an error for what could not be told, and what is in quarantine is skipped', async () => {
    const { url, becomes } = await startAgent(good)
    const cwd = place({ 'agent-tests/stocks.yaml': stocks, 'agent-tests/bad.yaml': 'name: B\nqery: x\n' })
    const xml = async (...args: string[]) => {
      const { code } = await llmEval([...args, '--agent', url, '--junit', 'a.xml'], { cwd })
      return { code, xml: readFileSync(join(cwd, 'a.xml'), 'utf8') }
    }
    const broken = await xml('test')
    expect(broken.code).toBe(2)
    expect(broken.xml).toContain('<testsuites tests="4" failures="0" errors="2">')
    expect(broken.xml).toContain('name="agent-tests/bad.yaml"')
    await llmEval(['snapshot', '--agent', url], { cwd })
    becomes((message) => (message.startsWith('Compare') ? [said('no')] : null))
    const failed = await xml('check')
    expect(failed.xml).toMatch(
      /name="Compare" [^>]*><failure message="REGRESSION\. Not called|name="Compare" [^>]*><failure/,
    )
    expect(failed.xml).toMatch(/name="Price" [^>]*><error message="NOT_EVALUATED/)
    const quarantine = ['--owner', 'Ada', '--reason', 'moving', '--until', '3d']
    expect((await llmEval(['quarantine', 'add', 'Compare', ...quarantine], { cwd })).code).toBe(0)
    const skipped = await xml('check')
    expect(skipped.xml).toMatch(/name="Compare" [^>]*><skipped message="REGRESSION \(quarantined\)/)
    expect(skipped.xml).toContain('skipped="1"')
  })

  test('Markdown is added to its file, and nothing in it is markup', async () => {
    const { url } = await startAgent(bad)
    const cwd = place({ 'agent-tests/a.yaml': hostileCases, 'summary.md': 'before\n' })
    await llmEval(['test', '--agent', url, '--markdown', 'summary.md'], { cwd })
    const text = readFileSync(join(cwd, 'summary.md'), 'utf8')
    expect(text).toMatch(/^before\n### ❌ FAILED · /)
    // A command to copy is code, of which backticks would be the end.
    const [next = '', ...others] = text
      .split('\n')
      .filter((line) => line !== '')
      .reverse()
    expect(next.match(/`/g)).toHaveLength(2)
    expect(others.join('\n')).not.toMatch(/(?<!\\)[<`]/)
    expect(text).not.toContain('\u001b')
    // A cell that breaks out of its table would have more columns than the others.
    const rows = text.split('\n').filter((line) => line.startsWith('| '))
    expect(new Set(rows.map((row) => row.replaceAll(/\\./g, '').split('|').length)).size).toBe(1)
  })

  test('Markdown calls nobody, points at no issue and holds no formula', async () => {
    const { url } = await startAgent(() => [
      call('@octocat', { who: '@org/team', why: 'fixes #12, GH-34 $a$' }),
      said('x'),
    ])
    const cwd = place({
      'agent-tests/a.yaml':
        'name: For @ada\nquery: x\nexpected: {arguments: [{tool: "@octocat", args: {why: a@b.c}}]}\n',
    })
    await llmEval(['test', '--agent', url, '--markdown', 'summary.md'], { cwd })
    const text = readFileSync(join(cwd, 'summary.md'), 'utf8')
    expect(text).toContain('octocat')
    // In code nobody is called.
    expect(text.replaceAll(/`[^`]*`/g, '')).not.toMatch(/@[a-z0-9]|#\d|GH-\d|(?<!\\)\$/i)
  })

  test('Markdown fits into a comment, whatever names, reasons and changes there are', () => {
    const name = `${'a\u0301\u0302\u0303\u0304'.repeat(50)}${'[]'.repeat(200)}`
    const step = (index: number) => ({
      kind: 'arguments' as const,
      name: `${index}${name}`,
      before: index,
      after: index,
      differences: [{ path: name, kind: 'value' as const, before: name, after: '*'.repeat(500) }],
    })
    const report = manyCases(150)
    const nothing = { before: null, after: null, interval: null, detectable: null }
    for (const one of report.cases) {
      one.name = name
      one.reasons = Array.from({ length: 10 }, () => '*_'.repeat(500))
      one.check = {
        case_id: 'a',
        name,
        suite: 's',
        state: 'TOOLS_CHANGED',
        variant: 'default',
        steps: Array.from({ length: 20 }, (_, index) => step(index)),
        output_similarity: 1,
        score: nothing,
        cost: nothing,
        latency: nothing,
        model: { before: null, after: null },
        forbidden_tools: [],
        quarantine: null,
        reasons: [],
        shown: null,
        result: one.result,
      }
    }
    report.problems = Array.from({ length: 100 }, (_, line) => ({
      level: 'error' as const,
      file: 'a.yaml',
      line,
      path: '',
      message: '<>'.repeat(500),
    }))
    const markdown = agentMarkdown(report)
    expect(markdown.length).toBeLessThan(65_536)
    expect(markdown).toMatch(/and \d+ more cases$/m)
    expect(markdown).toMatch(/and why \d+ more cases are not as they should be$/m)
    expect(markdown).toContain('150 cases · ')
  })

  test('tells how much it leaves out', () => {
    const report = manyCases(2_003)
    expect(agentHtml(report, '1')).toContain(
      'This report holds 2,000 cases, those that did not pass first: 3 of 2,003 are not in it.',
    )
    const markdown = agentMarkdown(report)
    expect(markdown).toContain('and 1,903 more cases')
    expect(markdown.length).toBeLessThan(65_536)
    expect(agentHtml(manyCases(2_000), '1')).not.toContain('are not in it')
  })

  test('a file that cannot be written is a complaint, and not a verdict', async () => {
    const { url } = await startAgent(good)
    const cwd = place({ 'agent-tests/stocks.yaml': stocks, out: 'a file' })
    const { code, err } = await llmEval(['test', '--agent', url, '--html', 'out/a.html'], { cwd })
    expect(code).toBe(2)
    expect(err).toContain('cannot be written')
  })
})

/** So many cases that failed for a long reason. */
function manyCases(count: number): SuiteReport {
  const trace = {
    dialect: 'json' as const,
    level: 1 as const,
    captured: [],
    output: 'o'.repeat(10_000),
    tool_calls: [],
    turns: [],
    tokens: null,
    cost: null,
    cost_source: null,
    model: null,
    session_id: null,
    latency_ms: 1,
    first_token_ms: null,
    notes: [],
    fault: null,
    warnings: [],
  }
  const part = { outcome: 'not_expected' as const }
  const message = 'because '.repeat(200)
  const attempt = {
    outcome: 'failed' as const,
    score: 0,
    complete: true,
    parts: { tool_accuracy: part, output_quality: part, sequence_correctness: part },
    assertions: [{ kind: 'output.contains', turn: null, outcome: 'failed' as const, expected: 1, actual: 2, message }],
    trace,
    judged: [],
  }
  const results = Array.from({ length: count }, (_, index) => ({
    case_id: `case-${index}`,
    name: `Case ${index} ${'n'.repeat(150)}`,
    suite: 's',
    outcome: 'failed' as const,
    attempts: [attempt],
    repeated: null,
  }))
  const suite = { settings: {}, name: 's', cases: [], problems: [], baselines: '', secrets: [] }
  return testReport(suite, results, new Date(0).toISOString())
}

describe('llm-eval test while it works, and after', { timeout: 240_000 }, () => {
  test('cases that do not pass are told as it happens, and reasons are wrapped', async () => {
    const { url } = await startAgent(() => [call('quote'), said('AAPL is at 266.')])
    const wanted = 'a sentence that is longer than any screen on which somebody would look at it'
    const cases = `${stocks}  - {name: Long, query: x, expected: {output: {contains: [${wanted}]}}}\n`
    const cwd = place({ 'agent-tests/stocks.yaml': cases })
    const { err, out } = await llmEval(['test', '--agent', url], { cwd, columns: 72, env: { NO_COLOR: '1' } })
    expect(err).toContain('failed  Compare  ')
    expect(out.replaceAll(/\s+/g, ' ')).toContain(wanted)
    // A command is to be copied: it stays on its line.
    const lines = out.split('\n').filter((line) => !line.startsWith('Next: '))
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(72)
  })

  test('--verbose shows turns, calls with what went in and came out, and notes', async () => {
    const { url } = await startAgent((message) => [
      event('status', { message: 'Looking \u001b[2Jup' }),
      event('tool_call', { id: '1', name: 'quote', args: { symbol: 'AAPL' } }),
      event('tool_result', { id: '1', result: { price: 266 } }),
      ...(message.startsWith('Compare') ? [call('compare')] : []),
      said('AAPL is at 266.'),
    ])
    const cwd = place({ 'agent-tests/stocks.yaml': stocks })
    const { out } = await llmEval(['test', '--agent', url, '--verbose'], { cwd })
    expect(out).toContain('> What is AAPL at?')
    expect(out).toMatch(/quote {2}\{"symbol":"AAPL"\} {2}\d+ ms/)
    expect(out).toContain('= {"price":266}')
    expect(out).toContain('status: Looking ')
    expect(out).toContain('< AAPL is at 266.')
    expect(out).not.toContain('\u001b')
  })

  test('prints the JSON Schema of cases for editors', async () => {
    const { code, out } = await llmEval(['test', '--schema'], { cwd: place({}) })
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ title: 'Test cases of llm-eval' })
    expect(out).toContain('forbidden_tools')
  })

  test('--send keeps each attempt as an item of a run, and changes nothing of the verdict', async () => {
    const server = await serve()
    const { url } = await startAgent((message) =>
      message.startsWith('Break') ? null : [call('quote'), event('usage', { cost: 0.25 }), said('AAPL')],
    )
    const cwd = place({
      'agent-tests/stocks.yaml': `${stocks}  - name: Breaks\n    query: Break\n    expected: {tools: [quote]}\n`,
      'llm-eval.agent.yaml': `suite: my agent\nagent: {url: ${JSON.stringify(url)}, retries: 0}\n`,
    })
    const { code, err } = await llmEval(['test', '--repeat', '2', '--send', '--url', server.url], {
      cwd,
      env: { GITHUB_SHA: 'abc', GITHUB_HEAD_REF: '', GITHUB_REF_NAME: 'mine' },
    })
    expect(code).toBe(1)
    const [, id = ''] = /\/runs\/(\S+)/.exec(err) ?? []
    const told = async (path: string) =>
      (await fetch(`${server.url}/api/v1/runs/${id}${path}`)).json() as Promise<unknown>
    expect(await told('')).toMatchObject({
      name: 'my agent',
      status: 'completed',
      completed_items: 6,
      successful_items: 4,
      metadata: { suite: 'my agent', verdict: 'FAILED', exit_code: 1 },
      metrics: { score: { n: 4 }, passed: { n: 4, mean: 0.5 } },
    })
    const suite = await (await fetch(`${server.url}/api/v1/agent-tests/suites/my%20agent`)).json()
    expect(suite).toMatchObject({
      reports: [{ run_id: id, exit_code: 1, cases: 3, commit: 'abc', branch: 'mine' }],
      cases: expect.arrayContaining([
        expect.objectContaining({
          name: 'Price',
          last: expect.objectContaining({ outcome: 'passed', n: 2 }) as object,
        }),
      ]) as object[],
    })
    expect(await told('/items')).toMatchObject({
      items: expect.arrayContaining([
        expect.objectContaining({ repetition: 2, input: { name: 'Price', turns: ['What is AAPL at?'] }, cost: 0.25 }),
        expect.objectContaining({
          status: 'failed',
          error: expect.objectContaining({ code: 'execution_failed' }) as object,
        }),
      ]) as object[],
    })
  })

  test('what is sent fits into what a server takes, however much there is', () => {
    const sent = (report: SuiteReport) => reportBody(report, { id: 'r', env: {} })
    const fits = (report: SuiteReport) => {
      const body = agentReportInput.parse(sent(report))
      expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThanOrEqual(limits.agentReportBytes)
      return body
    }
    expect(fits(manyCases(limits.agentReportCases)).cases).toHaveLength(limits.agentReportCases)
    expect(fits(manyCases(limits.agentReportCases + 1)).cases).toHaveLength(limits.agentReportCases)
    expect(fits(manyCases(2)).cases[0]?.result.attempts[0]?.trace.output).toHaveLength(10_000)
    const long = manyCases(5)
    for (const { result } of long.cases)
      result.attempts = result.attempts.map((one) => ({
        ...one,
        trace: { ...one.trace, output: 'ü'.repeat(4_000_000) },
      }))
    expect(fits(long).cases[3]?.result.attempts[0]?.trace.output).toContain('more characters')
    expect(fits(long).cases.map(({ shortened }) => shortened)).toEqual([true, true, true, true, true])
    // What is small stays whole beside what is large.
    const mixed = { ...long, cases: [...long.cases, ...manyCases(9).cases.slice(5)] }
    expect(fits(mixed).cases.map(({ shortened }) => shortened === true)).toEqual([
      ...Array.from({ length: 5 }, () => true),
      ...Array.from({ length: 4 }, () => false),
    ])
  })

  test('results that cannot be sent are a warning, and no other verdict', async () => {
    const { url } = await startAgent(good)
    const cwd = place({ 'agent-tests/stocks.yaml': stocks })
    const away = ['--send', '--url', 'http://127.0.0.1:1']
    const { code, err } = await llmEval(['test', '--agent', url, ...away], { cwd })
    expect(code).toBe(0)
    expect(err).toContain('warning: The results were not sent: ')
  })

  test('Ctrl-C keeps what was asked, tells the rest as not asked, and sends nothing', async () => {
    const controller = new AbortController()
    const { url } = await startAgent((message, nth) => {
      // What is asked then is given up, however soon it is answered.
      if (nth === 2) controller.abort()
      return good(message, nth)
    })
    const cwd = place({ 'agent-tests/stocks.yaml': stocks })
    const args = ['test', '--agent', url, '--concurrency', '1', '--junit', 'a.xml', '--send', '--local']
    const { code, err } = await llmEval(args, { cwd, signal: controller.signal })
    expect(code).toBe(130)
    expect(err).toContain('nothing was sent')
    const xml = readFileSync(join(cwd, 'a.xml'), 'utf8')
    expect(xml).toContain('<property name="cases_not_asked" value="1"/>')
    expect(xml).toMatch(/name="verdict" classname="[^"]*"><error message="NOT EVALUATED/)
  })

  test.each([
    ['test --watch', ['test', '--watch']],
    ['watch', ['watch']],
  ])('%s tests again when a case changes or comes, and ends with Ctrl-C', { timeout: 240_000 }, async (_name, args) => {
    const { url } = await startAgent(good)
    const cwd = place({ 'agent-tests/stocks.yaml': stocks })
    const command = start([...args, '--agent', url], { cwd })
    const verdict = () =>
      command
        .out()
        .match(/^(PASSED|FAILED|NOT EVALUATED) {2}.*$/gm)
        ?.at(-1)
    const tested = (words: string) => expect.poll(verdict, { timeout: 200_000 }).toContain(words)
    await command.says(/^Watching /m)
    await tested('2 of 2 cases passed')
    writeFileSync(join(cwd, 'agent-tests/more.yaml'), 'name: More\nquery: x\nexpected: {tools: [never]}\n')
    await tested('2 of 3 cases passed')
    writeFileSync(join(cwd, 'agent-tests/more.yaml'), 'name: More\nquery: x\nexpected: {tools: [quote]}\n')
    await tested('3 of 3 cases passed')
    command.child.kill('SIGINT')
    expect((await command.ended).code).toBe(130)
  })
})
