import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import { type Clock, systemClock } from '../src/clock.ts'
import { Evaluator, type EvaluatorOptions, LLMEvalError } from '../src/evaluation/index.ts'
import { type KeptRun, type RunServerScene, startRunServer } from './run-server.ts'

const casesOf = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `c${index}`, input: `${index}` }))

/** Retries come soon, and warnings go nowhere. */
function evaluatorOf(server: Pick<RunServerScene, 'url'>, options: Partial<EvaluatorOptions>): Evaluator {
  const quiet = { random: () => 0.01, onWarning: () => undefined, baseUrl: server.url, runId: 'r' }
  return new Evaluator({ task: (input) => input, dataset: casesOf(30), metrics: ['word-count'], ...quiet, ...options })
}

function keptOf(server: RunServerScene, runId = 'r'): KeptRun {
  const kept = server.runs.get(runId)
  if (!kept) throw new Error(`the server has no run ${runId}`)
  return kept
}

/** Ids of the cases that the server has, in the order of the dataset. */
function idsOf(server: RunServerScene): string[] {
  return [...keptOf(server).items.values()].sort((a, b) => a.item_index - b.item_index).map(({ case_id }) => case_id)
}

const idsUpTo = (count: number) => casesOf(count).map(({ id }) => id)

describe('events of an evaluation', () => {
  it('come in their order, one request at a time, each with a name and a number of its own', async () => {
    await using server = await startRunServer()
    const result = await evaluatorOf(server, { dataset: casesOf(1_000), concurrency: 20 }).run()
    expect(result).toMatchObject({ completedItems: 1_000, delivery: { delivered: 1_001, undelivered: 0, refused: 0 } })
    expect(idsOf(server)).toEqual(idsUpTo(1_000))
    const sequences = [...keptOf(server).events.values()].map(({ sequence }) => sequence)
    expect(sequences).toEqual([...sequences.keys()])
    expect(server.posts.mostAtOnce).toBe(1)
  })

  it('are sent again, as they were, until the server says what became of them', async () => {
    await using server = await startRunServer()
    const trouble = (status: number) => ({ status, body: { title: 'trouble', status } })
    server.instead('events', trouble(500), trouble(503), 'lost', 'reset', trouble(502))
    const result = await evaluatorOf(server, {}).run()
    expect(result).toMatchObject({ status: 'completed', delivery: { delivered: 31, undelivered: 0, refused: 0 } })
    expect(idsOf(server)).toEqual(idsUpTo(30))
    expect([...keptOf(server).events.values()].some(({ times }) => times === 2)).toBe(true)
  })

  it('wait as long as a server asks that has too much to do', async () => {
    await using server = await startRunServer()
    server.instead('events', { status: 429, body: { title: 'wait', status: 429 }, headers: { 'retry-after': '7' } })
    const waits: number[] = []
    const clock: Clock = {
      ...systemClock,
      after(ms, then) {
        const asked = ms >= 7_000 && ms < 8_000
        if (asked) waits.push(ms)
        return systemClock.after(asked ? 0 : ms, then)
      },
    }
    await evaluatorOf(server, { clock }).run()
    expect(waits).toHaveLength(1)
    expect(idsOf(server)).toEqual(idsUpTo(30))
  })

  it('wait in memory and in a file while the server is away, and are delivered when it is back', async () => {
    await using server = await startRunServer()
    let asked = 0
    let hear: (message: string) => void = () => undefined
    const warned = new Promise((resolve) => (hear = resolve))
    const task = async (input: unknown) => {
      asked++
      if (input === '3') await server.until(() => keptOf(server).items.size > 0).then(() => server.goAway())
      // The last of all tasks brings the server back.
      if (input === '299') await warned.then(() => server.comeBack())
      return input
    }
    const options = { task, dataset: casesOf(300), concurrency: 3, bufferBytes: 2_000 }
    const result = await evaluatorOf(server, { ...options, onWarning: hear }).run()
    expect(asked).toBe(300)
    expect(result).toMatchObject({ completedItems: 300, delivery: { delivered: 301, undelivered: 0, refused: 0 } })
    expect(result.warnings).toEqual([expect.stringContaining('Items wait until the server takes them')])
    expect(idsOf(server)).toEqual(idsUpTo(300))
    expect(keptOf(server).run.status).toBe('completed')
  })

  it('wait, and so does the dataset, when the server that has both is away for long', async () => {
    await using server = await startRunServer()
    for (let index = 0; index < 450; index++) server.rows.push({ id: `c${index}`, values: { input: `${index}` } })
    let [missed, isAway] = [0, false]
    // It is back only after more tries than a request has by itself.
    const fetch = async (url: string, init: RequestInit) => {
      try {
        return await globalThis.fetch(url, init)
      } catch (error) {
        if (url.includes('/rows') && ++missed === 10) await server.comeBack()
        throw error
      }
    }
    const task = async (input: unknown) => {
      if (input === '150' && !isAway) {
        isAway = true
        await server.until(() => keptOf(server).items.size > 0)
        await server.goAway()
      }
      return input
    }
    const result = await evaluatorOf(server, { task, dataset: 'questions', concurrency: 1, fetch }).run()
    expect(result).toMatchObject({ status: 'completed', error: null, completedItems: 450 })
    expect(idsOf(server)).toEqual(idsUpTo(450))
    expect(missed).toBeGreaterThanOrEqual(10)
  })

  it('are delivered to a server that was not there at the start', async () => {
    await using server = await startRunServer()
    await server.goAway()
    const task = async (input: unknown) => {
      if (input === '20') await server.comeBack().then(() => server.until(() => server.runs.has('r')))
      return input
    }
    const result = await evaluatorOf(server, { task }).run()
    expect(result).toMatchObject({ runUrl: `${server.url}/runs/r`, delivery: { delivered: 31, undelivered: 0 } })
    expect(idsOf(server)).toEqual(idsUpTo(30))
  })

  it('are no reason to fail where there is no server', async () => {
    const server = await startRunServer()
    await server.goAway()
    const heard: string[] = []
    const result = await evaluatorOf(server, { onWarning: (message) => heard.push(message) }).run()
    expect(result).toMatchObject({
      runUrl: null,
      status: 'completed',
      completedItems: 30,
      metrics: { 'word-count': { n: 30, coverage: 1 } },
      delivery: { delivered: 0, undelivered: 31, refused: 0 },
    })
    expect(result.warnings).toEqual(heard)
    expect(heard.at(-1)).toBe('The server was never there: nobody else has this result.')
  })

  it('that a server leaves lying are told of at the end', async () => {
    await using server = await startRunServer()
    const task = async (input: unknown) => {
      if (input === '9') await server.until(() => keptOf(server).items.size > 0).then(() => server.goAway())
      return input
    }
    const result = await evaluatorOf(server, { task, deliveryMs: 50, concurrency: 1 }).run()
    expect(result).toMatchObject({ status: 'completed', completedItems: 30, runUrl: `${server.url}/runs/r` })
    expect(result.delivery.undelivered).toBeGreaterThan(0)
    expect(result.warnings.at(-1)).toContain('the same runId again does what the server does not have')
  })

  it('are not waited for longer than the end may take, whatever the server asks', async () => {
    await using server = await startRunServer()
    server.instead('events', { status: 503, body: { title: 'wait', status: 503 }, headers: { 'retry-after': '3600' } })
    const result = await evaluatorOf(server, { deliveryMs: 20 }).run()
    expect(result).toMatchObject({ status: 'completed', delivery: { delivered: 0, undelivered: 31 } })
  })

  it('are sent in smaller requests where something on the way takes no large ones', async () => {
    await using server = await startRunServer()
    server.mostBytes = 40_000
    const dataset = casesOf(60).map((one) => ({ ...one, input: one.id.padEnd(one.id === 'c7' ? 50_000 : 2_000) }))
    const result = await evaluatorOf(server, { dataset, concurrency: 60 }).run()
    expect(result).toMatchObject({ status: 'completed', completedItems: 60 })
    // One alone is too large: it is refused, and holds up no other.
    expect(result.delivery).toEqual({ delivered: 60, undelivered: 0, refused: 1 })
    expect(idsOf(server)).toEqual(idsUpTo(60).filter((id) => id !== 'c7'))
    expect(result.warnings).toEqual([expect.stringContaining('too large')])
    expect(keptOf(server).run.status).toBe('completed')
  })

  it('that cannot wait in a file are told of, and the evaluation goes on', async () => {
    await using server = await startRunServer()
    vi.stubEnv('TMPDIR', join(tmpdir(), 'is-not-there'))
    const task = async (input: unknown) => {
      if (input === '9') await server.until(() => keptOf(server).items.size > 0).then(() => server.goAway())
      return input
    }
    const result = await evaluatorOf(server, { task, deliveryMs: 50, bufferBytes: 1, concurrency: 1 }).run()
    vi.unstubAllEnvs()
    expect(result).toMatchObject({ status: 'completed', completedItems: 30 })
    expect(result.delivery.delivered + result.delivery.undelivered).toBe(31)
    expect(result.warnings).toContainEqual(expect.stringContaining('An item cannot wait for the server'))
  })

  it.each([
    ['no JSON', '<html>Please sign in</html>'],
    ['nothing', null],
    ['something else', { results: 'none' }],
  ])('that are answered with %s end the deliveries, and say so', async (_what, body) => {
    await using server = await startRunServer()
    server.instead('events', { status: 200, body })
    const result = await evaluatorOf(server, {}).run()
    expect(result).toMatchObject({ status: 'completed', completedItems: 30, delivery: { delivered: 0 } })
    expect(result.delivery.undelivered).toBe(31)
    expect(result.warnings[0]).toContain('did not say what became of the events')
  })

  it('that are refused for good end the deliveries, not the evaluation', async () => {
    await using server = await startRunServer()
    server.instead('events', { status: 403, body: { title: 'no', status: 403, detail: 'The key may not do this.' } })
    const result = await evaluatorOf(server, {}).run()
    expect(result).toMatchObject({ status: 'completed', completedItems: 30 })
    expect(result.warnings[0]).toBe('The server is not told of more items: The key may not do this.')
  })

  it('tell that the run goes on while a task takes its time', async () => {
    await using server = await startRunServer()
    const heartbeats = () =>
      [...keptOf(server).events.values()].filter(({ happening }) => happening.type === 'heartbeat')
    const task = async (input: unknown) => {
      if (input === '2') await server.until(() => heartbeats().length > 2)
      return input
    }
    const result = await evaluatorOf(server, { task, heartbeatMs: 5 }).run()
    expect(result).toMatchObject({ completedItems: 30, warnings: [] })
  })
})

