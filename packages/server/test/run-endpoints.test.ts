import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { run } from '@llm-eval/protocol/run-schemas'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunServer, startRunServer, startTask } from './runs-of-tests.ts'

let runs: RunServer
beforeAll(async () => {
  runs = await startRunServer()
  await runs.dataset('one', [{ id: 'a', input: 'one', answer: 'ONE' }])
})
afterAll(() => runs[Symbol.asyncDispose]())

const make = async (fields: object) => {
  const body = { name: 'r', dataset: 'one', metrics_used: ['char-count'], ...fields }
  return await runs.send('POST', '/api/v1/runs', body)
}
/** The only item of a run, when it is over. */
const itemOf = async (fields: object) => {
  const { run_id: id } = run.parse((await make(fields)).json)
  await runs.until(id)
  return (await runs.items(id))[0]
}

describe('an endpoint', () => {
  it('gets a header of the task in place of the one that is usual, however it is spelled', async () => {
    const came: IncomingHttpHeaders[] = []
    const server = createServer((request, reply) => {
      came.push(request.headers)
      reply.end('{"output":1}')
    })
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const headers = { 'Content-Type': 'application/vnd.api+json', 'User-Agent': 'ours', ACCEPT: 'text/plain' }
    await itemOf({ task: { kind: 'http', url, headers } })
    expect(came[0]).toMatchObject({
      'content-type': 'application/vnd.api+json',
      'user-agent': 'ours',
      accept: 'text/plain',
    })
    await new Promise((resolve) => void server.close(resolve))
  })

  it.each([
    ['of another kind', { tokens: '12', cost: '0.5', trace_id: 7 }],
    ['below 0', { tokens: -1, cost: -0.5, trace_id: '' }],
  ])('that tells nonsense of its usage (%s) has answered nevertheless', async (_what, usage) => {
    await using odd = await startTask(() => ({ output: 'ONE', ...usage }))
    const item = await itemOf({ task: { kind: 'http', url: odd.url } })
    expect(item).toMatchObject({ status: 'success', output: 'ONE', tokens: null, cost: null, trace_id: null })
  })

  it('that leads elsewhere is not followed', async () => {
    await using elsewhere = await startTask(() => ({ output: 'secret' }))
    await using task = await startTask((_asked, reply) => {
      reply.writeHead(307, { location: elsewhere.url }).end()
    })
    const item = await itemOf({ task: { kind: 'http', url: task.url }, settings: { retries: 3 } })
    expect(item).toMatchObject({ status: 'failed', attempts: 1, error: { code: 'execution_failed' } })
    expect(item?.error?.message).toContain('Redirects are not followed')
    expect(elsewhere.came).toEqual([])
  })

  it('that never ends its answer is given up after its time', async () => {
    await using task = await startTask((_asked, reply) => {
      reply.writeHead(200).write('{"output":')
      const drip = setInterval(() => reply.write(' '), 5)
      reply.on('close', () => clearInterval(drip))
    })
    const item = await itemOf({ task: { kind: 'http', url: task.url }, settings: { timeout_ms: 200 } })
    expect(item).toMatchObject({ status: 'failed', error: { code: 'timeout' } })
  })

  it('that answers without end is heard no further than an output may be large', async () => {
    const closed = Promise.withResolvers<void>()
    await using task = await startTask((_asked, reply) => {
      const chunk = Buffer.alloc(64 * 1024, 'x')
      const pour = () => {
        while (!reply.destroyed && reply.write(chunk));
      }
      reply.on('drain', pour).on('close', closed.resolve)
      pour()
    })
    expect(await itemOf({ task: { kind: 'http', url: task.url } })).toMatchObject({ error: { code: 'too_large' } })
    await closed.promise
  })

  it('gets secrets that stand in no answer, frame or line of the log, also when it fails', async () => {
    const lines: string[] = []
    const log = pino({ level: 'trace' }, { write: (line) => void lines.push(line) })
    await using server = await startRunServer({}, { log })
    await using task = await startTask(({ input }, reply) => (input === 1 ? void reply.destroy() : undefined))
    await server.dataset('secrets', [{ input: 1 }, { input: 2 }])
    const headers = { authorization: 'Bearer zitherplum', 'x-key': 'zitherplum' }
    const body = { run_id: 'r', name: 'r', dataset: 'secrets', metrics_used: ['char-count'] }
    const asked = { ...body, task: { kind: 'http', url: task.url, headers }, settings: { timeout_ms: 200 } }
    const seen: unknown[] = [await server.send('POST', '/api/v1/runs', asked)]
    await server.until('r')
    seen.push(await server.send('POST', '/api/v1/runs', asked), await server.send('POST', '/api/v1/runs/r/resume'))
    await server.until('r')
    seen.push(await server.send('PATCH', '/api/v1/runs/r', { name: 'other' }), await server.items('r'))
    for (const path of ['', '/r', '/r/metrics']) seen.push(await server.send('GET', `/api/v1/runs${path}`))
    const socket = new WebSocket(`${server.server.url.replace('http', 'ws')}/ws/runs/r/progress`)
    const frame = Promise.withResolvers<unknown>()
    socket.addEventListener('message', ({ data }) => frame.resolve(data))
    seen.push(await frame.promise)
    socket.close()
    seen.push(await (await fetch(`${server.server.url}/metrics`)).text(), lines)
    expect(lines.length).toBeGreaterThan(0)
    expect(JSON.stringify(seen)).not.toContain('zitherplum')
  })

  it('is not named together with a password, which every item that fails would show', async () => {
    const { status, json } = await make({ task: { kind: 'http', url: 'http://me:secret@127.0.0.1/' } })
    expect({ status, json }).toMatchObject({ status: 422, json: { errors: [{ path: 'task.url' }] } })
    expect(JSON.stringify(json)).not.toContain('secret')
  })
})

describe('answers that stand in the dataset', () => {
  it('took a time that nobody knows', async () => {
    const item = await itemOf({ task: { kind: 'outputs', column: 'answer' }, metrics_used: ['latency'] })
    expect(item).toMatchObject({ output: 'ONE', response_time_ms: null, scores: { latency: { outcome: 'skipped' } } })
  })

  it('are those of the version, whatever columns its draft has by now', async () => {
    await runs.dataset('edited', [{ id: 'a', input: 1, answer: 'ONE' }])
    expect((await runs.send('DELETE', '/api/v1/datasets/edited/columns/answer')).status).toBe(200)
    await runs.send('POST', '/api/v1/datasets/edited/columns', { columns: [{ name: 'later', type: 'string' }] })
    const item = await itemOf({ dataset: 'edited', task: { kind: 'outputs', column: 'answer' } })
    expect(item).toMatchObject({ status: 'success', output: 'ONE' })
    const { status, json } = await make({ dataset: 'edited', task: { kind: 'outputs', column: 'later' } })
    expect({ status, json }).toMatchObject({ status: 422, json: { errors: [{ path: 'task.column' }] } })
  })

  it('are none of a case that has no such column, whatever that is called', async () => {
    await runs.dataset('two', [
      { id: 'a', input: 1, constructor: 'ONE' },
      { id: 'b', input: 2 },
    ])
    const made = await make({ dataset: 'two', task: { kind: 'outputs', column: 'constructor' } })
    const { run_id: id } = run.parse(made.json)
    await runs.until(id)
    expect((await runs.items(id)).map(({ output, error }) => [output, error?.message ?? null])).toEqual([
      ['ONE', null],
      [null, 'The case has no value in the column constructor.'],
    ])
  })
})
