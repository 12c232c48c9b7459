import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { good, place, startAgent, stocks } from './agents.ts'
import { startCommand } from './stage.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** Writes down which modules a process loaded. */
const recorder = `
import { writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
const loaded = new Set()
registerHooks({ load(url, context, next) { loaded.add(url); return next(url, context) } })
process.on('exit', () => writeFileSync('loaded.txt', [...loaded].join('\\n')))
`

/** What the cases below have no need of: each of it takes as long to load as asking takes. */
const needless = {
  'paths of answers of another shape': 'jsonpath-rfc9535',
  'the catalogue of prices': '@pydantic/genai-prices',
  'schemas of JSON': '/ajv/',
  'the server': 'packages/server/',
  'the store': 'packages/store/',
  'packages of vendors of models': '@ai-sdk/',
  'shapes of runs': 'protocol/src/run-schemas',
  'baselines in files': 'baseline-files',
  'prompts for people': '@clack/',
}

test('llm-eval test loads what its cases need, and nothing else that is large', async () => {
  const { url } = await startAgent(good)
  const cwd = place({ 'stocks.yaml': stocks, 'recorder.mjs': recorder })
  const args = ['--conditions=llm-eval-source', '--import', './recorder.mjs', main, 'test', 'stocks.yaml']
  const { code, err } = await startCommand([...args, '--agent', url], { cwd }).ended
  expect({ code, err }).toMatchObject({ code: 0 })
  const loaded = readFileSync(join(cwd, 'loaded.txt'), 'utf8')
  expect(loaded).toContain('agent-tests.ts')
  const found = Object.entries(needless).filter(([, module]) => loaded.includes(module))
  expect(found).toEqual([])
})

test('an agent that tells its tokens and not its cost is priced all the same', async () => {
  const answer = { response: 'AAPL is at 266.', model: 'gpt-4o', usage: { prompt_tokens: 1_000, completion_tokens: 0 } }
  const { url } = await startAgent(() => answer)
  const cwd = place({ 'case.yaml': 'name: A\nquery: x\nexpected: {output: {contains: [AAPL]}}\n' })
  const args = ['--conditions=llm-eval-source', main, 'test', 'case.yaml', '--agent', url, '--json']
  const { code, out } = await startCommand(args, { cwd }).ended
  expect(code).toBe(0)
  expect(out).toContain('"cost_source":"priced"')
})