describe('a run', () => {
  it('that the server refuses is not evaluated', async () => {
    await using server = await startRunServer()
    let asked = 0
    const refused = evaluatorOf(server, { task: () => asked++, name: 'x'.repeat(300) }).run()
    await expect(refused).rejects.toThrow(LLMEvalError)
    await expect(refused).rejects.toMatchObject({ failure: 'invalid_request' })
    expect(asked).toBe(0)
  })

  it('in a metric that nobody knows is not evaluated', async () => {
    await using server = await startRunServer()
    const refused = evaluatorOf(server, { metrics: ['word-count', 'unheard-of'] }).run()
    await expect(refused).rejects.toMatchObject({ code: 'not_found', failure: 'evaluator_not_found' })
    expect(server.runs.size).toBe(0)
  })

  it('that is cancelled on the server ends here too, and is not resumed by what comes late', async () => {
    await using server = await startRunServer()
    const aborted: unknown[] = []
    const task = (input: unknown, { signal }: { signal: AbortSignal }) => {
      if (input !== '5') return input
      return server
        .until(() => keptOf(server).items.size > 0)
        .then(() => server.end('r', 'cancelled'))
        .then(() => once(signal, 'abort'))
        .then(() => aborted.push(signal.reason))
    }
    const result = await evaluatorOf(server, { task, heartbeatMs: 5, concurrency: 6 }).run()
    expect(result).toMatchObject({ status: 'cancelled', stoppedBy: 'cancelled' })
    expect(result.completedItems).toBeLessThan(30)
    expect(keptOf(server).run.status).toBe('cancelled')
    await expect.poll(() => aborted, { timeout: 20_000 }).toHaveLength(1)
  })

  it('that is cancelled here is cancelled on the server, and what is finished stays', async () => {
    await using server = await startRunServer()
    const ending = new AbortController()
    const task = async (input: unknown) => {
      if (input === '7') await server.until(() => keptOf(server).items.size > 0).then(() => ending.abort())
      return input
    }
    const result = await evaluatorOf(server, { task, signal: ending.signal, concurrency: 1 }).run()
    expect(result).toMatchObject({ status: 'cancelled', stoppedBy: 'cancelled', completedItems: 7 })
    expect(keptOf(server).run.status).toBe('cancelled')
    expect(idsOf(server)).toEqual(idsUpTo(7))
  })

  it('of a process that was killed is resumed: only what the server does not have is done', async () => {
    await using server = await startRunServer()
    const program = fileURLToPath(new URL('evaluation-process.ts', import.meta.url))
    const child = spawn(process.execPath, ['--conditions=llm-eval-source', program, server.url], { stdio: 'inherit' })
    await server.until(() => server.runs.has('r') && keptOf(server).items.size === 12)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const asked: unknown[] = []
    const task = (input: unknown) => {
      asked.push(input)
      return input
    }
    const result = await evaluatorOf(server, { task, concurrency: 1 }).run()
    expect(asked).toEqual(
      casesOf(30)
        .map(({ input }) => input)
        .slice(12),
    )
    expect(result).toMatchObject({ status: 'completed', completedItems: 30, successfulItems: 30 })
    expect(result.metrics['word-count']).toMatchObject({ n: 30, coverage: 1 })
    expect(idsOf(server)).toEqual(idsUpTo(30))
    expect(keptOf(server).workers).toHaveLength(1)
  })

  it('that is whole is not done again', async () => {
    await using server = await startRunServer()
    await evaluatorOf(server, {}).run()
    const posts = server.posts.count
    const again = await evaluatorOf(server, {
      task: () => {
        throw new Error('asked')
      },
    }).run()
    expect(again).toMatchObject({ status: 'completed', completedItems: 30, runUrl: `${server.url}/runs/r` })
    expect(server.posts.count).toBe(posts)
  })
})
