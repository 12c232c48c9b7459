import { describe, expect, it } from 'vitest'
import { Experiment, runEvaluator, SSEResultClient } from '../src/experiments/index.ts'
import { LLMEvalClient } from '../src/index.ts'
import { ended, execution, started, withServer } from './execution-scene.ts'
import { stream } from './stream-scene.ts'

const what = { evaluatorSlug: 'e', inputSchemaMapping: { a: 1 } }
const done = stream([ended(1, execution('x1'))])

describe('a time that is none', () => {
  it.each([0, -1, Number.NaN, -Infinity])('(%d) is refused before anything is sent', (time) =>
    withServer(async (server, reach) => {
      const says = /must be a number of (milli)?seconds above 0/
      for (const times of [{ timeoutMs: time }, { timeout: time }]) {
        await expect(runEvaluator({ ...what, ...reach, ...times })).rejects.toThrow(says)
        await expect(runEvaluator({ ...what, ...reach, ...times, waitForResult: true })).rejects.toThrow(says)
        await expect(new Experiment({ evaluators: ['e'], ...reach }).run([{ a: 1 }], times)).rejects.toThrow(says)
        const client = new SSEResultClient(reach)
        await expect(client.waitForResult('x1', '/x1', times)).rejects.toThrow(TypeError)
        expect(() => client.startAsyncStream('x1', '/x1', times)).toThrow(TypeError)
      }
      await expect(runEvaluator({ ...what, ...reach, requestTimeoutMs: time })).rejects.toThrow(says)
      expect(() => new LLMEvalClient(reach.baseUrl, { timeoutMs: time })).toThrow(says)
      expect(server.received).toEqual([])
    }),
  )
})

describe('a time', () => {
  it('without end never ends the wait, and holds no timer', () =>
    withServer(async (server, reach) => {
      server.next(async (response, received) => {
        expect(reach.clock.timers().filter((ms) => ms > 60_000)).toEqual([])
        reach.clock.advance(20_000)
        await done(response, received)
      })
      const result = await new SSEResultClient(reach).waitForResult('x1', '/x1', { timeoutMs: Infinity }).catch(String)
      expect(result).toMatchObject({ status: 'completed' })
    }))

  it('may be given in seconds, as timeout', () =>
    withServer(async (server, reach) => {
      server.next(started('x1'), (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
        reach.clock.advance(1_999)
        reach.clock.advance(1)
      })
      const waiting = runEvaluator({ ...what, ...reach, waitForResult: true, timeout: 2 })
      await expect(waiting).rejects.toMatchObject({ code: 'timeout', message: expect.stringContaining('2000 ms') })
    }))

  it('in milliseconds goes before one in seconds', () =>
    withServer(async (server, reach) => {
      server.next(async (response, received) => {
        reach.clock.advance(1_500)
        await done(response, received)
      })
      const times = { timeout: 1, timeoutMs: 5_000 }
      expect(await new SSEResultClient(reach).waitForResult('x1', '/x1', times)).toMatchObject({ status: 'completed' })
    }))
})

describe('an evaluator without a slug', () => {
  it.each([{}, { evaluatorSlug: '' }, { evaluatorSlug: ' ' }])('(%j) is refused before anything is sent', (options) =>
    withServer(async (server, reach) => {
      const asked = { ...reach, ...options } as { evaluatorSlug: string }
      await expect(runEvaluator(asked)).rejects.toThrow('evaluatorSlug must name an evaluator')
      expect(server.received).toEqual([])
    }),
  )
})
