import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BrowserContextOptions } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { sharedBrowser } from './browser.ts'
import { file, fresh, place } from './evaluations.ts'
import { llmEval, sharedServer } from './stage.ts'

const server = sharedServer()
const here = (files: Record<string, string>) => place(files, server.url())

const open = sharedBrowser()

const hostile = `<script>document.title='pwned'</script><img src=x onerror="document.title='pwned'"></script><!--]]>&"'\u001b[31m\u2028`

/** An evaluation of hostile texts, with failures, a gate that fails and a metric that fails. */
function hostileFile(name: string, cases = 130): string {
  return `const hostile = ${JSON.stringify(hostile)}
    export default {
      name: ${JSON.stringify(name)},
      dataset: Array.from({ length: ${cases} }, (_, at) => ({ id: 'c' + at + (at === 1 ? ' <b>' : ''), input: 'in ' + at + hostile, expected: 'it is ' + at })),
      task: (input, { case: { expected } }) => {
        if (input.startsWith('in 3')) throw new Error(hostile)
        return { output: input.startsWith('in 2') ? hostile : expected.replace('is', input.startsWith('in 5') ? 'was' : 'is'), cost: 0.001 }
      },
      metrics: ['exact-match', { name: '<i>own</i>', evaluator: ({ output }) => ({ score: output.length / 1000, explanation: hostile }), version: '1' }],
      gate: { min: { 'exact-match': 0.99 } },
      config: { note: hostile },
    }`
}

