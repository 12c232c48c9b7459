import { limits } from '@llm-eval/protocol'
import type { NewRun, NewRunItem } from '@llm-eval/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newItem, scored } from '../../store/src/contract/running.contract.ts'
import { registerRunSockets } from '../src/run-sockets/run-sockets.ts'
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
const watch = (path: string) => new Watcher(`${origin}${path}`)
const watchRun = (id: string, query = '') => watch(`/ws/runs/${id}/progress${query}`)

const failure: Partial<NewRunItem> = {
  status: 'failed',
  error: { code: 'timeout', message: 'too slow' },
  scores: [null, null],
}

describe('the socket of a run', () => {
  it('tells of every item, of the numbers so far, and of the end', async () => {
    const run = await make({ total: 3 })
    using watcher = watchRun(run.id)
    const hello = await watcher.frame('connected')
    expect(hello).toMatchObject({ event_type: 'connected', run_id: run.id, run_status: 'running' })
    expect(hello).toMatchObject({ connection_id: expect.any(String), seq: expect.any(String) })
    await run.addAll([0])
    await run.add(
      newItem(1, failure),
      newItem(2, { scores: [scored(0, false), { outcome: 'skipped', value: null, passed: null }] }),
    )
    await run.end()
    await watcher.frame('completed')
    const [first, second, third, ended, completed] = watcher.lasting
    expect(first).toMatchObject({ event_type: 'result', run_id: run.id, seq: expect.any(String) })
    expect(first?.data).toEqual({
      item_index: 0,
      case_id: 'case-0',
      repetition: 1,
      output: 'Paris',
      scores: { exact: 1, length: 0 },
      execution_time: 0.0125,
      status: 'completed',
    })
    expect(second).toMatchObject({
      type: 'error',
      data: { item_index: 1, error: 'timeout', message: 'too slow', execution_time: 0.0125, status: 'failed' },
    })
    expect(third?.data).toMatchObject({ item_index: 2, scores: { exact: 0, length: null } })
    expect(ended).toMatchObject({ type: 'status_update', data: { type: 'run_completed', run_id: run.id } })
    expect(completed).toMatchObject({ event_type: 'completed', seq: expect.any(String) })
    expect(completed?.data).toMatchObject({
      total_items: 3,
      completed_items: 3,
      successful_items: 2,
      success_rate: 2 / 3,
      average_scores: { exact: 0.5, length: 0 },
      execution_time: expect.any(Number),
      status: 'completed',
      message: 'Evaluation completed',
    })
    const last = watcher.frames.findLast(({ type }) => type === 'progress')
    expect(last?.data).toMatchObject({ completed_items: 3, status: 'processing_complete' })
    expect(last?.data.metrics.exact).toMatchObject({ mean: 0.5, n: 2, ci: [expect.any(Number), expect.any(Number)] })
    expect(last?.data.metrics.length).toMatchObject({ n: 1, ci: null, skipped: 1 })
    // The last numbers come before the end, and none after it.
    expect(watcher.frames.at(-1)?.type).toBe('completed')
  })

  it('tells how things stand ten times a second at most, and of every item', async () => {
    const run = await make()
    const begun = performance.now()
    using watcher = watchRun(run.id)
    await watcher.frame('connected')
    for (let i = 0; i < 300; i++) await run.addAll([i])
    await run.end()
    await watcher.frame('completed')
    const progress = watcher.frames.filter(({ type }) => type === 'progress').map(({ data }) => data.completed_items)
    // One at the beginning, and one with the end.
    expect(progress.length).toBeLessThanOrEqual(2 + (performance.now() - begun) / limits.runProgressMs)
    expect(progress).toEqual(progress.toSorted((a, b) => a - b))
    expect(progress.at(-1)).toBe(300)
    expect(watcher.lasting.filter(({ type }) => type === 'result')).toHaveLength(300)
  })

  it('takes the same run again in place of what it followed, from another place or with a filter', async () => {
    const run = await make()
    using watcher = watchRun(run.id)
    const { seq } = await watcher.frame('connected')
    await run.addAll([0, 1])
    await watcher.until(() => watcher.lasting.length === 2)
    watcher.say({ type: 'subscribe', run_id: run.id, after_seq: seq, filter: { events: ['result', 'completed'] } })
    await watcher.until(() => watcher.lasting.length === 4)
    await run.end()
    await watcher.frame('completed')
    const told = watcher.lasting.map(({ type, data }) => data.item_index ?? type)
    expect(told).toEqual([0, 1, 0, 1, 'completed'])
  })

  it('begins with how things stand', async () => {
    const run = await make({ total: 10 })
    await run.addAll([0, 1, 2])
    using watcher = watchRun(run.id)
    const progress = await watcher.frame('progress')
    expect(progress).toMatchObject({
      run_id: run.id,
      data: { completed_items: 3, total_items: 10, status: 'processing' },
    })
    expect(watcher.frames.map(({ type }) => type)).toEqual(['connected', 'progress'])
  })

  it('of a run that is not there yet is accepted, and follows it from its beginning', async () => {
    const id = 'eval-20250802-123456'
    using watcher = watchRun(id)
    expect(await watcher.frame('connected')).toMatchObject({ run_id: id, run_status: 'unknown' })
    const run = await make({ id, owner: null })
    await run.start()
    await run.addAll([0])
    await run.rename('better')
    await run.end('failed')
    await watcher.until(() => watcher.lasting.length === 5)
    expect(watcher.lasting.map(({ type, data }) => (type === 'status_update' ? data.type : type))).toEqual([
      'run_created',
      'run_started',
      'result',
      'run_updated',
      'run_failed',
    ])
    expect(watcher.lasting.at(-1)?.data).toMatchObject({
      error_data: { code: 'broken' },
      run_data: { status: 'failed' },
    })
  })

  it('tells two watchers the same', async () => {
    const run = await make()
    using one = watchRun(run.id)
    using two = watchRun(run.id)
    await Promise.all([one.frame('connected'), two.frame('connected')])
    await run.addAll([0, 1, 2, 3])
    await run.cancel()
    for (const watcher of [one, two]) await watcher.until(() => watcher.lasting.length === 5)
    expect(two.lasting).toEqual(one.lasting)
    expect(one.lasting.at(-1)?.data.type).toBe('run_cancelled')
  })

  it('of a run that is deleted tells so and closes with 4404, and so does one that comes later', async () => {
    const run = await make()
    using watcher = watchRun(run.id)
    await watcher.frame('connected')
    await run.addAll([0])
    await run.delete()
    expect(await watcher.end()).toEqual({ code: 4404, reason: 'run_deleted' })
    expect(watcher.lasting.at(-1)).toMatchObject({ run_id: run.id, data: { type: 'run_deleted', run_id: run.id } })
    using late = watchRun(run.id)
    expect(await late.end()).toEqual({ code: 4404, reason: 'run_deleted' })
  })
})

