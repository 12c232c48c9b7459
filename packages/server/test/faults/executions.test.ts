import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Execution } from '@llm-eval/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Provider, says, startProvider } from '../../../engine/test/provider.ts'
import { until } from './audit.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'

let data: string
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'llm-eval-executions-'))
})
afterEach(() => rm(data, { recursive: true, force: true }))

async function post<T>(server: ServerProcess, path: string, body: object): Promise<T> {
  const answer = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`)
  return (await answer.json()) as T
}

async function get<T>(server: ServerProcess, path: string): Promise<T> {
  return (await (await fetch(`${server.url}${path}`)).json()) as T
}

/** For requests that end with their server. */
function gone(error: unknown): undefined {
  if (!(error instanceof TypeError)) throw error
}

function judgedBy(provider: Provider): Record<string, unknown> {
  return { providers: { test: { api: 'openai', base_url: provider.base('openai') } }, default_model: 'test/judge' }
}

describe('executions of a server that is killed', () => {
  it('those in flight complete under the next one, with scores on their traces, and results stay', {
    timeout: 120_000,
  }, async () => {
    let silent = true
    await using provider = await startProvider({
      answer: async () => (silent ? { does: 'nothing' } : says({ helpfulness_score: 1, reason: 'It helps.' })),
    })
    const config = { ...judgedBy(provider), judge_concurrency: 2 }
    const first = await startServerProcess({ data, config })
    const { execution_id: done } = await post<Execution>(first, '/api/v1/evaluators/char-count/execute', {
      input: { text: 'four' },
      wait: 30,
    })
    await post(first, '/webhook/trace', { trace_id: 't', model_name: 'm', user_query: 'q', ai_response: 'a' })
    const { executions } = await post<{ executions: Execution[] }>(first, '/api/v1/traces/t/evaluate', {
      evaluators: [{ slug: 'helpfulness' }, { slug: 'coherence' }, { slug: 'safety' }],
    })
    // Two are being asked about, the third waits for its turn.
    await provider.came(2)
    await first.kill()

    silent = false
    const second = await startServerProcess({ data, config })
    expect((await get<Execution>(second, `/api/v1/executions/${done}`)).score?.value).toBe(4)
    const ended = await Promise.all(
      executions.map(({ execution_id }) => get<Execution>(second, `/api/v1/executions/${execution_id}?wait=60`)),
    )
    for (const one of ended) expect(['completed', 'failed']).toContain(one.status)
    expect(ended[0]).toMatchObject({ status: 'completed', score: { outcome: 'scored', value: 1 } })
    const trace = await get<{ scores: { evaluator: string }[] }>(second, '/api/v1/traces/t')
    expect(trace.scores.map(({ evaluator }) => evaluator)).toContain('helpfulness')
    expect(await second.stop()).toBe(0)
  })

  it('one that ends its process every time is given up as interrupted, and never pending for ever', {
    timeout: 180_000,
  }, async () => {
    const module = join(data, 'deadly.ts')
    await writeFile(module, 'export const deadly = () => process.kill(process.pid, "SIGKILL")\n')
    const config = { evaluators: [module] }
    const first = await startServerProcess({ data, config })
    // The process may be gone before it answers.
    const execute = '/api/v1/evaluators/deadly/execute'
    await post(first, execute, { input: { response: 'a' } }).catch(() => undefined)
    await first.ended
    for (;;) {
      // It may be gone before it listens.
      const next = await startServerProcess({ data, config }).catch(() => undefined)
      if (next === undefined) continue
      const wait = async () => {
        const { items } = await get<{ items: Execution[] }>(next, '/api/v1/executions')
        expect(items).toHaveLength(1)
        return get<Execution>(next, `/api/v1/executions/${items[0]?.execution_id}?wait=60`)
      }
      const ended = await Promise.race([next.ended.then(() => undefined), wait().catch(gone)])
      if (ended === undefined) {
        await next.ended
        continue
      }
      expect(ended).toMatchObject({ status: 'failed', score: null, error: { code: 'interrupted' } })
      await next.kill()
      return
    }
  })

  it('one that is stopped in order lets go of what it holds, so that the next takes it at once', {
    timeout: 120_000,
  }, async () => {
    let silent = true
    await using provider = await startProvider({
      answer: async () => (silent ? { does: 'nothing' } : says({ helpfulness_score: 1, reason: 'It helps.' })),
    })
    const config = judgedBy(provider)
    const first = await startServerProcess({ data, config })
    const { execution_id } = await post<Execution>(first, '/api/v1/evaluators/helpfulness/execute', {
      input: { query: 'q', response: 'a' },
    })
    await provider.came(1)
    expect(await first.stop()).toBe(0)
    silent = false
    const second = await startServerProcess({ data, config })
    const ended = await until(
      () => get<Execution>(second, `/api/v1/executions/${execution_id}`),
      ({ status }) => status !== 'running' && status !== 'queued',
    )
    expect(ended).toMatchObject({ status: 'completed', score: { value: 1 } })
    expect(await second.stop()).toBe(0)
  })
})
