import { AgentFailed } from '@llm-eval/agents'
import { describe, expect, it } from 'vitest'
import { createTargets, printedBy } from '../src/bridge/targets.ts'
import { configSchema } from '../src/config/config.ts'

const signal = new AbortController().signal

function targetOf(settings: object, env: Record<string, string> = {}, printed = printedBy) {
  const { targets } = configSchema.parse({
    targets: { one: { url: 'http://me:pass%20word@localhost:1/a', ...settings } },
  })
  const target = createTargets(targets, { fetch, env, printed }).get('one')
  if (!target) throw new Error('there is none')
  return target
}

describe('a target of the bridge', () => {
  it('has a key out of the environment, when it is asked', async () => {
    const env: Record<string, string> = {}
    const target = targetOf({ token_env: 'TOKEN' }, env)
    await expect(target.credentials?.(signal)).rejects.toThrow('no TOKEN')
    env['TOKEN'] = 'first'
    expect(await target.credentials?.(signal)).toEqual({ authorization: 'Bearer first' })
    env['TOKEN'] = 'second'
    expect(await target.credentials?.(signal)).toEqual({ authorization: 'Bearer second' })
    expect(await targetOf({ api_key_env: 'KEY' }, { KEY: 'k' }).credentials?.(signal)).toEqual({
      'x-goog-api-key': 'k',
    })
    expect(targetOf({}).credentials).toBeUndefined()
  })

  it('has a key that a command prints, which is run again when the key is old', async () => {
    let runs = 0
    const printed = () => Promise.resolve(`token-${++runs}\n`)
    const target = targetOf({ token_command: ['gcloud'] }, {}, printed)
    for (let at = 0; at < 3; at++)
      expect(await target.credentials?.(signal)).toEqual({ authorization: 'Bearer token-1' })
    expect(runs).toBe(1)
    const real = targetOf({ token_command: [process.execPath, '-e', 'console.log("printed")'] })
    expect(await real.credentials?.(signal)).toEqual({ authorization: 'Bearer printed' })
  })

  it('whose command fails says so, and not what the command said', async () => {
    const failing = [process.execPath, '-e', 'console.error("secret words"); process.exit(1)']
    const error: unknown = await targetOf({ token_command: failing })
      .credentials?.(signal)
      .then(
        () => undefined,
        (reason: unknown) => reason,
      )
    expect(error).toBeInstanceOf(AgentFailed)
    expect(String(error)).not.toContain('secret words')
  })

  it('has a name and a password of its address as a header, and not in its address', () => {
    const { url, headers } = targetOf({ headers: { 'x-mine': '1' } })
    expect(url).toBe('http://localhost:1/a')
    expect(headers).toEqual({
      authorization: `Basic ${Buffer.from('me:pass word').toString('base64')}`,
      'x-mine': '1',
    })
  })
})
