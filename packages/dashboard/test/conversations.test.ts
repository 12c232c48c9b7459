import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Locator } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'
import { configSchema } from '../../server/src/config/config.ts'
import { say, type ScriptedAdk, spoken, startScriptedAdk } from '../../server/test/scripted-adk.ts'
import { brokenTurn, tell, turnOf } from './sample-conversations.ts'
import { byKeyboard, eventually, live, openStage, type Stage } from './stage.ts'

let stage: Stage
let agent: ScriptedAdk
/** The thread of this test. */
let thread: string
beforeAll(async () => {
  agent = await startScriptedAdk()
  const { targets } = configSchema.parse({ targets: { primes: { url: agent.url, app_name: 'agent1' } } })
  stage = await openStage({ targets })
})
beforeEach(() => {
  thread = `thread ${randomUUID()}`
})
afterEach(() => stage.clear())
afterAll(async () => {
  await stage?.close()
  await agent?.close()
})

const pathOf = (name: string) => `/conversations/${encodeURIComponent(name)}`

test('who has none yet is told how to record one, and sees the first one when it comes', async () => {
  const { open, problems } = await stage.profile()
  const page = await open('/conversations')
  await page.getByRole('heading', { name: 'No conversations yet' }).waitFor()
  await page.getByText('llm-eval bridge --target').waitFor()
  await live(page)
  await tell(stage, thread, turnOf(0, 'What is the tenth prime?'))
  await page.getByRole('link', { name: 'What is the tenth prime?' }).click()
  await page.getByRole('heading', { level: 1, name: 'What is the tenth prime?' }).waitFor()
  expect(problems).toEqual([])
})

test('are found by their first words and by how they stand', async () => {
  const name = randomUUID()
  await tell(stage, thread, turnOf(0, `Whole ${name}`))
  await tell(stage, `${thread} 2`, brokenTurn(0, `Broken ${name}`))
  const { open, problems } = await stage.profile()
  const page = await open('/conversations')
  const titles = () => page.getByRole('list', { name: 'Conversations' }).getByRole('link').allInnerTexts()
  await page.getByRole('searchbox', { name: 'Search titles' }).fill(name)
  await eventually(titles).toEqual([`Whole ${name}`, `Broken ${name}`])
  await page.getByLabel('State').selectOption('Cut off')
  await eventually(titles).toEqual([`Broken ${name}`])
  expect(new URL(page.url()).searchParams.get('q')).toBe(name)
  await page.getByLabel('State').selectOption('Waiting')
  await page.getByRole('button', { name: 'Clear all filters' }).click()
  await eventually(async () => (await titles()).length).toBeGreaterThan(1)
  expect(problems).toEqual([])
})

test('are read as they were held: thoughts, calls with their results, who handed over to whom, and what broke off', async () => {
  await tell(stage, thread, [...turnOf(0, 'What is the tenth prime?'), ...brokenTurn(1, 'And the next?')])
  const { open, problems } = await stage.profile()
  const page = await open(pathOf(thread))
  const first = page.getByRole('article', { name: 'Turn 1' })
  await first.getByText('What is the tenth prime?').waitFor()
  await first.getByText('The answer is 29.').waitFor()
  await first.getByRole('heading', { name: 'geometer' }).waitFor()
  await first.getByText('628 tokens').waitFor()
  await first.getByText('A tool knows primes.').first().click()
  await first.getByText('find_nth_prime').click()
  await first.getByRole('list', { name: 'arguments' }).getByText('10', { exact: true }).waitFor()
  await first.getByRole('list', { name: 'result' }).getByText('29', { exact: true }).waitFor()
  const second = page.getByRole('article', { name: 'Turn 2' })
  await second.getByText('The eleventh is').waitFor()
  await second.getByText('Broken off here.').waitFor()
  await second.getByText('Cut off').waitFor()
  await page.getByText('The agent closed the connection.').first().waitFor()
  expect(problems).toEqual([])
})

