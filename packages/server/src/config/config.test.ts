import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configSchema, defaultConfig } from './config.ts'
import { settings } from './names.ts'
import { ConfigError, type ConfigSources, loadConfig } from './sources.ts'
import { showConfig } from './view.ts'

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'llm-eval-config-'))
})
afterEach(() => rm(cwd, { recursive: true, force: true }))

const load = (sources: Partial<ConfigSources> = {}) => loadConfig({ cwd, ...sources })
const write = (name: string, text: string) => writeFile(join(cwd, name), text)

async function problemsOf(sources: Partial<ConfigSources>): Promise<string[]> {
  const error: unknown = await load(sources).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof ConfigError) return error.problems
  throw new Error('it was accepted')
}

describe('settings', () => {
  it('stand at safe defaults when nobody says anything', async () => {
    const { config, origins } = await load()
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 8000,
      synchronous: 'full',
      database_url: null,
      webhook_secrets: [],
    })
    expect(config.rate_limits).toEqual({ traces_per_minute: 60_000, reads_per_minute: 1_200, streams_per_minute: 120 })
    expect(config.data).toBe(join(cwd, '.llm-eval'))
    expect(new Set(origins.values())).toEqual(new Set(['default']))
  })

  it('come from flags before the environment before the file before the defaults, and each tells its origin', async () => {
    await write('llm-eval.config.json', JSON.stringify({ host: 'a.example', port: 1, log_level: 'warn', pool_size: 3 }))
    const { config, origins } = await load({ env: { HOST: 'b.example', PORT: '2' }, flags: { port: 3 } })
    expect(config).toMatchObject({ port: 3, host: 'b.example', log_level: 'warn', pool_size: 3, retention_days: null })
    expect(Object.fromEntries(origins)).toMatchObject({
      port: 'flag --port',
      host: 'environment HOST',
      log_level: `file ${join(cwd, 'llm-eval.config.json')}`,
      retention_days: 'default',
    })
  })

  it('combine single rate limits of several origins', async () => {
    await write('llm-eval.config.json', JSON.stringify({ rate_limits: { reads_per_minute: 5, traces_per_minute: 6 } }))
    const { config, origins } = await load({ env: { LLM_EVAL_READS_PER_MINUTE: '0' } })
    expect(config.rate_limits).toEqual({ reads_per_minute: 0, traces_per_minute: 6, streams_per_minute: 120 })
    expect(origins.get('rate_limits.reads_per_minute')).toBe('environment LLM_EVAL_READS_PER_MINUTE')
  })

  it('are read from a TypeScript file too', async () => {
    await write('llm-eval.config.ts', 'const port: number = 4000 + 1\nexport default { port }\n')
    expect((await load()).config.port).toBe(4001)
  })

  it('are read from a file that is named, and its data directory lies beside it', async () => {
    await write('other.json', JSON.stringify({ data: 'here' }))
    const { config } = await loadConfig({ cwd: tmpdir(), file: join(cwd, 'other.json') })
    expect(config.data).toBe(join(cwd, 'here'))
  })

  it('all have a variable of their own, and the schema knows each of them', () => {
    const defaults = showConfig({ config: defaultConfig(), origins: new Map() })
    for (const { name, value } of defaults) expect(value, name).not.toBeUndefined()
    const top = new Set(settings.map(({ name }) => name.split('.')[0]))
    expect(top).toEqual(new Set(Object.keys(configSchema.shape)))
    const variables = settings.flatMap((setting) => setting.variables)
    expect(new Set(variables).size).toBe(variables.length)
  })

  it('read lists, numbers, nothing and empty variables from the environment', async () => {
    const { config } = await load({
      env: { LLM_EVAL_ALLOWED_HOSTS: 'a.lan, b.lan,', LLM_EVAL_RETENTION_DAYS: '0.5', PORT: '', LLM_EVAL_DATA: ' ' },
    })
    expect(config).toMatchObject({ allowed_hosts: ['a.lan', 'b.lan'], retention_days: 0.5, port: 8000 })
    expect((await load({ env: { LLM_EVAL_RETENTION_DAYS: 'none' } })).config.retention_days).toBeNull()
  })

  it('take several webhook secrets, each with an end if it has one', async () => {
    const { config } = await load({ env: { WEBHOOK_SECRET: 'new-secret-1,old-secret-1@2030-01-01T00:00:00Z' } })
    expect(config.webhook_secrets).toEqual([
      { secret: 'new-secret-1', expires_at: null },
      { secret: 'old-secret-1', expires_at: '2030-01-01T00:00:00Z' },
    ])
  })

  it('prefer the variable with our prefix', async () => {
    expect((await load({ env: { PORT: '1', LLM_EVAL_PORT: '2' } })).config.port).toBe(2)
  })
})

