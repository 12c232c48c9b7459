import { readFile } from 'node:fs/promises'
import { limits } from '@llm-eval/protocol'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { compareSearch } from '../src/app/addresses.ts'
import { placesOf } from '../src/components/strip-drawing.ts'
import { endRun, makeRun, sendItems } from './compared-runs.ts'
import { faintTexts, obstacles, overflow } from './outlook.ts'
import { eventually, openStage, type Stage } from './stage.ts'

let stage: Stage

const metrics = ['accuracy', 'rouge-l', '-toxicity']
/** 5 cases become worse, 20 better. */
const after = (index: number): number => (index < 5 ? 0 : 1)
const before = (index: number): number => (index >= 5 && index < 25 ? 0 : 1)

beforeAll(async () => {
  stage = await openStage()
  const texts = { expected: (index: number) => `The answer is ${index}.` }
  await makeRun(stage, 'base', {
    ...texts,
    name: 'Before',
    metrics,
    score: (index, metric) => (metric === 'accuracy' ? before(index) : metric === 'rouge-l' ? 0.9 - index / 100 : 0.1),
    output: (index) => `The answer is probably ${index}.`,
    more: { model_name: 'small', metadata: { prompt: 'Answer.' } },
  })
  await makeRun(stage, 'next', {
    ...texts,
    name: 'After',
    metrics,
    score: (index, metric) => (metric === 'accuracy' ? after(index) : metric === 'rouge-l' ? 0.5 - index / 99 : 0.1),
    output: (index) => (index < 5 ? 'I do not know.' : `The answer is ${index}.`),
    more: { model_name: 'large', metadata: { prompt: 'Answer kindly.' } },
  })
})
afterEach(() => stage.clear())
afterAll(() => stage.close())

async function openPage(path: string): Promise<{ page: Page; problems: string[] }> {
  const { open, problems } = await stage.profile()
  const page = await open(path)
  await page.getByRole('heading', { level: 1, name: 'Compare' }).waitFor()
  return { page, problems }
}

const addressOf = (page: Page) => new URL(page.url()).searchParams