describe('a watcher that comes back', () => {
  it('gets what came after any place, once and in order', async () => {
    const run = await make({ owner: null })
    using whole = watchRun(run.id)
    const { seq: begin = '' } = await whole.frame('connected')
    await run.start()
    await run.addAll([0, 1])
    await run.rename('nightly')
    await run.add(newItem(2, failure))
    await run.end()
    await whole.frame('completed')
    const all = whole.lasting
    expect(all.map(({ type }) => type)).toEqual([
      'status_update',
      'result',
      'result',
      'status_update',
      'error',
      'status_update',
      'completed',
    ])
    const places = [begin, ...all.flatMap(({ seq }) => seq ?? [])]
    for (const seq of places) {
      const missing = all.slice(all.findIndex((frame) => frame.seq === seq) + 1)
      using byQuery = watchRun(run.id, `?after_seq=${seq}`)
      using byMessage = await watch('/ws').opened()
      byMessage.say({ type: 'subscribe', run_id: run.id, after_seq: seq })
      expect(await byMessage.frame('subscribed')).toMatchObject({ run_id: run.id, run_status: 'completed', seq })
      for (const watcher of [byQuery, byMessage]) {
        await watcher.until(() => watcher.lasting.length === missing.length)
        await watcher.frame('progress')
        expect(watcher.lasting).toEqual(missing)
      }
    }
  })

  it('misses nothing and gets nothing twice while several writers go on', async () => {
    const run = await make()
    const count = 400
    const writers = [0, 1, 2, 3].map(async (writer) => {
      for (let i = writer; i < count; i += 16) await run.addAll([i, i + 4, i + 8, i + 12].filter((at) => at < count))
    })
    const seen: number[] = []
    let after = ''
    for (let drops = 1; seen.length < count; drops++) {
      using watcher = watchRun(run.id, after === '' ? '?after_seq=' : `?after_seq=${after}`)
      const { seq = '' } = await watcher.frame('connected')
      if (after === '') after = `${seq.split('.')[0]}.0`
      else {
        const stop = Math.min(count - seen.length, 7 * drops)
        await watcher.until(() => watcher.lasting.length >= stop)
        const results = watcher.lasting.filter(({ type }) => type === 'result')
        seen.push(...results.map(({ data }) => data.item_index as number))
        after = watcher.lasting.at(-1)?.seq ?? after
      }
      watcher.drop()
    }
    await Promise.all(writers)
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i))
  })

  it('with a cursor of another journal, or none at all, is told to begin anew and how things stand', async () => {
    const run = await make()
    await run.addAll([0, 1])
    const epoch = (await ground.store.read(ground.access.home, 'head', {})).epoch
    for (const [after, reason] of [
      ['elsewhere.7', 'other_epoch'],
      ['nonsense', 'other_epoch'],
      [`${epoch}.999999`, 'ahead'],
    ] as const) {
      using watcher = watchRun(run.id, `?after_seq=${after}`)
      expect(await watcher.frame('resync_required')).toMatchObject({ data: { reason }, seq: expect.any(String) })
      expect(await watcher.frame('progress')).toMatchObject({ data: { completed_items: 2 } })
      expect(watcher.lasting).toEqual([])
    }
  })
})