test('say whose they are, and by which id the command line knows them', async () => {
  const words = `Whose ${randomUUID()}`
  await tell(stage, thread, [{ kind: 'user_message', payload: { text: words } }])
  const { open, problems } = await stage.profile({ permissions: ['clipboard-read', 'clipboard-write'] })
  const page = await open('/conversations')
  const row = page.getByRole('listitem').filter({ hasText: words })
  await row.getByText('agent1 · ana').waitFor()
  await row.getByRole('link').click()
  await page.getByRole('heading', { level: 1, name: words }).waitFor()
  await page.getByText('agent1 · ana').waitFor()
  await page.getByRole('button', { name: 'Copy the thread id' }).click()
  await eventually(() => page.evaluate(() => navigator.clipboard.readText())).toBe(thread)
  expect(problems).toEqual([])
})

test('grow on the screen while they go on, and miss nothing while the server is away', async () => {
  await tell(stage, thread, turnOf(0, 'First question'))
  const { open, problems } = await stage.profile()
  const page = await open(pathOf(thread))
  await live(page)
  await page.getByText('The answer is 29.').waitFor()
  const begun = turnOf(1, 'Second question')
  await tell(stage, thread, begun.slice(0, 4))
  await page.getByRole('article', { name: 'Turn 2' }).getByText('no result').waitFor()
  await stage.stopServer()
  await stage.startAgain()
  await tell(stage, thread, begun.slice(4))
  await page.getByText('The answer is 30.').waitFor()
  expect(problems.filter((problem) => !/ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY|Failed to load/.test(problem))).toEqual(
    [],
  )
})

test('of hundreds of turns show the newest first, and the earlier ones when they are wanted', async () => {
  for (let from = 0; from < 120; from += 40) {
    const turns = Array.from({ length: 40 }, (_, i) => turnOf(from + i, `Question ${from + i}`))
    await tell(stage, thread, turns.flat())
  }
  const { open, problems } = await stage.profile()
  const page = await open(pathOf(thread))
  await page.getByText('Question 119').waitFor()
  await page.getByText('Question 100', { exact: true }).waitFor()
  expect(await page.getByText('Question 99', { exact: true }).count()).toBe(0)
  // Whoever reads on backwards stays at the turn where they are.
  for (const before of [100, 80, 40]) {
    const turn = page.getByRole('checkbox', { name: `Turn ${before + 1}`, exact: true })
    // Turns that were never seen get their height on the way: one press may end a little below the top.
    await eventually(async () => {
      await page.keyboard.press('Home')
      return page.evaluate(() => scrollY)
    }).toBe(0)
    const top = (await turn.boundingBox())?.y ?? 0
    await page.getByRole('button', { name: `Show earlier turns (${before} more)` }).click()
    await eventually(() => turn.evaluate((box) => box === document.activeElement)).toBe(true)
    const earliest = page.getByRole('checkbox', { name: `Turn ${Math.max(0, 2 * before - 120) + 1}`, exact: true })
    await earliest.waitFor({ state: 'attached' })
    await eventually(async () => Math.round(((await turn.boundingBox())?.y ?? 0) - top)).toBe(0)
  }
  expect(await page.getByRole('article').count()).toBe(120)
  // What can be done with them is at hand wherever one reads.
  const header = await page.getByRole('banner').boundingBox()
  const button = await page.getByRole('button', { name: 'Export' }).boundingBox()
  expect(button?.y).toBeGreaterThanOrEqual((header?.y ?? 0) + (header?.height ?? 0))
  expect(button?.y).toBeLessThan(200)
  expect(problems).toEqual([])
})

