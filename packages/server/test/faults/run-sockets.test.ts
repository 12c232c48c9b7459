import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Watcher } from '../run-watcher.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'

let data: string
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'llm-eval-run-sockets-'))
})
afterEach(() => rm(data, { recursive: true, force: true }))

async function post(server: ServerProcess, path: string, body: object): Promise<void> {
  const answer = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`)
  await answer.arrayBuffer()
}

function send(server: ServerProcess, indexes: readonly number[]): Promise<void> {
  const events = indexes.map((index) => ({
    event_id: `e${index}`,
    sequence: index,
    type: 'item_finished',
    item_index: index,
    case_id: `case-${index}`,
    status: 'success',
    input: index,
    output: 'yes',
    scores: { mine: { value: 1 } },
  }))
  return post(server, '/api/v1/runs/followed/events', { schema_version: 1, events })
}

describe('watchers of a run whose server is killed', () => {
  it('go on with the next one after what they saw, and get every item once', { timeout: 180_000 }, async () => {
    const first = await startServerProcess({ data })
    await post(first, '/api/v1/runs', { run_id: 'followed', name: 'of a client', metrics_used: ['mine'] })
    const path = '/ws/runs/followed/progress'
    const before = new Watcher(`${first.url}${path}`)
    await before.frame('connected')
    for (let i = 0; i < 20; i++) await send(first, [2 * i, 2 * i + 1])
    // Killed while it tells: what this watcher has seen by then is anybody's guess.
    await before.until(() => before.lasting.length >= 5)
    await first.kill()
    expect((await before.end()).code).toBe(1006)

    const second = await startServerProcess({ data })
    const seen = before.lasting.findLast(({ seq }) => seq !== undefined)
    using after = new Watcher(`${second.url}${path}?after_seq=${seen?.seq}`)
    expect(await after.frame('connected')).toMatchObject({ run_status: 'running' })
    // Sent again, as a client does that does not know what became of it; then the rest.
    await send(second, [38, 39])
    await send(second, [40])
    await post(second, '/api/v1/runs/followed/events', {
      schema_version: 1,
      events: [{ event_id: 'end', sequence: 41, type: 'run_ended' }],
    })
    await after.frame('completed')
    const items = [...before.lasting, ...after.lasting].flatMap(({ data: told }) => told.item_index ?? [])
    expect(items).toEqual(Array.from({ length: 41 }, (_, i) => i))
    expect(after.frames.some(({ type }) => type === 'resync_required')).toBe(false)
    expect(await second.stop()).toBe(0)
    expect((await after.end()).code).toBe(1012)
  })
})
