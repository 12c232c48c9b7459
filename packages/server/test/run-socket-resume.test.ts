import { limits } from '@llm-eval/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NewRun } from '@llm-eval/store'
import { newItem } from '../../store/src/contract/running.contract.ts'
import { registerRunSockets } from '../src/run-sockets/run-sockets.ts'
import { until } from './faults/audit.ts'
import { allSlices, type Ground, startGround } from './ground.ts'
import { Watcher, WrittenRun } from './run-watcher.ts'

let ground: Ground
let origin: string
beforeAll(async () => {
  ground = await startGround({ slices: [...allSlices, registerRunSockets] })
  origin = await ground.origin()
})
afterAll(() => {
  ground.closing.abort()
  return ground.close()
})

const make = (fields: Partial<NewRun> & { owner?: string | null } = {}) =>
  WrittenRun.make({ store: ground.store, projectId: ground.access.home, at: () => ground.clock.now }, fields)
const watchRun = (id: string, query = '') => new Watcher(`${origin}/ws/runs/${id}/progress${query}`)
const toldBy = (watcher: Watcher) => watcher.lasting.map(({ data, type }) => data.item_index ?? data.type ?? type)

describe('a cursor that cannot be gone on from', () => {
  it('is answered with why, by the address and by a message, and what comes next is told', async () => {
    const run = await make()
    await run.addAll([0, 1])
    const { epoch } = await ground.store.read(ground.access.home, 'head', {})
    const before = ground.clock.now + 1
    // No event goes before those who keep plots and search have read it.
    const trim = () => ground.store.apply(ground.access.home, { kind: 'trimEvents', before })
    await until(trim, ({ firstSeq }) => firstSeq > 2)
    const cursors = [
      [`${epoch}.1`, 'expired'],
      [`${epoch}.999999`, 'ahead'],
      ['elsewhere.1', 'other_epoch'],
    ] as const
    using several = await new Watcher(`${origin}/ws`).opened()
    const alone = cursors.map(([after]) => watchRun(run.id, `?after_seq=${after}`))
    for (const [i, [after, reason]] of cursors.entries()) {
      const from = several.frames.length
      several.say({ type: 'subscribe', run_id: run.id, after_seq: after })
      for (const resync of [await several.frame('resync_required', from), await alone[i]?.frame('resync_required')])
        expect(resync).toMatchObject({ run_id: run.id, seq: expect.any(String), data: { reason } })
      await alone[i]?.frame('progress')
    }
    await run.addAll([2])
    for (const watcher of [several, ...alone]) {
      await watcher.frame('result')
      expect(toldBy(watcher)).toEqual([2])
      watcher.drop()
    }
  })

  it('is none that is too long to be one', async () => {
    using watcher = watchRun('any', `?after_seq=${'x'.repeat(101)}`)
    expect(await watcher.end()).toEqual({ code: 4400, reason: 'invalid_query' })
    using edge = watchRun('any', `?after_seq=${'x'.repeat(100)}`)
    expect(await edge.frame('resync_required')).toMatchObject({ data: { reason: 'other_epoch' } })
  })
})

