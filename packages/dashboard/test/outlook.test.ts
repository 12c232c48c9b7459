import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { makeRun } from './compared-runs.ts'
import { faintTexts, obstacles, overflow } from './outlook.ts'
import { sendSuite } from './sample-agent-tests.ts'
import { brokenTurn, tell, turnOf } from './sample-conversations.ts'
import { longNamedRun } from './sample-runs.ts'
import { eventually, live, openStage, type Stage } from './stage.ts'

let stage: Stage

const paths = [
  '/',
  '/traces',
  '/traces/plain',
  '/traces/plain?tab=functions',
  '/traces/plain?tab=metadata',
  '/review',
  '/evaluators',
  '/evaluators?view=rules',
  '/evaluators/exact-match',
  '/evaluators/polite-answer',
  '/datasets',
  '/datasets/questions',
  '/runs',
  '/runs?status=failed&tags=nightly,old&by=Ana&min_success=0.5&max_duration=60',
  '/new-run',
  '/new-run?from=asked',
  '/compare',
  '/compare?runs=compared-1,compared-2,compared-3&fail=regression&min=a_metric_with_a_name_that_is_rather_long:0.5',
  '/runs/named',
  '/runs/named?tab=metrics',
  '/runs/named?tab=items',
  '/runs/named?tab=items&status=failed&errored=similarity',
  '/runs/named?item=70',
  '/runs/named?tab=errors',
  '/runs/named?tab=configuration',
  '/conversations',
  '/conversations?q=prime&state=truncated',
  '/conversations/primes',
  '/conversations/primes/compare/again',
  '/tests',
  '/tests/stocks',
  '/tests/stocks?show=flaky&q=two',
  '/tests/stocks/quote',
  '/tests/stocks/quote?report=rep-1&variant=short',
  '/tests/stocks/refuse',
  '/tests/stocks/down',
  '/settings',
  '/signin',
]

beforeAll(async () => {
  stage = await openStage()
  await stage.send(
    {
      trace_id: 'plain',
      user_query:
        'How long is a very_long_word_without_any_space_in_it_that_could_push_the_page_wider_than_a_telephone?',
      ai_response: `Look:\n\`\`\`\n${'wide '.repeat(100)}\n\`\`\`\nDone.`,
      system_prompt: 'Be brief. '.repeat(60),
      functions_called: [
        {
          name: 'a_function_with_a_name_that_is_rather_long_as_functions_go',
          parameters: { list: [1, 2, 3] },
          result: 'x'.repeat(300),
        },
      ],
      metadata: { region: 'eu', nested: { deep: { deeper: [{ a: 1 }] } } },
      response_time_ms: 850,
      cost: 0.0012,
      source: 'a-source-with-a-name-that-is-long',
      session_id: 'session-0001',
    },
    ...Array.from({ length: 30 }, (_, at) => ({
      trace_id: `more-${at}`,
      user_query: `More ${at}`,
      response_time_ms: at * 100,
    })),
  )
  await stage.review('plain', {
    status: 'rejected',
    reason: 'hallucinated',
    note: 'A note. '.repeat(30),
    reviewer: 'Ana',
  })
  await stage.review('more-1', { status: 'accepted' })
  await stage.call('POST', '/api/v1/evaluators', {
    slug: 'polite-answer',
    name: 'A polite answer',
    definition: { kind: 'preset', base: 'contains', config: { values: ['please'] } },
  })
  const evaluators = [{ slug: 'length' }, { slug: 'polite-answer' }, { slug: 'rouge-l' }]
  await stage.call('POST', '/api/v1/traces/plain/evaluate', { evaluators, wait: 20 })
  await stage.call('POST', '/api/v1/evaluators/polite-answer/calibration')
  await stage.call('POST', '/api/v1/rules', { name: 'All of gpt-4', filter: { model_name: 'gpt-4' }, evaluators })
  await sendSuite(stage)
  const wide = `What_is_a_prime_that_has_no_space_in_it_${'wide'.repeat(60)}?`
  await tell(stage, 'primes', [...turnOf(0, 'What is the tenth prime?'), ...turnOf(1, wide)])
  await tell(stage, 'again', [...turnOf(0, 'What is the tenth prime?'), ...brokenTurn(1, wide)])
  await stage.call('POST', '/api/v1/datasets', { name: 'Questions' })
  await stage.call('POST', '/api/v1/datasets/questions/rows/from-trace', { trace_id: 'plain' })
  await stage.call('POST', '/api/v1/datasets/questions/publish', {})
  await longNamedRun(stage, 'named')
  await stage.call('POST', '/api/v1/runs', {
    run_id: 'asked',
    name: 'Asked over and over',
    dataset: 'questions',
    task: { kind: 'outputs', column: 'output' },
    metrics_used: [{ evaluator: 'contains', config: { values: ['please'] } }, 'exact-match', 'length'],
    settings: { repetitions: 3, decision: { metric: 'exact-match', threshold: 0.5 } },
    tags: ['nightly', 'a-tag-with-a-name-that-is-rather-long', 'release-candidate'],
  })
  for (const at of [1, 2, 3])
    await makeRun(stage, `compared-${at}`, {
      name: `A_run_with_a_name_that_is_rather_long_as_names_of_runs_go_number_${at}`,
      metrics: ['a_metric_with_a_name_that_is_rather_long', '-toxicity'],
      score: (index) => (index % (at + 1)) / 3,
      expected: () => 'What was expected. '.repeat(20),
      output: (index) => `${'wide'.repeat(60)} ${index} of ${at}`,
      ends: at < 3,
      more: { metadata: { prompt: 'A long prompt. '.repeat(at * 10) } },
    })
})
afterAll(() => stage.close())

