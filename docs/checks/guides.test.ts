import { afterAll, beforeAll, describe, test } from 'vitest'
import { expectAnswer } from './answers.ts'
import { type Block, blocksOf, pages, text } from './markdown.ts'
import { openShell, type Shell } from './shell.ts'

/** Settings of the server that a page takes for granted. */
const settings: Record<string, Record<string, unknown>> = {
  'docs/secure.md': { webhook_secrets: 'the-new-secret,the-old-secret', cors_origins: 'https://app.example.com' },
}

/** A block that is run, and the answer that the page shows after it. */
interface Step {
  block: Block
  answer: Block | undefined
}

function stepsOf(page: string): Step[] {
  const steps: Step[] = []
  for (const block of blocksOf(text(page))) {
    if (block.marks.includes('run')) steps.push({ block, answer: undefined })
    const last = steps.at(-1)
    if (last && block.marks.includes('answer')) last.answer = block
  }
  return steps
}

const guides = pages()
  .map((page) => ({ page, steps: stepsOf(page) }))
  .filter(({ steps }) => steps.length > 0)

describe.each(guides)('$page', ({ page, steps }) => {
  let shell: Shell
  beforeAll(async () => {
    shell = await openShell(settings[page])
  })
  afterAll(async () => shell.close())

  const told = steps.map(({ block, answer }) => [block.line, block, answer] as const)
  test.each(told)('what line %i tells to run does what the page says', async (_line, block, answer) => {
    const came = await shell.run(block)
    if (answer) expectAnswer(answer, came)
  })
})