test('of hundreds of turns that are shown only the last are read while words come, and all when the agent is done', async () => {
  const turns = Array.from({ length: 60 }, (_, i) => turnOf(i, `Question ${i}`))
  await tell(stage, thread, turns.flat())
  const { open, problems } = await stage.profile()
  const page = await open(pathOf(thread))
  await page.getByText('Question 59').waitFor()
  await live(page)
  for (const more of [40, 20]) await page.getByRole('button', { name: `Show earlier turns (${more} more)` }).click()
  await page.getByRole('checkbox', { name: 'Turn 1', exact: true }).waitFor()
  const begun = turnOf(60, 'Question 60')
  const answer = page.getByRole('article', { name: 'Turn 61' })
  await tell(stage, thread, begun.slice(0, 2))
  await answer.getByText('Question 60').waitFor()
  await page.getByRole('heading', { level: 1 }).locator('..').getByText('Running').waitFor()
  // How often the block of the first turns was read, and that of the last.
  const reads = { first: 0, last: 0 }
  page.on('request', (request) => {
    const { pathname, searchParams } = new URL(request.url())
    if (!pathname.endsWith('/turns')) return
    if (searchParams.get('before') === '10') reads.first += 1
    if (searchParams.get('after') === '59') reads.last += 1
  })
  await tell(stage, thread, begun.slice(2, 5))
  await answer.getByText('find_nth_prime').waitFor()
  expect(reads.first).toBe(0)
  expect(reads.last).toBeGreaterThan(0)
  await tell(stage, thread, begun.slice(5))
  await answer.getByText('The answer is 89.').waitFor()
  await eventually(() => reads.first).toBeGreaterThan(0)
  expect(problems).toEqual([])
})

const evalSet = z.looseObject({
  eval_cases: z.array(z.looseObject({ conversation: z.array(z.looseObject({ invocation_id: z.string() })) })),
})

test('are downloaded as eval files: whole, or the turns that were chosen', async () => {
  await tell(stage, thread, [...turnOf(0, 'One'), ...turnOf(1, 'Two'), ...turnOf(2, 'Three')])
  const { open, problems } = await stage.profile()
  const page = await open(pathOf(thread))
  const exported = async () => {
    await page.getByRole('button', { name: /^Export/ }).click()
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('menuitem', { name: /^Eval set for adk eval/ }).click(),
    ])
    expect(file.suggestedFilename()).toMatch(/\.evalset\.json$/)
    const { eval_cases: cases } = evalSet.parse(JSON.parse(await readFile(await file.path(), 'utf8')))
    return cases.flatMap(({ conversation }) => conversation.map(({ invocation_id: id }) => id))
  }
  await page.getByRole('article', { name: 'Turn 3' }).waitFor()
  expect(await exported()).toEqual(['e-0', 'e-1', 'e-2'])
  await page.getByRole('checkbox', { name: 'Turn 3' }).check()
  await page.getByRole('checkbox', { name: 'Turn 1' }).check()
  expect(await exported()).toEqual(['e-0', 'e-2'])
  expect(problems).toEqual([])
})

test('become rows of a dataset turn by turn', async () => {
  await tell(stage, thread, [...turnOf(0, 'One'), ...turnOf(1, 'Two')])
  const { open, problems } = await stage.profile()
  const page = await open(pathOf(thread))
  await page.getByRole('checkbox', { name: 'Turn 2' }).check()
  await page.getByRole('button', { name: 'Add 1 turn to dataset' }).click()
  const form = page.getByRole('form', { name: 'Add to dataset' })
  await form.getByLabel('Dataset').selectOption('A new one…')
  await form.getByLabel('Name').fill(`Primes ${thread}`)
  await form.getByRole('button', { name: 'Add' }).click()
  await page.getByText(/^1 row was added to /).waitFor()
  await eventually(() => page.getByRole('checkbox', { name: 'Turn 2' }).isChecked()).toBe(false)
  expect(problems).toEqual([])
})