async function openAll(path: string): Promise<{ page: Page; problems: string[] }> {
  const { open, problems } = await stage.profile({ reducedMotion: 'reduce' })
  const page = await open(path)
  if (path !== '/signin') await live(page)
  await page.getByRole('heading', { level: 1 }).waitFor({ state: 'attached' })
  if (path === '/runs') await page.getByLabel('Choose Asked over and over').check()
  if (path.startsWith('/new-run')) await page.getByRole('button', { name: 'Start' }).waitFor()
  return { page, problems }
}

// A page is opened once for both: what opens it is most of what a look at it takes.
describe.each(paths)('%s', (path) => {
  let page: Page
  let problems: string[]
  beforeAll(async () => {
    ;({ page, problems } = await openAll(path))
  })
  afterAll(() => stage.clear())

  test('is not wider than its window, be it a telephone or a big screen', async () => {
    for (const width of [400, 768, 2000, 1280]) {
      await page.setViewportSize({ width, height: 800 })
      expect([width, await overflow(page)]).toEqual([width, 0])
    }
    expect(problems).toEqual([])
  })

  test('can be read and named in both themes', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      // The colours change a frame later.
      await eventually(async () => [colorScheme, ...(await obstacles(page)), ...(await faintTexts(page))]).toEqual([
        colorScheme,
      ])
    }
  })
})

describe('whoever uses it', () => {
  afterEach(() => stage.clear())

  test('the theme is chosen by a button, kept across visits, and shared with the other tabs', async () => {
    const { open } = await stage.profile({ colorScheme: 'light' })
    const [page, other] = [await open('/'), await open('/traces')]
    const background = (tab: typeof page) =>
      tab.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
    const bright = await background(page)
    await page.getByRole('button', { name: 'Theme: as the system' }).click()
    await page.getByRole('button', { name: 'Theme: light' }).click()
    await page.getByRole('button', { name: 'Theme: dark' }).waitFor()
    expect(await background(page)).not.toBe(bright)
    await other.getByRole('button', { name: 'Theme: dark' }).waitFor()
    await page.reload()
    expect(await background(page)).not.toBe(bright)
  })

  test('the palette finds a place by typing, and the keyboard alone reaches everything first by a skip link', async () => {
    const { open, problems } = await stage.profile()
    const page = await open('/')
    await live(page)
    await page.keyboard.press('Tab')
    await eventually(() => page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the content')
    await page.keyboard.press('Enter')
    await eventually(() => page.evaluate(() => document.activeElement?.id)).toBe('main')
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: /Search commands/ }).waitFor()
    await page.keyboard.type('settings')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor()
    for (const key of ['g', 't']) await page.keyboard.press(key)
    await page.getByRole('table', { name: 'Traces' }).waitFor()
    expect(problems).toEqual([])
  })
})
