import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { defaultConfig, type RunningServer, startServer } from '@llm-eval/server'
import { LLMEvalClient } from 'llm-eval-sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const apiKey = 'an-admin-key-made-elsewhere'

let home: string
let server: RunningServer
let client: LLMEvalClient

/** The examples in a project of their own, with the SDK as it is published. */
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'llm-eval-evaluators-'))
  const sdk = join(home, 'node_modules/llm-eval-sdk')
  await mkdir(join(home, 'node_modules'))
  await run(process.execPath, [join(import.meta.dirname, '../packages/sdk/build.mjs'), '--stage', sdk])
  await cp(join(import.meta.dirname, 'seed-000'), join(home, 'seed-000'), { recursive: true })
  await writeFile(join(home, 'package.json'), '{"type":"module"}')
  const config = { ...defaultConfig(), data: join(home, 'data'), port: 0, log_level: 'silent' as const }
  server = await startServer({ config: { ...config, admin_key: apiKey } })
  client = new LLMEvalClient(server.url, apiKey)
}, 120_000)

afterAll(async () => {
  await server?.close()
  await rm(home, { recursive: true, force: true })
})

/** Runs an example in a Node of its own, which finds the server by its environment. */
async function example(file: string, changes: NodeJS.ProcessEnv = {}): Promise<string> {
  const settings = { TRACELOOP_BASE_URL: server.url, TRACELOOP_API_KEY: apiKey, TRACELOOP_STREAM_TIMEOUT: '60' }
  const env = { ...process.env, NODE_OPTIONS: '--disable-warning=ExperimentalWarning', ...settings, ...changes }
  const { stdout, stderr } = await run(process.execPath, [join(home, 'seed-000', file)], { cwd: home, env })
  expect(stderr).toBe('')
  return stdout
}

describe('the twins of the source document', () => {
  it('Synchronous Execution waits for its result, also by the convenience function', async () => {
    const [first = '', second = ''] = (await example('synchronous.ts')).split(/(?=^Final result)/m)
    expect(first).toMatch(/^Final result: \{[^]*status: 'completed'[^]*result: \{ match: true, pass: true \}/)
    expect(second).toMatch(/^Final result: \{[^]*status: 'completed'[^]*result: \{ match: false, pass: false \}/)
  })

  it('Asynchronous Execution with Callback goes on at once, and calls back in the background', async () => {
    const printed = await example('callback.ts')
    const [, id = ''] = /^Execution initiated: (\w+)$/m.exec(printed) ?? []
    expect(printed).toContain(`Stream URL: /executions/events/${id}\n`)
    expect(printed.indexOf('Execution initiated')).toBeLessThan(printed.indexOf('SSE result received'))
    expect(printed).toMatch(new RegExp(`SSE result received: \\{[^]*'${id}'[^]*pass: true`))
    expect(await client.getExecution(id)).toMatchObject({ status: 'completed', score: { value: 1 } })
  })

  it('Async/Await Pattern starts evaluators, with a callback and without', async () => {
    const printed = await example('async-await.ts')
    const ids = [...printed.matchAll(/^Execution started: (\w+)$/gm)].map(([, id]) => id ?? '')
    expect(ids).toHaveLength(2)
    expect(printed).toMatch(new RegExp(`^Result: \\{[^]*'${ids[0]}'[^]*pass: true`, 'm'))
    // Nobody listened to the second one.
    let second = await client.getExecution(ids[1] ?? '')
    while (second.status !== 'completed') second = await client.getExecution(ids[1] ?? '')
    expect(second.score).toMatchObject({ value: 1 })
  })

  it('Result Handler and stream client hand one result to whoever listens', async () => {
    const lines = (await example('result-handling.ts')).trim().split('\n')
    expect(lines.shift()).toBe('Listening: true')
    expect(lines.sort()).toEqual(['Complete: 1', 'Result: { match: true, pass: true }'])
  })

  it('Environment Variables say where the server is, with which key, and for how long to wait', async () => {
    expect(await example('environment.ts')).toBe('{ match: true, pass: true }\n')
    const failing = async (changes: NodeJS.ProcessEnv) =>
      await example('environment.ts', changes).then(
        () => '',
        (error: { stderr: string }) => error.stderr,
      )
    expect(await failing({ TRACELOOP_API_KEY: '' })).toMatch(/^auth: This server wants an API key/)
    expect(await failing({ TRACELOOP_STREAM_TIMEOUT: '0.000001' })).toMatch(/^timeout: No result from http/)
    expect(await failing({ TRACELOOP_BASE_URL: 'http://127.0.0.1:1' })).toMatch(
      /^unreachable: Cannot reach http:\/\/127\.0\.0\.1:1\//,
    )
  })

  it('Batch Execution shares one stream', async () => {
    const lines = (await example('batch.ts')).trim().split('\n')
    expect(lines.slice(0, 4).sort()).toEqual([
      'case 0: accuracy-evaluator',
      'case 0: contains',
      'case 1: accuracy-evaluator',
      'case 1: contains',
    ])
    expect(lines.slice(4)).toEqual([
      '4 results, 0 reconnects',
      '0 accuracy-evaluator 1',
      '0 contains 1',
      '1 accuracy-evaluator 0',
      '1 contains 1',
    ])
  })
})