test('are read, chosen, exported, replayed and deleted with the keyboard alone', async () => {
  await tell(stage, thread, [...turnOf(0, `First of ${thread}`), ...turnOf(1, 'Two')])
  const { open, problems } = await stage.profile({ reducedMotion: 'reduce' })
  const page = await open('/conversations')
  const { isFocused, reach, enter } = byKeyboard(page)
  /** Whoever leaves what a button opened is at that button again. */
  const leave = async (opened: Locator, opener: Locator) => {
    await opened.waitFor()
    await page.keyboard.press('Escape')
    await eventually(() => opened.count()).toBe(0)
    await eventually(() => isFocused(opener)).toBe(true)
  }
  await enter(page.getByRole('link', { name: `First of ${thread}` }))
  await enter(page.getByRole('article', { name: 'Turn 1' }).locator('summary').filter({ hasText: 'find_nth_prime' }))
  await page.getByRole('article', { name: 'Turn 1' }).getByText('Arguments').waitFor()
  await reach(page.getByRole('checkbox', { name: 'Turn 2' }))
  await page.keyboard.press('Space')
  const exports = page.getByRole('button', { name: 'Export 1' })
  await enter(exports)
  await leave(page.getByRole('menu'), exports)
  await page.keyboard.press('Enter')
  await page.getByRole('menuitem', { name: /^Eval set for adk eval/ }).waitFor()
  const [file] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')])
  expect(file.suggestedFilename()).toMatch(/\.evalset\.json$/)
  for (const [name, form] of [
    ['Add 1 turn to dataset', 'Add to dataset'],
    ['Replay', 'Replay'],
  ] as const) {
    const opener = page.getByRole('button', { name })
    await enter(opener)
    await leave(page.getByRole('form', { name: form }), opener)
  }
  const more = page.getByRole('button', { name: 'More about this conversation' })
  await enter(more)
  await page.getByRole('menuitem', { name: 'Delete…' }).waitFor()
  await page.keyboard.press('Enter')
  await leave(page.getByRole('dialog'), more)
  await page.keyboard.press('Enter')
  await page.getByRole('menuitem', { name: 'Delete…' }).waitFor()
  await page.keyboard.press('Enter')
  await enter(page.getByRole('dialog').getByRole('button', { name: 'Delete' }))
  await page.getByText('The conversation was deleted.').waitFor()
  // The stream may tell of it before the page is left.
  expect(problems.filter((problem) => !problem.includes('status of 410'))).toEqual([])
})

test('are deleted when that is confirmed, and leave a page that says so', async () => {
  await tell(stage, thread, turnOf(0, 'To be deleted'))
  const { open } = await stage.profile()
  const other = await open(pathOf(thread))
  await other.getByText('The answer is 29.').waitFor()
  await live(other)
  const page = await open(pathOf(thread))
  await page.getByRole('button', { name: 'More about this conversation' }).click()
  await page.getByRole('menuitem', { name: 'Delete…' }).click()
  await page.getByRole('alertdialog').or(page.getByRole('dialog')).getByRole('button', { name: 'Delete' }).click()
  await page.getByText('The conversation was deleted.').waitFor()
  await other.getByRole('heading', { name: 'There is no such conversation' }).waitFor()
})

test('are said again to an agent, and held against what it did then', async () => {
  await tell(stage, thread, [...turnOf(0, 'What is the tenth prime?'), ...turnOf(1, 'And the next?')])
  agent.answer(({ body, ...run }) => {
    const [{ text }] = body.newMessage.parts
    const invocationId = `again-${text}`
    return say(spoken(text === 'And the next?' ? 'No idea.' : 'The answer is 29.', { invocationId }))({ body, ...run })
  })
  const { open, problems } = await stage.profile()
  const page = await open(pathOf(thread))
  await page.getByRole('button', { name: 'Replay' }).click()
  const form = page.getByRole('form', { name: 'Replay' })
  expect(await form.getByLabel('Target of the bridge').inputValue()).toBe('agent')
  await form.getByLabel('Target of the bridge').fill('nobody')
  await form.getByRole('button', { name: 'Replay' }).click()
  await form.getByRole('alert').waitFor()
  await form.getByLabel('Target of the bridge').fill('primes')
  await form.getByRole('button', { name: 'Replay' }).click()
  await page.getByRole('article', { name: 'Turn 2' }).getByText('No idea.').waitFor()
  await page.getByRole('link', { name: 'Compare with its recording' }).click()
  await page.getByRole('heading', { level: 1, name: 'Replay' }).waitFor()
  // Neither turn called the tool, and one of them gave the same answer.
  await page.getByRole('region', { name: 'Turn 1' }).getByText('Tool trajectory 0.00').waitFor()
  await page.getByRole('region', { name: 'Turn 1' }).getByText('Response 1.00').waitFor()
  await page.getByRole('region', { name: 'Turn 2' }).getByText('Response 0.00').waitFor()
  await page.getByRole('link', { name: 'its recording' }).click()
  await page.getByRole('article', { name: 'Turn 1' }).getByText('find_nth_prime').waitFor()
  expect(problems.filter((problem) => !/status of 4\d\d/.test(problem))).toEqual([])
})
