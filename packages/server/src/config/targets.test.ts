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

const load = async (targets: object) => {
  await writeFile(join(cwd, 'llm-eval.config.json'), JSON.stringify({ targets }))
  return loadConfig({ cwd })
}
const url = 'http://localhost:8000'

describe('the targets of the bridge', () => {
  it('are an api_server of ADK unless said, with nothing forwarded', async () => {
    const { config } = await load({ trips: { url } })
    expect(config.targets).toEqual({
      trips: {
        kind: 'adk',
        url,
        app_name: null,
        user_id: 'user',
        headers: {},
        forward_headers: {},
        token_env: null,
        token_command: null,
        api_key_env: null,
        timeout_seconds: 120,
      },
    })
    expect(
      (await loadConfig({ cwd: '/', env: { LLM_EVAL_TARGETS: `{"a":{"url":"${url}"}}` } })).config.targets,
    ).toHaveProperty('a.kind', 'adk')
  })

  it('are shown without keys: headers are masked, and so is a password in an address', async () => {
    const loaded = await load({
      trips: { url: 'http://me:topsecret@agent.example/', headers: { authorization: 'Bearer topsecret' } },
    })
    const shown = showConfig(loaded).find(({ name }) => name === 'targets')?.value
    expect(shown).not.toContain('topsecret')
    expect(JSON.parse(shown ?? '')).toMatchObject({
      trips: { url: 'http://me:********@agent.example/', headers: { authorization: '********' } },
    })
  })

  it.each([
    ['a name that no path has', { 'a b': { url } }],
    ['no address', { a: {} }],
    ['a kind that is not known', { a: { url, kind: 'langgraph' } }],
    ['a mistyped setting', { a: { url, appname: 'x' } }],
    ['a header of two lines', { a: { url, headers: { x: 'a\r\nb: c' } } }],
    ['the key of this server sent on', { a: { url, forward_headers: { Authorization: 'authorization' } } }],
    ['a cookie sent on', { a: { url, forward_headers: { cookie: 'cookie' } } }],
    ['a length sent on', { a: { url, forward_headers: { 'x-length': 'Content-Length' } } }],
    ['a variable that is none', { a: { url, token_env: 'A B' } }],
    ['no time', { a: { url, timeout_seconds: 0 } }],
    ['more time than a connection has', { a: { url, timeout_seconds: 301 } }],
  ])('are refused with %s', async (_what, targets) => {
    await expect(load(targets)).rejects.toThrow(/targets/)
  })
})