describe('two runs', () => {
  test('are told in words first, then each metric with its interval, test, p, n and what could be seen', async () => {
    const { page, problems } = await openPage('/compare?runs=base,next')
    const verdict = page.getByRole('region', { name: 'Verdict' })
    await verdict.getByText('Worse in rouge-l.').waitFor()
    await verdict.getByText('Better in accuracy.').waitFor()
    await verdict.getByText('No detectable difference in -toxicity.').waitFor()
    await verdict.getByText('All 40 cases are in both runs.').waitFor()
    const row = page.getByRole('table', { name: 'Metrics of B against A' }).getByRole('row', { name: 'accuracy' })
    const text = (await row.textContent()) ?? ''
    expect(text).toContain('More is better')
    expect(text).toContain('Better')
    expect(text).toMatch(/\+0\.375 \(\+0\.\d+ to \+0\.\d+, 95 %\)/)
    expect(text).toMatch(/0\.5 → ?0\.875/)
    expect(text).toMatch(/p (<.)?0\.\d+n 40MDE 0\.\d+McNemar’s exact test/)
    expect(text).toContain('20 better, 5 worse, 15 the same')
    const usage = page.getByRole('table', { name: 'Cost and latency of B against A' })
    await usage.getByRole('row', { name: 'Latency' }).getByText('No detectable difference').waitFor()
    await usage.getByRole('row', { name: 'Cost' }).getByText('$0.001 →').waitFor()
    expect(problems).toEqual([])
  })

  test('say what was changed between them, and can be swapped', async () => {
    const { page } = await openPage('/compare?runs=base,next')
    const changed = page.getByRole('region', { name: 'What was changed' })
    await changed.getByText('large').waitFor()
    await changed.getByText('Answer kindly.').waitFor()
    expect(await changed.getByText('Repetitions').count()).toBe(0)
    await page.getByRole('button', { name: 'Swap' }).click()
    await page.getByRole('region', { name: 'Verdict' }).getByText('Worse in accuracy.').waitFor()
    expect(addressOf(page).get('runs')).toBe('next,base')
    await page.getByRole('button', { name: 'Make B the baseline' }).click()
    await page.getByRole('region', { name: 'Verdict' }).getByText('Better in accuracy.').waitFor()
  })

  test('list their cases: the worst first, filtered by what became of them and by metric, in the address too', async () => {
    const { page } = await openPage('/compare?runs=base,next&sort=accuracy')
    const cases = page.getByRole('table', { name: 'Cases' })
    await eventually(() => cases.getByRole('row').nth(1).textContent()).toMatch(/^case-\d1 → 0/)
    await page.getByRole('button', { name: 'Worse', exact: true }).click()
    await page.getByText('5 cases.', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Better', exact: true }).click()
    await page.getByText('20 cases.', { exact: true }).waitFor()
    await eventually(() => addressOf(page).get('change')).toBe('improved')
    await page.getByRole('button', { name: 'Unchanged', exact: true }).click()
    await page.getByText('15 cases.', { exact: true }).waitFor()
    await page.getByRole('combobox', { name: 'Metric' }).selectOption('rouge-l')
    await page.getByText('No case stayed as it was.').waitFor()
    await eventually(() => addressOf(page).get('sort')).toBe('rouge-l')
  })

  test('show a case side by side, with what changed, and lead to its items and to the next case', async () => {
    const { page, problems } = await openPage('/compare?runs=base,next&sort=accuracy&change=regressed')
    await page.getByRole('button', { name: 'case-3', exact: true }).click()
    const dialog = page.getByRole('dialog', { name: 'case-3' })
    await dialog.getByText('question 3').waitFor()
    await dialog.getByText('The answer is 3.', { exact: true }).waitFor()
    const changes = dialog.getByRole('group', { name: 'Output against A' })
    await changes.locator('del').first().waitFor()
    expect(await changes.locator('ins').allTextContents()).not.toEqual([])
    await dialog.getByRole('button', { name: 'Against expected' }).click()
    await dialog.getByRole('group', { name: 'Output against what was expected' }).first().waitFor()
    await dialog.getByRole('button', { name: 'As it is' }).click()
    await dialog.getByText('I do not know.').waitFor()
    expect(addressOf(page).get('case')).toBe('case-3')
    // The page behind it steps back.
    const behind = () =>
      page.evaluate(() => getComputedStyle(document.elementFromPoint(3, 300) ?? document.body).backgroundColor)
    await eventually(behind).toMatch(/^(rgba|oklab|color)\(.*0?\.[1-9]/)
    await dialog.getByRole('button', { name: 'Next case' }).click()
    await page.getByRole('dialog', { name: 'case-4' }).getByText('question 4').waitFor()
    const link = page.getByRole('dialog').getByRole('link', { name: 'After' })
    expect(await link.getAttribute('href')).toBe('/runs/next?tab=items&q=case-4')
    await page.keyboard.press('Escape')
    await eventually(() => addressOf(page).has('case')).toBe(false)
    expect(problems).toEqual([])
  })

  test('are drawn case by case, for the keyboard and the pointer alike', async () => {
    const { page } = await openPage('/compare?runs=base,next&sort=accuracy')
    const strip = page.getByRole('slider', { name: 'accuracy of each case, worst first' })
    await strip.focus()
    expect(await strip.getAttribute('aria-valuemax')).toBe('40')
    await page.keyboard.press('ArrowDown')
    await eventually(() => strip.getAttribute('aria-valuetext')).toMatch(/^case-[0-4]: A 1, B 0$/)
    await page.keyboard.press('End')
    await eventually(() => strip.getAttribute('aria-valuenow')).toBe('40')
    await page.keyboard.press('Home')
    await page.keyboard.press('ArrowRight')
    await eventually(() => strip.getAttribute('aria-valuenow')).toBe('2')
    const box = await strip.boundingBox()
    if (!box) throw new Error('nothing is drawn')
    const frame = { width: box.width, height: 320, domain: [0, 1] as const, columns: 2 }
    const place = placesOf({ id: 'case-3', values: [1, 0] }, frame).points[1]
    if (!place) throw new Error('it has no place')
    await page.mouse.move(box.x + place.x, box.y + place.y)
    await eventually(() => strip.getAttribute('aria-valuetext')).toMatch(/^case-\d+: A \d, B 0$/)
    const id = /^case-\d+/.exec((await strip.getAttribute('aria-valuetext')) ?? '')?.[0] ?? ''
    await page.mouse.click(box.x + place.x, box.y + place.y)
    await page.getByRole('dialog', { name: id, exact: true }).waitFor()
  })

  test('are held against what the gate is asked, as the command line does, and its command is there to copy', async () => {
    const { page, problems } = await openPage('/compare?runs=base,next')
    const gate = page.getByRole('region', { name: 'Gate' })
    await gate.getByText('Nothing is asked yet.').waitFor()
    await gate.getByLabel('No metric may be worse than in the baseline').check()
    await gate.getByText('The gate fails.').waitFor()
    await gate.getByText('rouge-l of next: worse, from').waitFor()
    await gate.getByLabel('No metric may be worse than in the baseline').uncheck()
    await gate.getByRole('combobox', { name: 'Mean of' }).selectOption('accuracy')
    await gate.getByRole('textbox', { name: 'Bound' }).fill('0.8')
    await gate.getByRole('button', { name: 'Add' }).click()
    await gate.getByText('The gate passes.').waitFor()
    await gate.getByText('exit code 0').waitFor()
    await gate.getByText('llm-eval compare --min accuracy=0.8 base next').waitFor()
    expect(addressOf(page).get('min')).toBe('accuracy:0.8')
    await gate.getByRole('textbox', { name: 'Bound' }).fill('much')
    await gate.getByRole('button', { name: 'Add' }).click()
    await gate.getByText('Give a number.').waitFor()
    await gate.getByRole('button', { name: 'Remove the bound of accuracy' }).click()
    await gate.getByText('Nothing is asked yet.').waitFor()
    expect(problems).toEqual([])
  })

  test('are saved as files', async () => {
    const { page, problems } = await openPage('/compare?runs=base,next')
    const saved = async (name: string): Promise<string> => {
      await page.getByRole('button', { name: 'Export' }).click()
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('menuitem', { name }).click(),
      ])
      return readFile(await download.path(), 'utf8')
    }
    const csv = await saved('CSV')
    expect(csv).toMatch(/^case_id,regression,accuracy of base,accuracy of next,/)
    expect(csv.split('\r\n')).toHaveLength(42)
    expect(await saved('Markdown')).toContain('| accuracy | Better | 0.5 | 0.875 |')
    expect(JSON.parse(await saved('JSON'))).toMatchObject({ runs: ['base', 'next'], cases_total: 40 })
    expect(problems).toEqual([])
  })
})

