import { limits } from '@llm-eval/protocol'
import { describe, expect, test } from 'vitest'
import type { Change } from '../store.ts'
import { completed, evaluate, usage } from './judging.contract.ts'
import { newTraces, now, type Room } from './room.contract.ts'

/** Evaluators of a project's own with their versions, and what was measured of them. */
export function evaluationContract(room: () => Promise<Room>): void {
  const put = (r: Room, fields: Partial<Change<'putEvaluator'>> = {}) => {
    const names = { id: 'e-1', slug: 'mine', name: 'Mine', description: 'Says yes.' }
    return r.apply({
      kind: 'putEvaluator',
      ...names,
      version: 'v1',
      definition: '{"n":1}',
      at: now,
      mode: 'create',
      ...fields,
    })
  }

  describe('evaluators', () => {
    test('an evaluator is found by its slug and by its id, and only in its own project', async () => {
      const [r, other] = [await room(), await room()]
      const stored = { id: 'e-1', slug: 'mine', name: 'Mine', description: 'Says yes.', version: 'v1' }
      const evaluator = { ...stored, definition: '{"n":1}', createdAt: now, updatedAt: now }
      expect(await put(r)).toEqual({ result: 'ok', evaluator })
      for (const key of ['mine', 'e-1']) expect(await r.read('evaluator', { key })).toEqual(evaluator)
      expect(await r.read('evaluators', {})).toEqual([evaluator])
      expect(await other.read('evaluator', { key: 'mine' })).toBeNull()
      expect(await other.read('evaluators', {})).toEqual([])
    })

    test('a slug belongs to one evaluator', async () => {
      const r = await room()
      await put(r)
      expect(await put(r, { id: 'e-2', version: 'v2' })).toEqual({ result: 'slug_taken' })
      expect(await r.read('evaluatorVersions', { slug: 'mine' })).toHaveLength(1)
    })

    test('of many that ask for a slug at the same time, one gets it', async () => {
      const r = await room()
      const asked = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => put(r, { id: `e-${i}` })))
      const made = asked.filter((one) => one.status === 'fulfilled' && one.value.result === 'ok')
      expect(made).toHaveLength(1)
      expect(await r.read('evaluators', {})).toHaveLength(1)
    })

    test('another definition is a new version, and the versions before it stay as they were', async () => {
      const r = await room()
      await put(r)
      const changed = { mode: 'update', version: 'v2', definition: '{"n":2}', at: now + 1_000 } as const
      expect(await put(r, { ...changed, id: 'ignored', name: 'Mine still' })).toMatchObject({
        result: 'ok',
        evaluator: { id: 'e-1', name: 'Mine still', createdAt: now, updatedAt: now + 1_000 },
      })
      expect(await r.read('evaluatorVersions', { slug: 'mine' })).toEqual([
        { version: 'v2', createdAt: now + 1_000, definition: '{"n":2}' },
        { version: 'v1', createdAt: now, definition: '{"n":1}' },
      ])
      expect(await r.read('evaluator', { key: 'mine' })).toMatchObject({ version: 'v2', definition: '{"n":2}' })
      expect(await r.read('evaluator', { key: 'mine', version: 'v1' })).toMatchObject({ definition: '{"n":1}' })
      expect(await r.read('evaluator', { key: 'mine', version: 'v3' })).toBeNull()
    })

    test('the same version again changes its names and what versions do not depend on', async () => {
      const r = await room()
      await put(r)
      await put(r, { mode: 'update', name: 'Ours', definition: '{"n":1,"secret":"new"}', at: now + 1_000 })
      expect(await r.read('evaluator', { key: 'mine' })).toMatchObject({
        name: 'Ours',
        version: 'v1',
        definition: '{"n":1,"secret":"new"}',
      })
      expect(await r.read('evaluatorVersions', { slug: 'mine' })).toMatchObject([{ version: 'v1', createdAt: now }])
    })

    test('what does not exist is neither changed nor deleted', async () => {
      const r = await room()
      expect(await put(r, { mode: 'update' })).toEqual({ result: 'not_found' })
      expect(await r.apply({ kind: 'deleteEvaluator', slug: 'mine', at: now })).toEqual({ found: false })
      expect(await r.read('evaluatorVersions', { slug: 'mine' })).toEqual([])
    })

    test('a deleted one is out of the catalogue, its versions can still be run, and its slug is free', async () => {
      const r = await room()
      await put(r)
      expect(await r.apply({ kind: 'deleteEvaluator', slug: 'mine', at: now })).toEqual({ found: true })
      expect(await r.read('evaluators', {})).toEqual([])
      expect(await r.read('evaluator', { key: 'mine' })).toBeNull()
      expect(await r.read('evaluator', { key: 'mine', version: 'v1' })).toMatchObject({ definition: '{"n":1}' })
      expect(await r.apply({ kind: 'deleteEvaluator', slug: 'mine', at: now })).toEqual({ found: false })
      expect(await put(r, { id: 'e-2', version: 'v2', definition: '{"n":2}' })).toMatchObject({ result: 'ok' })
      expect(await r.read('evaluator', { key: 'mine' })).toMatchObject({ id: 'e-2', version: 'v2' })
      expect(await r.read('evaluator', { key: 'mine', version: 'v1' })).toMatchObject({ id: 'e-2', version: 'v1' })
      // As often as one likes.
      expect(await r.apply({ kind: 'deleteEvaluator', slug: 'mine', at: now })).toEqual({ found: true })
    })

    test(`a project holds ${limits.evaluators} evaluators; one that is deleted makes room`, async () => {
      const r = await room()
      const own = (i: number) => put(r, { id: `e-${i}`, slug: `own-${i}` })
      await Promise.all(Array.from({ length: limits.evaluators }, (_, i) => own(i)))
      expect(await r.read('evaluators', {})).toHaveLength(limits.evaluators)
      expect(await own(limits.evaluators)).toEqual({ result: 'too_many' })
      await r.apply({ kind: 'deleteEvaluator', slug: 'own-7', at: now })
      expect(await own(limits.evaluators)).toMatchObject({ result: 'ok' })
    })

    test(`an evaluator has ${limits.evaluatorVersions} versions; those it has can be changed back to`, async () => {
      const r = await room()
      await put(r)
      const version = (i: number) => put(r, { mode: 'update', version: `v${i}` })
      await Promise.all(Array.from({ length: limits.evaluatorVersions - 1 }, (_, i) => version(i + 2)))
      expect(await r.read('evaluatorVersions', { slug: 'mine' })).toHaveLength(limits.evaluatorVersions)
      expect(await version(limits.evaluatorVersions + 1)).toEqual({ result: 'too_many' })
      expect(await version(3)).toMatchObject({ result: 'ok', evaluator: { version: 'v3' } })
    })
  })

  describe('calibration', () => {
    test('the last measurement of an evaluator is kept', async () => {
      const r = await room()
      expect(await r.read('calibration', { evaluator: 'mine' })).toBeNull()
      const measured = (version: string, data: string) =>
        r.apply({ kind: 'putCalibration', evaluator: 'mine', version, data, at: now })
      await measured('v1', '{"kappa":0.4}')
      await measured('v2', '{"kappa":0.6}')
      expect(await r.read('calibration', { evaluator: 'mine' })).toEqual({
        version: 'v2',
        data: '{"kappa":0.6}',
        at: now,
      })
    })

    test('judged traces are those that a version scored, a person decided, or both, newest first', async () => {
      const r = await room()
      const traces = newTraces(8, (i) => ({ timestamp: now - i * 1_000 }))
      await r.ingest(traces)
      const [both, judge, human, other, newer, unsure, skipped] = traces.map((trace) => trace.traceId)
      const score = (traceId = '', version = 'v1', end = completed({ usage: usage() })) =>
        evaluate(r, { traceId, evaluator: 'mine', version }, end)
      await score(both)
      await score(judge)
      await score(other, 'v0')
      await score(newer, 'v0')
      await score(newer, 'v1', completed({ passed: false, value: 0.2, usage: usage({ model: 'judge-2' }) }))
      await score(unsure)
      await score(skipped, 'v1', completed({ outcome: 'skipped', value: null, passed: null }))
      await r.review(both ?? '', 'rejected')
      await r.review(human ?? '', 'accepted')
      await r.review(other ?? '', 'accepted')
      await r.review(unsure ?? '', 'in_review')
      await evaluate(r, { traceId: traces[7]?.traceId ?? '', evaluator: 'another', version: 'v1' })

      const judged = { outcome: 'scored', passed: true, value: 1, model: 'judge-1', accepted: null }
      const unjudged = { outcome: null, passed: null, value: null, model: null }
      const expected = [
        { traceId: both, ...judged, accepted: false },
        { traceId: judge, ...judged },
        { traceId: human, ...unjudged, accepted: true },
        { traceId: other, ...unjudged, accepted: true },
        { traceId: newer, ...judged, passed: false, value: 0.2, model: 'judge-2' },
        { traceId: unsure, ...judged },
        { traceId: skipped, ...unjudged, outcome: 'skipped', accepted: null },
      ]
      const ask = (limit: number) => r.read('judgedTraces', { evaluator: 'mine', version: 'v1', limit })
      expect(await ask(100)).toEqual(expected)
      expect(await ask(3)).toEqual(expected.slice(0, 3))
    })
  })
}
