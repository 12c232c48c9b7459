import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Provider } from '../../packages/engine/test/provider.ts'
import { type RunningAgent, startAgent } from './agent.ts'
import { expectAnswer } from './answers.ts'
import { type Block, blocksOf, pages, text } from './markdown.ts'
import { startModel } from './model.ts'
import { openShell, type Shell } from './shell.ts'

/** Where the guides have a model of one's own. */
const modelAddress = 'http://localhost:11434/v1'
/** Where they have the agent that they show as `agent.mjs`. */
const agentAddress = 'http://localhost:3000'

/** Where they have an agent of ADK, which the examples stand for. */
const adkAddress = 'http://localhost:8001'

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

/** Files that a page shows, by the mark `file=NAME` of their blocks. */
function filesOf(page: string): Record<string, string> {
  const shown = blocksOf(text(page)).flatMap(({ marks, code }) =>
    marks.flatMap((mark) => (mark.startsWith('file=') ? [[mark.slice('file='.length), code] as const] : [])),
  )
  return Object.fromEntries(shown)
}

const guides = pages()
  .map((page) => ({ page, steps: stepsOf(page), files: filesOf(page) }))
  .filter(({ steps }) => steps.length > 0)

describe.each(guides)('$page', ({ page, steps, files }) => {
  let shell: Shell
  let model: Provider | undefined
  let agent: RunningAgent | undefined
  let adk: RunningAgent | undefined
  beforeAll(async () => {
    model = text(page).includes(modelAddress) ? await startModel() : undefined
    const { 'agent.mjs': code } = files
    agent = code === undefined ? undefined : await startAgent(code)
    adk = text(page).includes(adkAddress) ? await startAgent(text('examples/seed-003/adk-server.mjs')) : undefined
    const addresses = {
      ...(model && { [modelAddress]: model.base('openai') }),
      ...(agent && { [agentAddress]: agent.url }),
      ...(adk && { [adkAddress]: adk.url }),
    }
    shell = await openShell(settings[page], { files, addresses })
  })
  afterAll(async () => {
    await shell.close()
    await model?.close()
    await agent?.close()
    await adk?.close()
  })

  const told = steps.map(({ block, answer }) => [block.line, block, answer] as const)
  test.each(told)('what line %i tells to run does what the page says', async (_line, block, answer) => {
    const came = await shell.run(block)
    if (answer) expectAnswer(answer, came)
  })
})