describe('which runs are compared', () => {
  const ten = ['base', 'next', ...Array.from({ length: limits.comparedRuns - 2 }, (_, at) => `run-${at + 2}`)]
  beforeAll(async () => {
    for (const id of ten.slice(2)) await makeRun(stage, id, { name: `Number ${id}`, cases: 6, metrics: ['accuracy'] })
  })

  test('is chosen on the page', async () => {
    const { page, problems } = await openPage('/compare')
    await page.getByRole('heading', { name: 'Choose two runs' }).waitFor()
    const add = async (name: string): Promise<void> => {
      await page.getByRole('button', { name: 'Add a run…' }).click()
      await page.getByLabel('Name or description').fill(name)
      await page.getByRole('list', { name: 'Runs to add' }).getByRole('button', { name }).click()
    }
    await add('Before')
    await add('After')
    await page.getByRole('region', { name: 'Verdict' }).getByText('Better in accuracy.').waitFor()
    expect(problems).toEqual([])
  })

  test('may be ten, which are put in another order and taken back', async () => {
    const { page, problems } = await openPage(`/compare?runs=${ten.join()}`)
    await page.getByRole('table', { name: 'Metrics of J against A' }).waitFor()
    expect(await page.getByRole('button', { name: 'Add a run…' }).isDisabled()).toBe(true)
    await page.getByRole('button', { name: 'Remove J' }).click()
    await eventually(() => page.getByRole('table', { name: 'Metrics of J against A' }).count()).toBe(0)
    await page.getByRole('button', { name: 'Move B down' }).click()
    await eventually(() => addressOf(page).get('runs')?.split(',').slice(0, 3)).toEqual(['base', 'run-2', 'next'])
    expect(problems).toEqual([])
  })

  test('may be one that is not there: it is said which', async () => {
    const { page } = await openPage('/compare?runs=base,nobody')
    await page.getByRole('heading', { name: 'The runs cannot be compared' }).waitFor()
    await page.getByRole('region', { name: 'Runs' }).getByText('No run has this run_id.').waitFor()
    await page.getByRole('button', { name: 'Remove B' }).click()
    await page.getByRole('heading', { name: 'Choose two runs' }).waitFor()
  })
})