describe('one socket for several runs', () => {
  it('tells of those it was asked for, each by its name, until it is asked to stop', async () => {
    const [one, two, three] = await Promise.all([make(), make(), make()])
    using watcher = await watch('/ws').opened()
    expect(await watcher.frame('connected')).toMatchObject({ run_id: null, run_status: null })
    for (const { id } of [one, two]) watcher.say({ type: 'subscribe', run_id: id })
    await watcher.until(() => watcher.frames.filter(({ type }) => type === 'subscribed').length === 2)
    await three.addAll([0])
    await one.addAll([0])
    await two.addAll([0])
    await watcher.until(() => watcher.lasting.length === 2)
    watcher.say({ type: 'unsubscribe', run_id: one.id })
    await watcher.frame('unsubscribed')
    await one.addAll([1])
    await two.addAll([1])
    await watcher.until(() => watcher.lasting.length === 3)
    expect(watcher.lasting.map(({ run_id, data }) => `${run_id} ${data.item_index}`)).toEqual(
      expect.arrayContaining([`${one.id} 0`, `${two.id} 0`, `${two.id} 1`]),
    )
    watcher.say({ type: 'unsubscribe', run_id: one.id })
    expect(await watcher.frame('refused')).toMatchObject({ code: 'not_subscribed', run_id: one.id })
  })

  it('stays open when one of them is deleted', async () => {
    const [one, two] = await Promise.all([make(), make()])
    using watcher = await watch('/ws').opened()
    for (const { id } of [one, two]) watcher.say({ type: 'subscribe', run_id: id })
    await watcher.until(() => watcher.frames.filter(({ type }) => type === 'subscribed').length === 2)
    await one.delete()
    await watcher.until(() => watcher.lasting.length === 1)
    await two.addAll([0])
    await watcher.until(() => watcher.lasting.length === 2)
    expect(watcher.lasting[0]).toMatchObject({ run_id: one.id, data: { type: 'run_deleted' } })
    watcher.say({ type: 'subscribe', run_id: one.id })
    expect(await watcher.frame('refused')).toMatchObject({ code: 'run_deleted', run_id: one.id })
  })

  it('shows of a run what its filter lets through', async () => {
    const run = await make()
    const { seq = '' } = await watchRun(run.id).frame('connected')
    await run.addAll([0, 1, 2, 3])
    await run.add(newItem(4, { scores: [scored(0, false), scored(0.9, null)] }), newItem(5, failure))
    await run.end()
    const filtered = async (filter: object, count: number) => {
      using watcher = await watch('/ws').opened()
      watcher.say({ type: 'subscribe', run_id: run.id, after_seq: seq, filter })
      await watcher.until(() => watcher.frames.some(({ data }) => data?.type === 'run_completed') || count === 0)
      await watcher.until(() => watcher.lasting.length >= count)
      return watcher.lasting.flatMap(({ data }) => data.item_index ?? [])
    }
    const ends = ['status_update', 'completed'] as const
    expect(await filtered({ events: ['error', ...ends] }, 3)).toEqual([5])
    expect(await filtered({ failed: true }, 4)).toEqual([4, 5])
    expect(await filtered({ below: { metric: 'length', value: 0.2 } }, 4)).toEqual([0, 1])
    expect(await filtered({ below: { metric: 'exact', value: 0.5 }, events: ['result', 'status_update'] }, 2)).toEqual([
      4,
    ])
    expect(await filtered({ below: { metric: 'other', value: 2 } }, 2)).toEqual([])
    expect(await filtered({}, 8)).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('follows so many runs, and not one more', async () => {
    using watcher = await watch('/ws').opened()
    for (let i = 0; i < limits.socketRuns; i++) watcher.say({ type: 'subscribe', run_id: `none-${i}` })
    await watcher.until(() => watcher.frames.filter(({ type }) => type === 'subscribed').length === limits.socketRuns)
    watcher.say({ type: 'subscribe', run_id: 'none-0' })
    watcher.say({ type: 'subscribe', run_id: 'one-more' })
    expect(await watcher.frame('refused')).toMatchObject({ code: 'too_many_runs', run_id: 'one-more' })
  })
})

describe('the socket of statuses', () => {
  it('tells what becomes of all runs, and nothing of their items', async () => {
    const before = await make()
    using watcher = watch('/ws/runs/status')
    const hello = await watcher.frame('connected')
    const { data } = await watcher.frame('initial_stats')
    expect(data).toEqual({ total_runs: expect.any(Number), by_status: expect.objectContaining({ abandoned: 0 }) })
    const run = await make({ owner: null })
    await run.start()
    await run.addAll([0, 1])
    await run.rename('better')
    await before.cancel()
    await run.end()
    await watcher.until(() => watcher.lasting.length === 5)
    await run.delete()
    await watcher.until(() => watcher.lasting.length === 6)
    expect(watcher.lasting.map(({ type, run_id: id, data: told }) => [type, id, told.type])).toEqual([
      ['status_update', run.id, 'run_created'],
      ['status_update', run.id, 'run_started'],
      ['status_update', run.id, 'run_updated'],
      ['status_update', before.id, 'run_cancelled'],
      ['status_update', run.id, 'run_completed'],
      ['status_update', run.id, 'run_deleted'],
    ])
    expect(watcher.lasting[2]?.data.run_data).toMatchObject({ status: 'running', completed_items: 2, success_rate: 1 })
    using again = watch(`/ws/runs/status?after_seq=${hello.seq}`)
    await again.until(() => again.lasting.length === 6)
    // Of a run that is gone its number is told, and nothing else of it.
    expect(again.lasting.map(({ data: told }) => told.type)).toEqual(watcher.lasting.map(({ data: told }) => told.type))
    expect(again.lasting[0]).toMatchObject({ run_id: null, data: { run_data: { ref: run.run.ref, name: null } } })
    watcher.say({ type: 'get_run_statistics' })
    expect((await watcher.frame('run_statistics')).data.total_runs).toBe(data.total_runs)
  })

  it('answers how a run stands, and pings', async () => {
    const run = await make({ total: 2 })
    await run.addAll([0])
    using watcher = await watchRun(run.id).opened()
    watcher.say({ type: 'ping' })
    expect(await watcher.frame('pong')).toMatchObject({ event_type: 'pong', timestamp: expect.any(String) })
    watcher.say({ type: 'pong' })
    watcher.say({ type: 'get_current_status' })
    expect((await watcher.frame('current_status')).data).toMatchObject({
      status: 'running',
      progress: { completed_items: 1, total_items: 2, success_rate: 1 },
      updated_at: expect.any(String),
    })
    const from = watcher.frames.length
    watcher.say({ type: 'get_current_status', run_id: 'nobody' })
    expect(await watcher.frame('refused', from)).toMatchObject({ error: 'Run not found', run_id: 'nobody' })
  })
})
