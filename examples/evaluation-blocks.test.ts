import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { run as runShape } from '@llm-eval/protocol/run-schemas'
import { defaultConfig, type RunningServer, startServer } from '@llm-eval/server'
import { LLMEvalClient } from 'llm-eval-sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)

let home: string
let server: RunningServer

/** The examples in a project of their own, with the SDK as it is published, and a server with the datasets that they name. */
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'llm-eval-evaluation-'))
  const sdk = join(home, 'node_modules/llm-eval-sdk')
  await mkdir(join(home, 'node_modules'))
  await run(process.execPath, [join(import.meta.dirname, '../packages/sdk/build.mjs'), '--stage', sdk])
  await cp(join(import.meta.dirname, 'seed-002'), join(home, 'seed-002'), { recursive: true })
  await writeFile(join(home, 'package.json'), '{"type":"module"}')
  const config = { ...defaultConfig(), data: join(home, 'data'), port: 0, log_level: 'silent' as const }
  server = await startServer({ config })
  const { datasets } = new LLMEvalClient(server.url)
  for (const slug of ['my-dataset', 'evaluation-set']) {
    await datasets.create({ name: slug, slug, columns: [{ name: 'input' }, { name: 'expected' }] })
    await datasets.addRows(slug, [
      { input: 'one', expected: 'ONE' },
      { input: 'two', expected: 'three' },
    ])
  }
}, 120_000)

afterAll(async () => {
  await server?.close()
  await rm(home, { recursive: true, force: true })
})

/** Runs an example in a Node of its own, which finds the server by its environment. */
async function example(file: string): Promise<string> {
  const settings = { TRACELOOP_BASE_URL: server.url, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' }
  const env = { ...process.env, ...settings }
  const { stdout, stderr } = await run(process.execPath, [join(home, 'seed-002', file)], { cwd: home, env })
  expect(stderr).toBe('')
  return stdout
}

async function storedRun(id: string) {
  const answer = await fetch(`${server.url}/api/v1/runs/${id}`)
  return runShape.parse(await answer.json())
}

describe('the twins of the source document', () => {
  it('Evaluator Integration evaluates a task over a dataset, in a run that everybody can watch', async () => {
    expect(await example('evaluator-integration.ts')).toBe(
      `completed: 2 of 2 items\nAccuracy: 0.5\nWatch it at ${server.url}/runs/my-run-id\n`,
    )
    expect(await storedRun('my-run-id')).toMatchObject({
      status: 'completed',
      total_items: 2,
      completed_items: 2,
      successful_items: 2,
      success_rate: 1,
      metrics: { accuracy: { mean: 0.5, n: 2 }, latency: { n: 2 } },
    })
  })

  it('Evaluator Integration run again does nothing twice', async () => {
    const before = await storedRun('my-run-id')
    expect(await example('evaluator-integration.ts')).toContain('completed: 2 of 2 items')
    expect(await storedRun('my-run-id')).toEqual(before)
  })

  it('Backend Evaluation tells its progress, and names its run by the time', async () => {
    const printed = await example('backend-evaluation.ts')
    expect(printed).toMatch(/^0 done, success rate null\n1 done, success rate 1\n2 done, success rate 1\n/)
    const [, id = ''] = /^(eval-\d{8}-\d{6}): \$0\.0008$/m.exec(printed) ?? []
    expect(await storedRun(id)).toMatchObject({
      status: 'completed',
      cost: 0.0008,
      metrics: { response_time: { n: 2 } },
    })
  })
})