describe('runs that can hardly be compared', () => {
  test('have no case in common: nothing is known, and nothing is shown as 0', async () => {
    await makeRun(stage, 'elsewhere', { metrics, caseId: (index) => `other-${index}` })
    const { page, problems } = await openPage('/compare?runs=base,elsewhere&fail=regression')
    await page.getByRole('list', { name: 'Warnings' }).getByText('no case is in all of the runs').waitFor()
    await page.getByText('Not enough data to tell of accuracy, rouge-l and -toxicity.').waitFor()
    const row = page.getByRole('table', { name: 'Metrics of B against A' }).getByRole('row', { name: 'accuracy' })
    expect(await row.textContent()).toContain('40 cases not in it')
    expect(await row.textContent()).toMatch(/unknown.*– → ?–.*n 0.*no pairs/)
    await page.getByText('The gate does not pass: it cannot be told.').waitFor()
    expect(problems).toEqual([])
  })

  test('have metrics that the other lacks, and cases that were not scored', async () => {
    await makeRun(stage, 'more', {
      metrics: ['accuracy', 'tone'],
      score: (index, metric) => (metric === 'accuracy' && index === 7 ? null : 1),
    })
    const { page } = await openPage('/compare?runs=base,more&fail=regression')
    const table = page.getByRole('table', { name: 'Metrics of B against A' })
    await table
      .getByRole('row', { name: 'tone' })
      .getByText('it is not known whether the evaluator is the same')
      .waitFor()
    await table.getByRole('row', { name: 'accuracy' }).getByText('1 case without the score they had').waitFor()
    await page.getByText('The gate does not pass: it cannot be told.').waitFor()
    await page.getByText('exit code 3').waitFor()
  })

  test('go on: that is said, their numbers follow, and the gate waits for their end unless it is told not to', async () => {
    const going = { metrics: ['accuracy'], score: before, total: 40 }
    await makeRun(stage, 'going', { ...going, name: 'On its way', cases: 10, ends: false })
    await makeRun(stage, 'whole', { ...going, score: before })
    const { page, problems } = await openPage('/compare?runs=whole,going&fail=regression')
    await page.getByText('A run still goes on').waitFor()
    await page.getByRole('list', { name: 'Warnings' }).getByText('the run is running, with 10 of 40').waitFor()
    const gate = page.getByRole('region', { name: 'Gate' })
    await gate.getByText('The gate does not pass: it cannot be told.').waitFor()
    await gate.getByLabel('Runs that are not complete may pass').check()
    await gate.getByText('The gate passes.').waitFor()
    await gate.getByText('--allow-partial').waitFor()
    await gate.getByLabel('Runs that are not complete may pass').uncheck()
    const n = page.getByRole('table', { name: 'Metrics of B against A' }).getByRole('row', { name: 'accuracy' })
    await sendItems(stage, 'going', { ...going, from: 10, cases: 40 })
    await eventually(() => n.textContent()).toContain('n 40')
    await endRun(stage, 'going')
    await gate.getByText('The gate passes.').waitFor()
    await eventually(() => page.getByRole('list', { name: 'Warnings' }).count()).toBe(0)
    expect(problems).toEqual([])
  })
})