describe('the report', () => {
  test('needs nothing but a browser, and what comes from outside stays text', async () => {
    const given = here({ 'eval.mjs': hostileFile(`${fresh()} <b>`) })
    const { code } = await llmEval(['run', 'eval.mjs', '--html', 'out/report.html'], given)
    expect(code).toBe(1)
    const { page, problems } = await open(join(given.cwd, 'out/report.html'))
    await expect.poll(() => page.locator('tbody.items > tr').count()).toBe(100)
    expect(await page.title()).toMatch(/^evaluation .* <b> · llm-eval$/)
    expect(await page.locator('h1').textContent()).toContain(' <b>')
    expect(await page.locator('img, b, i, iframe, a').count()).toBe(0)
    expect(await page.getByText('failed', { exact: true }).first().isVisible()).toBe(true)
    await page.locator('tbody.items button').first().click()
    const detail = page.locator('tr.detail')
    await expect.poll(() => detail.count()).toBe(1)
    expect(await detail.textContent()).toContain(`in 0${hostile}`)
    expect(await detail.textContent()).toContain(`<i>own</i>: ${hostile}`)
    expect(await page.locator('.list li').count()).toBe(1)
    expect(await page.locator('section').textContent()).toContain('execution_failed')
    // A script that got in nevertheless would not run.
    await page.evaluate(() => {
      const script = document.createElement('script')
      script.textContent = `document.title = 'pwned'`
      document.body.append(script)
    })
    expect(await page.title()).not.toBe('pwned')
    expect(problems.filter((problem) => !problem.includes('Content Security Policy'))).toEqual([])
  })

  test('finds, filters, sorts and opens items, by keyboard too', async () => {
    const given = here({ 'eval.mjs': hostileFile(fresh()) })
    await llmEval(['run', 'eval.mjs', '--html', 'report.html'], given)
    const { page } = await open(join(given.cwd, 'report.html'))
    const rows = page.locator('tbody.items > tr')
    const told = page.locator('.told')
    await expect.poll(() => told.textContent()).toBe('130 items')
    await page.getByRole('button', { name: 'Show more' }).click()
    await expect.poll(() => rows.count()).toBe(130)
    await page.getByRole('combobox', { name: 'Status' }).selectOption('failed')
    // 3 and 30 to 39.
    await expect.poll(() => told.textContent()).toBe('11 of 130 items')
    await page.getByRole('searchbox', { name: 'Find items' }).fill('IN 33')
    await expect.poll(() => told.textContent()).toBe('1 of 130 items')
    await page.getByRole('searchbox', { name: 'Find items' }).fill('')
    await page.getByRole('combobox', { name: 'Status' }).selectOption('all')
    const heading = page.getByRole('columnheader', { name: 'exact-match' })
    await heading.getByRole('button').click()
    await expect.poll(() => heading.getAttribute('aria-sort')).toBe('ascending')
    expect(await rows.first().locator('td').nth(4).textContent()).toBe('0')
    await heading.getByRole('button').click()
    await expect.poll(() => heading.getAttribute('aria-sort')).toBe('descending')
    expect(await rows.first().locator('td').nth(4).textContent()).toBe('1')
    await page.getByRole('button', { name: 'case', exact: true }).click()
    await page.getByRole('searchbox', { name: 'Find items' }).fill('it is 50')
    await expect.poll(() => told.textContent()).toBe('1 of 130 items')
    await rows.locator('button').first().focus()
    await page.keyboard.press('Enter')
    await expect.poll(() => rows.locator('button').first().getAttribute('aria-expanded')).toBe('true')
    expect(await page.locator('tr.detail del').allTextContents()).toEqual(['is'])
    expect(await page.locator('tr.detail ins').allTextContents()).toEqual(['was'])
  })

  test.each<[string, BrowserContextOptions]>([
    ['light', { colorScheme: 'light', viewport: { width: 1200, height: 900 } }],
    ['dark', { colorScheme: 'dark', viewport: { width: 1200, height: 900 } }],
    ['narrow', { colorScheme: 'light', viewport: { width: 390, height: 900 } }],
  ])('has room for all of it, %s, and charts with words', async (scheme, options) => {
    const given = here({ 'eval.mjs': hostileFile(fresh(), 12) })
    await llmEval(['run', 'eval.mjs', '--html', 'report.html'], given)
    const { page } = await open(join(given.cwd, 'report.html'), options)
    await page.locator('tbody.items button').first().click()
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(options.viewport?.width)
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    expect(background).toBe(scheme === 'dark' ? 'rgb(18, 18, 20)' : 'rgb(248, 248, 246)')
    const charts = await page.getByRole('img').all()
    expect(charts).toHaveLength(4)
    expect(await charts[0]?.getAttribute('aria-label')).toMatch(/^exact-match: mean 0\.\d+, 0\.\d+ to 0\.\d+; median /)
  })

  test('tells how many items it leaves out, and how much of long texts', async () => {
    const body = file(fresh(), {
      cases: 2_003,
      task: `(input) => { if (input === 'in 2002') throw new Error('the last one'); return input === 'in 0' ? 'x'.repeat(4_100) : input }`,
    })
    const given = here({ 'eval.mjs': body })
    await llmEval(['run', 'eval.mjs', '--html', 'report.html', '--junit', 'report.xml'], given)
    const { page } = await open(join(given.cwd, 'report.html'))
    await expect.poll(() => page.locator('.told').textContent()).toBe('2000 items')
    expect(await page.locator('section').textContent()).toContain(
      'This report holds 2,000 items, those that failed first: 3 of 2,003 are not in it.',
    )
    await page.locator('tbody.items button').first().click()
    expect(await page.locator('tr.detail').textContent()).toContain('… (100 more characters)')
    await page.getByRole('combobox', { name: 'Status' }).selectOption('failed')
    await expect.poll(() => page.locator('tbody.items button').allTextContents()).toEqual(['c2002'])
    expect(readFileSync(join(given.cwd, 'report.xml'), 'utf8')).toContain('name="items_not_listed" value="3, ')
  })

  test('of several evaluations holds all of them', async () => {
    const given = here({ 'one.eval.mjs': file(fresh()), 'two.eval.mjs': file(fresh()) })
    await llmEval(['run', '.', '--html', 'report.html'], given)
    const { page } = await open(join(given.cwd, 'report.html'))
    await expect.poll(() => page.locator('.told').allTextContents()).toEqual(['3 items', '3 items'])
  })
})