describe('a mistake in the settings', () => {
  it('is told with a suggestion, wherever it was made', async () => {
    await write('llm-eval.config.json', JSON.stringify({ prot: 1, rate_limits: { read_per_minute: 1 } }))
    const problems = await problemsOf({
      env: { LLM_EVAL_PROT: '1', LLM_EVAL_RETENTION: '3', LLM_EVAL_API_KEY: 'of a client' },
      flags: { hots: 'x' },
    })
    expect(problems).toEqual([
      expect.stringMatching(/^prot is not known; did you mean port\? \(file /),
      expect.stringMatching(/^rate_limits\.read_per_minute is not known; did you mean rate_limits\.reads_per_minute\?/),
      'LLM_EVAL_PROT is not known; did you mean LLM_EVAL_PORT? (environment)',
      'LLM_EVAL_RETENTION is not known; did you mean LLM_EVAL_RETENTION_DAYS? (environment)',
      '--hots is not known; did you mean host? (flag)',
    ])
  })

  it('names the value and who gave it', async () => {
    const problems = await problemsOf({ env: { PORT: 'http', LLM_EVAL_LOG_LEVEL: 'loud' }, flags: { pool_size: '0' } })
    expect(problems).toEqual([
      expect.stringMatching(/^port must be of type number, not string \(environment PORT\)/),
      expect.stringMatching(/^pool_size .*\(flag --pool-size\)/),
      expect.stringMatching(/^log_level .*\(environment LLM_EVAL_LOG_LEVEL\)/),
    ])
  })

  it.each([
    ['port', 65_536],
    ['public_url', 'ftp://x'],
    ['trusted_proxies', ['everybody']],
    ['database_url', 'mysql://x'],
    ['webhook_secrets', [{ secret: 'short' }]],
    ['rate_limits', 5],
  ])('is found in %s', async (name, value) => {
    await write('llm-eval.config.json', JSON.stringify({ [name]: value }))
    expect(await problemsOf({})).toHaveLength(1)
  })

  it('is a file that is missing, broken, doubled, or has no default export', async () => {
    expect(await problemsOf({ file: 'nowhere.json' })).toHaveLength(1)
    await write('llm-eval.config.json', '{')
    expect(await problemsOf({})).toHaveLength(1)
    await write('llm-eval.config.ts', 'export const port = 1\n')
    expect(await problemsOf({})).toEqual([expect.stringContaining('keep one')])
    await rm(join(cwd, 'llm-eval.config.json'))
    expect(await problemsOf({})).toEqual([expect.stringContaining('default export')])
  })
})

describe('the settings as they are shown', () => {
  it('hide every secret and tell every origin', async () => {
    const loaded = await load({
      env: {
        WEBHOOK_SECRET: 'whsec_topsecret',
        LLM_EVAL_ADMIN_KEY: 'topsecret-topsecret-topsecret',
        DATABASE_URL: 'postgresql://me:topsecret@db.example/eval?sslpassword=topsecret',
      },
    })
    const shown = showConfig(loaded)
    expect(JSON.stringify(shown)).not.toContain('topsecret')
    expect(shown.find(({ name }) => name === 'database_url')).toEqual({
      name: 'database_url',
      value: expect.stringContaining('me:********@db.example'),
      origin: 'environment DATABASE_URL',
    })
    expect(shown.map(({ name }) => name)).toEqual(settings.map(({ name }) => name))
  })
})