describe('all of it', () => {
  const fits = async (page: Page): Promise<void> => {
    for (const width of [390, 768, 1280, 2000]) {
      await page.setViewportSize({ width, height: 800 })
      await eventually(async () => [width, await overflow(page)]).toEqual([width, 0])
    }
  }
  const opened = { page: '/compare?runs=base,next&fail=regression', case: '/compare?runs=base,next&case=case-1' }

  test.each(['light', 'dark'] as const)('can be read and named in a %s theme', async (colorScheme) => {
    const { open } = await stage.profile({ colorScheme, reducedMotion: 'reduce' })
    const page = await open(opened.page)
    await page.getByText('exit code').waitFor()
    await eventually(async () => [...(await obstacles(page)), ...(await faintTexts(page))]).toEqual([])
    await fits(page)
  })

  test.each(['light', 'dark'] as const)(
    'can be read and named where a case is open in a %s theme',
    async (colorScheme) => {
      const { open } = await stage.profile({ colorScheme, reducedMotion: 'reduce' })
      const page = await open(opened.case)
      await page.getByRole('dialog').getByRole('group', { name: 'Output against A' }).waitFor()
      await eventually(async () => [...(await obstacles(page)), ...(await faintTexts(page))]).toEqual([])
      await fits(page)
    },
  )
})

test('runs of thousands of cases come in part, which is told, and only what is visible exists in the document', async () => {
  await makeRun(stage, 'large-1', { cases: 1_100, score: (index) => (index % 100) / 100 })
  await makeRun(stage, 'large-2', { cases: 1_100, score: (index) => ((index + 1) % 100) / 100 })
  const { page, problems } = await openPage('/compare?runs=large-1,large-2')
  await page.getByText('A sample of 1,000 of 1,100 cases').waitFor()
  await page.getByText('The first 500 of 1,100 cases.').waitFor()
  const cases = page.getByRole('table', { name: 'Cases' })
  await eventually(() => cases.getByRole('row').count()).toBeLessThan(60)
  await cases.evaluate((box) => box.scrollTo({ top: box.scrollHeight }))
  await eventually(() => cases.getByRole('row').last().getAttribute('aria-rowindex')).toBe('501')
  expect(problems).toEqual([])
})

test('hostile names, ids and texts are text, and nothing else', async () => {
  const evil = '<img src=x onerror="alert(1)">'
  const ids = ['a,b%2C&c=d', `${evil}#?/..`]
  for (const [at, id] of ids.entries())
    await makeRun(stage, id, {
      name: `${evil} ${at} \u202e`,
      metrics: [`${evil}:0.5`, 'a=b,c'],
      cases: 12,
      score: (index) => (at + index) % 2,
      caseId: (index) => `${evil} ${index}`,
      output: (index) => ({ [evil]: `${'x'.repeat(5_000)} ${at} ${index}` }),
      more: { metadata: { [evil]: evil + String(at) } },
    })
  const query = new URLSearchParams({ runs: compareSearch(ids).runs ?? '', min: `a=b%2Cc:0.5,${evil}:0.5:0.1` })
  const { page, problems } = await openPage(`/compare?${query}`)
  await page.getByRole('table', { name: 'Metrics of B against A' }).getByText(`${evil}:0.5`).waitFor()
  const gate = page.getByRole('region', { name: 'Gate' })
  await gate.getByText('exit code').waitFor()
  await gate.getByText(`The mean of a=b,c must be at least 0.5`).waitFor()
  await gate.getByText(`The mean of ${evil}:0.5 must be at least 0.1`).waitFor()
  await gate.getByText(`'a,b%2C&c=d'`).waitFor()
  await page.getByRole('button', { name: `${evil} 3`, exact: true }).click()
  await page
    .getByRole('dialog', { name: `${evil} 3` })
    .getByText('question 3')
    .waitFor()
  expect(await page.locator('img').count()).toBe(0)
  expect(problems).toEqual([])
})
