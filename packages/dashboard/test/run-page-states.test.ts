import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { overflow } from './outlook.ts'
import { endRun, finish, makeRun, sampleItems } from './sample-runs.ts'
import { eventually, live, openStage, type Stage } from './stage.ts'

const tag = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
const backwards = '\u202Ereversed \u2066isolated \u200Fשלום'
const large = 'L'.repeat(1_000_000)

let stage: Stage
beforeAll(async () => {
  stage = await openStage({ allow_private_evaluators: true })
  await makeHostileRun()
})
afterEach(() => stage.clear())
afterAll(() => stage.close())

async function makeHostileRun(): Promise<void> {
  const metric = `m${tag}`
  await makeRun(stage, hostileId, {
    name: tag,
    description: `${tag} ${backwards}`,
    model_name: tag,
    metrics_used: [metric, 'toString', 'constructor'],
    tags: [tag],
    metadata: JSON.parse(`{"__proto__":{"polluted":true},"${backwards}":1}`) as object,
    total_items: 3,
  })
  await finish(stage, hostileId, [
    {
      item_index: 0,
      case_id: tag,
      input: { [tag]: tag },
      expected: backwards,
      output: tag,
      scores: { [metric]: { value: 0.5, label: tag.slice(0, 40), explanation: tag } },
    },
    { item_index: 1, status: 'failed', output: null, error: { code: 'execution_failed', message: tag } },
    { item_index: 2, scores: { [metric]: { outcome: 'errored', fault: 'threw', explanation: tag } } },
  ])
}

/** A value in which each is within the next. */
function deep(levels: number): unknown {
  let value: unknown = { end: 'bottom' }
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { [`level ${level}`]: value }
  return value
}

const panel = (page: Page, index: number) => page.getByRole('region', { name: `Item ${index}`, exact: true })

const hostileId = `hostile ${tag}`
const hostileTabs = [
  '',
  '?tab=metrics',
  '?tab=items',
  '?item=0',
  '?item=1',
  '?item=2',
  '?tab=errors',
  '?tab=configuration',
]

test.each(hostileTabs)('whatever stands in a run is shown as the text it is: %s', async (query) => {
  const { open, problems } = await stage.profile({ viewport: { width: 1_000, height: 700 } })
  const page = await open(`/runs/${encodeURIComponent(hostileId)}${query}`)
  await live(page)
  await page.locator('main').getByText('onerror').filter({ visible: true }).first().waitFor()
  expect(await page.locator('img[src=x]').count()).toBe(0)
  expect(await page.locator('main script, svg[onload]').count()).toBe(0)
  expect(await page.evaluate(() => Reflect.get({}, 'polluted') as unknown)).toBeUndefined()
  expect(await overflow(page)).toBe(0)
  expect(problems).toEqual([])
})

test('an output of a megabyte, and one that is nested deeply, are shown a part at a time', async () => {
  await makeRun(stage, 'large', { total_items: 3 })
  await finish(stage, 'large', [{ item_index: 0, expected: 'short', output: large }])
  await finish(stage, 'large', [{ item_index: 1, output: deep(50) }])
  await finish(stage, 'large', [{ item_index: 2, output: Array.from({ length: 5_000 }, (_, at) => ({ at })) }])
  await endRun(stage, 'large')
  const { open, problems } = await stage.profile({ viewport: { width: 1_300, height: 800 } })
  const page = await open('/runs/large?item=0')
  await panel(page, 0).getByRole('button', { name: 'Show all 1M characters' }).waitFor()
  await panel(page, 0).getByRole('button', { name: 'difference' }).click()
  await panel(page, 0).getByText('They are too long, or too different, to be compared here.').waitFor()
  await page.keyboard.press('j')
  await panel(page, 1).getByRole('list', { name: 'output' }).waitFor()
  await page.keyboard.press('j')
  await panel(page, 2).getByRole('button', { name: '4900 more' }).waitFor()
  expect(await overflow(page)).toBe(0)
  // The table has only beginnings.
  const rows = page.getByRole('table', { name: 'Items' })
  expect((await rows.innerText()).length).toBeLessThan(10_000)
  expect(problems).toEqual([])
})

test('a run without items says so on each tab', async () => {
  await makeRun(stage, 'empty', { total_items: 0 })
  await endRun(stage, 'empty')
  const { open, problems } = await stage.profile()
  const page = await open('/runs/empty')
  await page.getByRole('heading', { name: 'There was nothing to do' }).waitFor()
  for (const [tab, says] of [
    ['Metrics', 'Nothing is scored yet.'],
    ['Items', 'No item of this run was finished.'],
    ['Errors', 'No item is finished yet.'],
    ['Configuration', 'What it did is known to it alone.'],
  ] as const) {
    await page.getByRole('tab', { name: tab }).click()
    await page.getByText(says).first().waitFor()
  }
  expect(problems).toEqual([])
})