describe('a run that ends while it is watched', () => {
  it('is told to be cancelled once, from whatever state it was in, and not again when it is over', async () => {
    const states = {
      queued: await make({ owner: null }),
      running: await make(),
      completed: await make(),
      failed: await make(),
      cancelled: await make(),
    }
    await states.completed.end()
    await states.failed.end('failed')
    await states.cancelled.cancel()
    for (const [state, run] of Object.entries(states)) {
      using watcher = watchRun(run.id)
      expect(await watcher.frame('connected')).toMatchObject({ run_status: state })
      await run.cancel()
      // What comes after it shows that nothing else came.
      await run.rename(`${state} before`)
      await watcher.until(() => toldBy(watcher).includes('run_updated'))
      const isLive = state === 'queued' || state === 'running'
      expect(toldBy(watcher)).toEqual([...(isLive ? ['run_cancelled'] : []), 'run_updated'])
      if (isLive) expect(watcher.lasting[0]?.data.run_data).toMatchObject({ status: 'cancelled' })
    }
  })

  it('keeps the items that were finished before it was cancelled, and goes on when it is resumed', async () => {
    const run = await make({ total: 3 })
    using watcher = watchRun(run.id)
    await watcher.frame('connected')
    await run.addAll([0])
    await run.cancel()
    await run.resume()
    await run.addAll([1, 2])
    await run.end()
    await watcher.frame('completed')
    const told = [0, 'run_cancelled', 'run_started', 1, 2, 'run_completed', 'completed']
    expect(toldBy(watcher)).toEqual(told)
    expect(watcher.frames.findLast(({ type }) => type === 'progress')?.data).toMatchObject({ completed_items: 3 })
  })

  it('is told to be abandoned when its worker is silent, and to go on when it is heard of again', async () => {
    const run = await make()
    using watcher = watchRun(run.id)
    const { seq } = await watcher.frame('connected')
    await run.addAll([0])
    await ground.store.apply(ground.access.home, { kind: 'abandonRuns', at: ground.clock.now + 1e9, limit: 1_000 })
    await watcher.until(() => toldBy(watcher).includes('run_abandoned'))
    await run.addAll([1])
    await run.end()
    await watcher.frame('completed')
    expect(toldBy(watcher)).toEqual([0, 'run_abandoned', 'run_started', 1, 'run_completed', 'completed'])
    // Who comes back hears the same of it.
    using again = watchRun(run.id, `?after_seq=${seq}`)
    await again.frame('completed')
    expect(again.lasting).toEqual(watcher.lasting)
  })

  it('is told to be deleted in whatever state it was, to its own socket, to one of several and to that of statuses', async () => {
    const states = { queued: await make({ owner: null }), running: await make(), completed: await make() }
    await states.completed.end()
    // It came after they were made: what it is told has to name them all the same, because others here do.
    using statuses = new Watcher(`${origin}/ws/runs/status`)
    await statuses.frame('initial_stats')
    using several = await new Watcher(`${origin}/ws`).opened()
    for (const run of Object.values(states)) {
      using own = watchRun(run.id)
      await own.frame('connected')
      const from = several.frames.length
      several.say({ type: 'subscribe', run_id: run.id })
      await several.frame('subscribed', from)
      await run.delete()
      expect(await own.end()).toEqual({ code: 4404, reason: 'run_deleted' })
      for (const watcher of [own, several, statuses]) {
        await (watcher === own ? undefined : watcher.until(() => watcher.lasting.at(-1)?.run_id === run.id))
        expect(watcher.lasting.at(-1)).toMatchObject({ data: { type: 'run_deleted', run_id: run.id } })
      }
      several.say({ type: 'subscribe', run_id: run.id })
      expect(await several.frame('refused', from)).toMatchObject({ run_id: run.id, code: 'run_deleted' })
    }
  })
})

describe('a crowd that falls behind', () => {
  it('is told everything in order, each by its own filter, and the same as those who keep up', {
    timeout: 120_000,
  }, async () => {
    const run = await make()
    const filters = [
      undefined,
      { events: ['error', 'completed'] },
      { failed: true },
      { below: { metric: 'exact', value: 0.5 } },
    ]
    const crowd = await Promise.all(
      Array.from({ length: 24 }, async (_, i) => {
        const watcher = await new Watcher(`${origin}/ws`).opened()
        watcher.say({ type: 'subscribe', run_id: run.id, filter: filters[i % filters.length] })
        await watcher.frame('subscribed')
        // Two thirds of each kind do not read for a while.
        if (i % 3 > 0) watcher.socket.pause()
        return watcher
      }),
    )
    const preview = 'x'.repeat(2_000)
    const count = 4_000
    for (let at = 0; at < count; at += 250)
      await run.add(
        ...Array.from({ length: 250 }, (_, i) =>
          newItem(at + i, {
            preview,
            scores: [{ outcome: 'scored', value: (i % 10) / 10, passed: true }, null],
            ...(i % 7 === 0 ? { status: 'failed', error: { code: 'timeout', message: 'late' } } : {}),
          }),
        ),
      )
    await run.end()
    for (const watcher of crowd) watcher.socket.resume()
    const isLast = ({ lasting }: Watcher, i: number) =>
      i % 4 === 1 ? lasting.at(-1)?.type === 'completed' : lasting.some(({ type }) => type === 'completed')
    for (const [i, watcher] of crowd.entries()) await watcher.until(() => isLast(watcher, i))
    for (const [i, watcher] of crowd.entries()) expect(watcher.lasting).toEqual(crowd[i % 4]?.lasting)
    expect(crowd[0]?.lasting).toHaveLength(count + 2)
    expect(crowd[1]?.lasting.filter(({ type }) => type !== 'completed').every(({ type }) => type === 'error')).toBe(
      true,
    )
    expect(crowd[3]?.lasting.filter(({ type }) => type === 'result').length).toBeLessThan(count / 2)
    for (const watcher of crowd) watcher.drop()
  })
})

describe('as many sockets as there may be', () => {
  it('are a thousand of one server, and one more is told to come later', { timeout: 300_000 }, async () => {
    const own = await startGround({ slices: [...allSlices, registerRunSockets] })
    const path = `${await own.origin()}/ws`
    const open: Watcher[] = []
    while (open.length < limits.runSockets) {
      const some = Array.from({ length: 50 }, () => new Watcher(path))
      open.push(...some)
      await Promise.all(some.map((one) => one.frame('connected')))
    }
    using tooMany = new Watcher(path)
    expect(await tooMany.end()).toEqual({ code: 1013, reason: 'too_many_streams' })
    const [first, ...others] = open
    first?.socket.close()
    await first?.end()
    using later = new Watcher(path)
    await later.frame('connected')
    for (const watcher of others) watcher.drop()
    later.drop()
    own.closing.abort()
    await own.close()
  })
})
