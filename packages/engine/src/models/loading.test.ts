import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'

const engine = new URL('../index.ts', import.meta.url).href

/** Sets up an engine with a provider in a process of its own, and tells which heavy packages came along. */
const script = `
import { registerHooks } from 'node:module'
const loaded = new Set()
registerHooks({ load(url, context, next) { loaded.add(url); return next(url, context) } })
const heavy = () => [...loaded].flatMap((url) => /node_modules\\/(@ai-sdk\\/[\\w-]+|@pydantic\\/genai-prices|eld|node-sql-parser|parse5)\\//.exec(url)?.[1] ?? [])
const { createEngine, createModels, providersSchema } = await import(${JSON.stringify(engine)})
const providers = providersSchema.parse({ gone: { api: 'openai', base_url: 'http://127.0.0.1:9/v1', models: ['m'] } })
const models = createModels({ providers, fetch: () => Promise.resolve(new Response('{}', { status: 400 })) })
const one = createEngine({ models })
one.catalogue()
await one.evaluate({ evaluator: 'exact-match', input: { response: 'a', reference: 'a' } })
const before = [...new Set(heavy())]
const score = await one.evaluate({ evaluator: 'semantic-similarity', input: { response: 'a', reference: 'b' }, config: { model: 'gone/m' } })
console.log(JSON.stringify({ before, after: [...new Set(heavy())], outcome: score.outcome }))
await one.close()
`

test('the packages of vendors and their prices are loaded when somebody is asked, and not before', () => {
  const args = [
    '--conditions=llm-eval-source',
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
    '-e',
    script,
  ]
  const told: unknown = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
  expect(told).toMatchObject({ before: [], outcome: 'errored' })
  expect(told).toHaveProperty('after', expect.arrayContaining(['@ai-sdk/openai-compatible', '@pydantic/genai-prices']))
}, 120_000)