describe('JUnit', () => {
  test('is well-formed, whatever the texts are, and no greener than the exit code', async () => {
    const given = here({ 'eval.mjs': hostileFile(`${fresh()} <b>&"`, 6) })
    const { code } = await llmEval(['run', 'eval.mjs', '--junit', 'report.xml'], given)
    expect(code).toBe(1)
    const xml = readFileSync(join(given.cwd, 'report.xml'), 'utf8')
    const { page } = await open(given.cwd)
    const tests = await page.evaluate((text) => {
      const parsed = new DOMParser().parseFromString(text, 'application/xml')
      if (parsed.querySelector('parsererror')) throw new Error(parsed.documentElement.textContent ?? '')
      const suite = parsed.querySelector('testsuite')
      return {
        counts: ['name', 'tests', 'failures', 'errors'].map((name) => suite?.getAttribute(name)),
        cases: [...parsed.querySelectorAll('testcase')].map((one) => [
          one.getAttribute('name'),
          one.firstElementChild?.tagName ?? 'passed',
          one.firstElementChild?.getAttribute('message') ?? '',
        ]),
      }
    }, xml)
    expect(tests.counts[0]).toMatch(/ <b>&"$/)
    expect(tests.counts.slice(1)).toEqual(['8', '2', '1'])
    expect(tests.cases.map(([name, outcome]) => [name, outcome])).toEqual([
      ['exact-match', 'failure'],
      ['verdict', 'failure'],
      ['c0', 'passed'],
      ['c1 <b>', 'passed'],
      ['c2', 'passed'],
      ['c3', 'error'],
      ['c4', 'passed'],
      ['c5', 'passed'],
    ])
    expect(tests.cases[5]?.[2]).toContain(`execution_failed: <script>document.title='pwned'</script>`)
  })

  test.each([
    ['passed', file(fresh()), 0, 'failures="0" errors="0"'],
    [
      'cannot be told',
      file(fresh(), { more: 'limits: { cost: 0.5 }, concurrency: 1, task: (output) => ({ output, cost: 1 }),' }),
      3,
      'failures="0" errors="1"',
    ],
  ])('of what %s says so', async (...[, body, code, words]) => {
    const given = here({ 'eval.mjs': body })
    expect((await llmEval(['run', 'eval.mjs', '--junit', 'report.xml'], given)).code).toBe(code)
    expect(readFileSync(join(given.cwd, 'report.xml'), 'utf8')).toContain(words)
  })
})

describe('Markdown', () => {
  test('is added to a file, and what comes from outside is nothing but text', async () => {
    const name = `${fresh()} | <b>*x*</b>`
    const given = here({
      'eval.mjs': file(name, {
        task: '(input) => { if (input === "in 1") throw new Error("| <img> `a` [b](c)"); return input }',
        more: 'gate: { min: { "exact-match": 2 } },',
      }),
      'summary.md': 'Before.\n',
    })
    await llmEval(['run', 'eval.mjs', '--markdown', 'summary.md'], given)
    const text = readFileSync(join(given.cwd, 'summary.md'), 'utf8')
    expect(text).toMatch(/^Before\.\n### ❌ evaluation \d+ \d+ \\\| \\<b\\>\\\*x\\\*\\<\/b\\>\n/)
    expect(text).toContain('- failed: exact-match: its mean is 1')
    expect(text).toMatch(/\n\| exact-match \| 1 \| .* \| 66\.7 % \| 100 % \| 0 \| 0 \|\n/)
    expect(text).toContain('- 1 × task, execution\\_failed: \\| \\<img\\> … \\[b\\]\\(c\\) (such as c1)')
    expect(text).not.toMatch(/(?<!\\)<(?:b|img)/)
  })
})
