import type { Page, Route } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { eventually, live, openStage, type Profile, type Stage } from './stage.ts'

let stage: Stage
let profile: Profile
let page: Page

beforeAll(async () => {
  stage = await openStage()
})
beforeEach(async () => {
  // Nothing waits from the tests before.
  for (const { trace_id } of (await stage.list('evaluation_status=pending&limit=200')).items) {
    await stage.review(trace_id, { status: 'accepted' })
  }
  profile = await stage.profile()
})
afterEach(() => stage.clear())
afterAll(() => stage.close())

let counter = 0

/** Sends traces that wait for a verdict and opens the queue, which starts with the last of them. */
async function openQueue(...queries: string[]): Promise<string[]> {
  const run = counter++
  const base = Date.now() - 60_000
  const traces = queries.map((user_query, at) => ({
    trace_id: `review-${run}-${at}`,
    user_query,
    timestamp: new Date(base + at * 1000).toISOString(),
  }))
  await stage.send(...traces)
  page = await profile.open('/review')
  await live(page)
  await heading(queries.at(-1) ?? '')
  return traces.map(({ trace_id }) => trace_id).reverse()
}

async function heading(query: string): Promise<void> {
  await page.getByRole('heading', { level: 1, name: query }).waitFor()
}

const toast = (words: string | RegExp) => page.getByRole('status').getByText(words)

test('the queue is worked through by keys alone, and the last verdict can be taken back', async () => {
  const [third = '', second = ''] = await openQueue('first', 'second', 'third')
  await page.getByRole('heading', { name: 'Record 1 of 3' }).waitFor()

  await page.keyboard.press('a')
  await heading('second')
  await toast('Accepted.').waitFor()
  expect((await stage.trace(third)).evaluation_status).toBe('accepted')

  await page.keyboard.press('r')
  await page.getByRole('group', { name: 'Why is it rejected?' }).waitFor()
  await page.keyboard.press('4')
  await heading('first')
  await eventually(() => stage.trace(second)).toMatchObject({
    evaluation_status: 'rejected',
    review: { reason: 'hallucinated' },
  })

  await page.keyboard.press('u')
  await heading('second')
  await toast('Taken back.').waitFor()
  await eventually(() => stage.trace(second)).toMatchObject({ evaluation_status: 'pending', review: { reason: null } })
  expect((await stage.trace(second)).reviews.map(({ status }) => status)).toEqual(['rejected', 'pending'])

  await page.keyboard.press('a')
  await heading('first')
  await page.keyboard.press('a')
  await page.getByRole('heading', { name: 'You are through' }).waitFor()
  await page.getByText('3 decided: 3 accepted, 0 rejected').waitFor()
  expect(profile.problems).toEqual([])
})

test('next and previous move without deciding, and what was skipped can be gone back to', async () => {
  await openQueue('one', 'two', 'three')
  await page.keyboard.press('n')
  await heading('two')
  await page.keyboard.press('ArrowRight')
  await heading('one')
  await page.keyboard.press('p')
  await heading('two')
  await page.keyboard.press('ArrowLeft')
  await heading('three')
  for (const following of ['two', 'one']) {
    await page.keyboard.press('s')
    await heading(following)
  }
  await page.keyboard.press('a')
  await page.getByText('1 decided: 1 accepted, 0 rejected; 2 skipped.').waitFor()
  await page.getByRole('button', { name: 'Go back to the skipped' }).click()
  await heading('three')
})

test('a note is typed without deciding anything, and goes with the verdict', async () => {
  const [id = ''] = await openQueue('noteworthy')
  await page.keyboard.press('e')
  const field = page.getByLabel('Note')
  await eventually(() => field.evaluate((box) => box === document.activeElement)).toBe(true)
  await page.keyboard.type('rather aruns')
  await eventually(() => field.inputValue()).toBe('rather aruns')
  await page.keyboard.press('Escape')
  await page.keyboard.press('a')
  await page.getByRole('heading', { name: 'You are through' }).waitFor()
  await eventually(() => stage.trace(id)).toMatchObject({
    evaluation_status: 'accepted',
    review: { note: 'rather aruns' },
  })
})

test('a note is kept when its record is left without a verdict', async () => {
  const [id = ''] = await openQueue('other', 'half done')
  await page.getByLabel('Note').fill('ask Mei about this')
  await page.getByRole('button', { name: 'Next record' }).click()
  await heading('other')
  await eventually(async () => (await stage.trace(id)).review.note).toBe('ask Mei about this')
  expect((await stage.trace(id)).evaluation_status).toBe('pending')
})

test('keys do nothing while a dialog is open', async () => {
  const [id = ''] = await openQueue('untouched')
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keys' }).getByText('Undo the last verdict').waitFor()
  await page.keyboard.press('a')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await heading('untouched')
  expect((await stage.trace(id)).version).toBe(0)
})

test('whoever is a moment too late is told what the other decided, and may go on or insist', async () => {
  const [id = ''] = await openQueue('contested')
  // The other verdict is stored while this one is on its way.
  const overtake = async (route: Route): Promise<void> => {
    await stage.review(id, { status: 'rejected', reason: 'inaccurate', reviewer: 'Ana' })
    await route.continue()
  }
  await page.route('**/review', overtake, { times: 1 })
  await page.keyboard.press('a')
  const notice = page.getByRole('alert')
  await notice.getByText('Somebody else was faster').waitFor()
  await notice.getByText('rejected').waitFor()
  await notice.getByText(/\(inaccurate response\)/).waitFor()
  await notice.getByText('Ana').waitFor()
  await eventually(() => stage.trace(id)).toMatchObject({ evaluation_status: 'rejected', version: 1 })

  await notice.getByRole('button', { name: 'Accept anyway' }).click()
  await page.getByRole('heading', { name: 'You are through' }).waitFor()
  await eventually(() => stage.trace(id)).toMatchObject({ evaluation_status: 'accepted', version: 2 })
})

test('a record that somebody else decides is passed over, and one that is open says so', async () => {
  const [, second = '', first = ''] = await openQueue('quiet', 'taken', 'open')
  await stage.review(second, { status: 'accepted', reviewer: 'Jonas' })
  // The counters come by the same stream, after the verdict.
  await page.getByRole('link', { name: 'Review 2 pending' }).waitFor()
  await page.keyboard.press('a')
  await heading('quiet')
  await stage.review(first, { status: 'rejected', reason: 'other', reviewer: 'Jonas' })
  await page.getByRole('alert').getByText('Somebody else just reviewed this').waitFor()
  await page.getByRole('alert').getByRole('button', { name: 'Next record' }).click()
  await page.getByRole('heading', { name: 'You are through' }).waitFor()
})

test('an empty queue fills by itself when a trace arrives', async () => {
  page = await profile.open('/review')
  await live(page)
  await page.getByRole('heading', { name: 'Nothing waits for a verdict' }).waitFor()
  await stage.send({ trace_id: `review-fill-${counter++}`, user_query: 'just in' })
  await heading('just in')
  expect(profile.problems).toEqual([])
})