test('a run that waits, that failed, and that was stopped early, each says why', async () => {
  await makeRun(stage, 'waiting', { total_items: 5 })
  await makeRun(stage, 'failing', { total_items: 5 })
  await finish(stage, 'failing', sampleItems(2))
  await endRun(stage, 'failing', {
    status: 'failed',
    error: { code: 'dataset_gone', message: 'The dataset was lost.' },
  })
  await makeRun(stage, 'decided', { total_items: 5 })
  await finish(stage, 'decided', sampleItems(2))
  await endRun(stage, 'decided', { stopped_by: 'decided' })
  const { open, problems } = await stage.profile()
  const page = await open('/runs/waiting')
  await page.getByText('It waits for its worker.').waitFor()
  await page.goto(`${stage.url}/runs/failing`)
  await page.getByRole('alert').getByText('The dataset was lost.').waitFor()
  await page.goto(`${stage.url}/runs/decided`)
  await page.getByText('It was certain on which side of the threshold the mean is.').waitFor()
  await page.getByText('2 of 5 items, 40.0 %').waitFor()
  await page.goto(`${stage.url}/runs/nobody?tab=metrics`)
  await page.getByRole('heading', { name: 'There is no such run' }).waitFor()
  expect(problems.filter((problem) => !problem.includes('404'))).toEqual([])
})

test('secrets of a task are masked, and its configuration is copied as JSON, as YAML and as a command', async () => {
  await stage.call('POST', '/api/v1/datasets', { name: 'Few', slug: 'few', columns: [{ name: 'input' }] })
  await stage.call('POST', '/api/v1/runs', {
    run_id: 'secret',
    name: 'secret',
    dataset: 'few',
    task: {
      kind: 'http',
      url: 'http://127.0.0.1:1/x',
      headers: { authorization: 'Bearer hidden-secret' },
      output: 'a.b',
    },
    metrics_used: [{ name: 'right', evaluator: 'exact-match', config: {} }],
    settings: { concurrency: 3, retries: 2, limits: { cost: 1.5 } },
  })
  const { open } = await stage.profile({ permissions: ['clipboard-read', 'clipboard-write'] })
  const page = await open('/runs/secret?tab=configuration')
  await page.getByText('http://127.0.0.1:1/x').first().waitFor()
  await page.getByText('$1.50').first().waitFor()
  expect(await page.content()).not.toContain('hidden-secret')
  const clipboard = (): Promise<string> => page.evaluate(() => navigator.clipboard.readText())
  await page.getByRole('button', { name: 'Copy JSON' }).click()
  await eventually(clipboard).toContain('"metrics_used": [')
  const wish: unknown = JSON.parse(await clipboard())
  expect(wish).toMatchObject({
    name: 'secret',
    task: { kind: 'http', url: 'http://127.0.0.1:1/x', headers: { authorization: '***' }, output: 'a.b' },
    metrics_used: [{ name: 'right', evaluator: 'exact-match' }],
    settings: { concurrency: 3, retries: 2, limits: { cost: 1.5 } },
  })
  await page.getByRole('button', { name: 'Copy YAML' }).click()
  await eventually(clipboard).toContain('task:\n  kind: http\n')
  await page.getByLabel('the command').getByText('llm-eval runs start').waitFor()
  // The server takes what is copied.
  await stage.call('POST', '/api/v1/runs', wish)
})

test('who may only read sees the run, and nothing to change it with', async () => {
  const adminKey = `llmeval_${'operators-own-key-'.repeat(2)}`
  const guarded = await openStage({ admin_key: adminKey })
  try {
    await makeRun(guarded, 'seen', { total_items: 3 })
    await finish(guarded, 'seen', sampleItems(3))
    const { key } = (await guarded.call('POST', '/api/v1/keys', { name: 'Reader', scopes: ['read'] })) as {
      key: string
    }
    const page = await (await guarded.profile()).open('/signin?next=/runs/seen')
    await page.getByLabel('API key').fill(key)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { level: 1, name: 'seen' }).waitFor()
    await live(page)
    await page.getByRole('button', { name: 'Compare with…' }).waitFor()
    await eventually(() => page.getByRole('button', { name: /Cancel run|Rename/ }).count()).toBe(0)
    await page.getByRole('button', { name: 'More about this run' }).click()
    await page.getByRole('menuitem', { name: 'Export as CSV' }).waitFor()
    expect(await page.getByRole('menuitem', { name: /Delete|Approve|Reject/ }).count()).toBe(0)
  } finally {
    await guarded.close()
  }
})
