import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from './sources.ts'
import { showConfig } from './view.ts'

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'llm-eval-config-'))
})
afterEach(() => rm(cwd, { recursive: true, force: true }))

describe('the settings of judges', () => {
  it('providers come from the file, and the usual variables give those that it does not name', async () => {
    const providers = {
      openai: { api: 'openai', api_key: 'of the file' },
      local: { api: 'openai', base_url: 'http://localhost:1/v1' },
    }
    await writeFile(join(cwd, 'llm-eval.config.json'), JSON.stringify({ providers, default_model: 'local/small' }))
    const env = { OPENAI_API_KEY: 'of the environment', ANTHROPIC_API_KEY: 'another' }
    const loaded = await loadConfig({ cwd, env })
    const keys = Object.entries(loaded.config.providers).map(([name, { api_key }]) => [name, api_key])
    expect(Object.fromEntries(keys)).toEqual({ openai: 'of the file', local: null, anthropic: 'another' })
    expect(loaded.config.default_model).toBe('local/small')
    expect((await loadConfig({ cwd: '/', env: {} })).config.providers).toEqual({})
  })

  it('keys of providers are not shown', async () => {
    const shown = showConfig(await loadConfig({ cwd, env: { OPENAI_API_KEY: 'sk-very-secret' } }))
    const line = shown.find(({ name }) => name === 'providers')
    expect(line?.value).toContain('"api_key":"********"')
    expect(line?.origin).toBe('environment OPENAI_*')
    expect(JSON.stringify(shown)).not.toContain('sk-very-secret')
  })

  it('modules start from the file that names them, and the environment says the rest', async () => {
    await writeFile(join(cwd, 'llm-eval.config.json'), JSON.stringify({ evaluators: ['./mine.ts'] }))
    const env = {
      LLM_EVAL_ALLOW_PRIVATE_EVALUATORS: 'yes',
      LLM_EVAL_JUDGE_CONCURRENCY: '3',
      LLM_EVAL_PRICES: '{"local/*": {"input": 0, "output": 0}}',
    }
    const { config } = await loadConfig({ cwd: '/', file: join(cwd, 'llm-eval.config.json'), env })
    expect(config).toMatchObject({
      evaluators: [join(cwd, 'mine.ts')],
      allow_private_evaluators: true,
      judge_concurrency: 3,
      prices: { 'local/*': { input: 0, output: 0 } },
    })
  })

  it('what cannot be used is told with its name', async () => {
    const env = { LLM_EVAL_PROVIDERS: '{"x": {"api": "nobody"}}', LLM_EVAL_ALLOW_PRIVATE_EVALUATORS: 'perhaps' }
    await expect(loadConfig({ cwd, env })).rejects.toThrow(/providers\.x\.api[^]*allow_private_evaluators/)
  })
})
