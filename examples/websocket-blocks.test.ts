import { execFile } from 'node:child_process'
import { on } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import * as z from 'zod'
import { Evaluator } from '../packages/sdk/src/evaluation/index.ts'
import { type Ground, LiveRun, openGround, openProject, range } from './scene.ts'

const run = promisify(execFile)

let project: Awaited<ReturnType<typeof openProject>>
let ground: Ground

beforeAll(async () => {
  project = await openProject([])
  ground = await openGround()
}, 120_000)
afterAll(async () => {
  await ground?.close()
  await project?.close()
})

/** Runs an example in a Node of its own, which finds the server by its environment. */
async function example(
  file: string,
  { server = ground.url, key = '', args = [] as string[], node = [] as string[] } = {},
) {
  const settings = {
    TRACELOOP_BASE_URL: server,
    TRACELOOP_API_KEY: key,
    NODE_OPTIONS: '--disable-warning=ExperimentalWarning',
  }
  const argv = [...node, join(project.home, 'examples/seed-002', file), ...args]
  const { stdout, stderr } = await run(process.execPath, argv, {
    cwd: project.home,
    env: { ...process.env, ...settings },
  })
  expect(stderr).toBe('')
  return stdout
}

describe('WebSocket Connection Management', () => {
  it('connects, subscribes to a run, is told of it, and leaves', async () => {
    expect(await example('connection-management.ts')).toBe(
      'connected: string\nsubscribed to lifecycle, which is unknown\nlifecycle: item 0\nunsubscribed\n',
    )
  })
})

describe('Progress Update Structure', () => {
  // The fields of the block and nothing else of them: what else a frame says stands beside them.
  const update = z.object({
    run_id: z.literal('eval-20250802-123456'),
    event_type: z.literal('progress'),
    timestamp: z.iso.datetime(),
    data: z.object({
      total_items: z.literal(100),
      completed_items: z.int(),
      successful_items: z.int(),
      success_rate: z.number().min(0).max(1),
      status: z.literal('processing'),
    }),
  })

  it('is that of a real frame: 45 of 100 items of which 43 succeeded are a success rate of 0.956', async () => {
    const live = await LiveRun.begin(ground, 'eval-20250802-123456')
    await live.finish(range(0, 43))
    await live.fail(43, 'broken')
    await live.fail(44, 'broken')
    const socket = new WebSocket(`${ground.url.replace('http', 'ws')}/ws/runs/${live.id}/progress`)
    // Several frames may arrive in one piece of the stream: what waits for one at a time would miss those behind it.
    for await (const [data] of on(socket, 'message') as AsyncIterable<[Buffer]>) {
      const frame: unknown = JSON.parse(data.toString())
      if (!z.looseObject({ type: z.literal('progress') }).safeParse(frame).success) continue
      const { data: told } = update.parse(frame)
      expect(told).toMatchObject({ completed_items: 45, successful_items: 43 })
      expect(told.success_rate).toBe(43 / 45)
      expect(told.success_rate.toFixed(3)).toBe('0.956')
      break
    }
    socket.terminate()
  })
})

describe('several evaluations at the same time', () => {
  const item = z.object({ type: z.literal('result'), run_id: z.string(), data: z.object({ case_id: z.string() }) })

  /** What a watcher of one run is told of its items, until the run is completed. */
  async function watched(runId: string, begin: () => void): Promise<z.infer<typeof item>[]> {
    const socket = new WebSocket(`${ground.url.replace('http', 'ws')}/ws/runs/${runId}/progress`)
    const items: z.infer<typeof item>[] = []
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject)
      socket.on('message', (data: Buffer) => {
        const frame: unknown = JSON.parse(data.toString())
        const parsed = item.safeParse(frame)
        if (parsed.success) items.push(parsed.data)
        const { type } = z.looseObject({ type: z.string() }).parse(frame)
        if (type === 'connected') begin()
        if (type === 'completed') resolve()
      })
    })
    socket.terminate()
    return items
  }

  it('are each watched by several, who are told of their own run, of every item, and of no other run', async () => {
    const ids = ['one', 'two', 'three', 'four'].map((name) => `beside-${name}`)
    const cases = range(0, 50).map((i) => ({ id: `case-${i}`, input: i, expected: String(i) }))
    let following = 0
    const ready = Promise.withResolvers<void>()
    const begin = () => {
      following++
      if (following === 3 * ids.length) ready.resolve()
    }
    const told = Promise.all(ids.flatMap((id) => [0, 1, 2].map(() => watched(id, begin))))
    await ready.promise
    const evaluations = ids.map((runId) =>
      new Evaluator({ task: String, dataset: cases, metrics: ['accuracy'], runId, baseUrl: ground.url }).arun(),
    )
    for (const result of await Promise.all(evaluations)) expect(result.completedItems).toBe(50)
    for (const [at, items] of (await told).entries()) {
      expect(new Set(items.map(({ run_id: id }) => id))).toEqual(new Set([ids[Math.floor(at / 3)]]))
      expect(items.map(({ data }) => data.case_id).toSorted()).toEqual(cases.map(({ id }) => id).toSorted())
    }
  })
})

describe('websocket-demo', () => {
  const id = /^Run (demo-\d+)$/m

  it('evaluates and watches in one terminal: plain lines where nobody looks', async () => {
    const printed = await example('websocket-demo.ts', { args: ['20'] })
    expect(printed.split('\n')).toEqual(
      expect.arrayContaining(['✗ sum-9: no answer to 9 + 9', '✗ sum-19: no answer to 19 + 19']),
    )
    expect(printed).toMatch(/^20 of 20, success rate 90\.0 %$/m)
    // 3, 10 and 17 are wrong: 15 of 18.
    expect(printed).toMatch(/^Completed: 20 items in [\d.]+ s, success rate 0\.900, accuracy 0\.833$/m)
    expect(printed).not.toContain('\u001B')
    const [, runId = ''] = id.exec(printed) ?? []
    expect(await ground.call('GET', `/api/v1/runs/${runId}`)).toMatchObject({
      status: 'completed',
      completed_items: 20,
    })
  })

  it('draws a bar in a terminal', async () => {
    const node = ['--import', 'data:text/javascript,process.stdout.isTTY=true']
    const printed = await example('websocket-demo.ts', { args: ['12'], node })
    expect(printed).toContain('\r\u001B[K██████████████████████████████ 100 %  12 of 12, success rate 91.7 %')
    expect(printed).toContain('\r\u001B[K✗ sum-9: no answer to 9 + 9\n')
  })

  it('says its key in its first message, and what is wrong where there is none', async () => {
    const key = 'an-admin-key-made-elsewhere'
    const locked = await openGround({ admin_key: key })
    expect(await example('websocket-demo.ts', { server: locked.url, key, args: ['2'] })).toContain('Completed: 2 items')
    const failing = example('websocket-demo.ts', { server: 'http://127.0.0.1:1' })
    await expect(failing).rejects.toThrow('is a server running at http://127.0.0.1:1?')
    await locked.close()
  })
})
