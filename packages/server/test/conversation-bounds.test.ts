import { limits } from '@llm-eval/protocol'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createBridge } from '../src/bridge/create-bridge.ts'
import { configSchema } from '../src/config/config.ts'
import { registerConversations } from '../src/conversations/conversations.ts'
import { Recordings } from '../src/conversations/recordings.ts'
import { runSql } from '../../store/test/sqlite.ts'
import { allSlices, type Ground, openShelf, type Shelf, startGround } from './ground.ts'
import { begin, type ScriptedAdk, startScriptedAdk } from './scripted-adk.ts'

let shelf: Shelf
let ground: Ground
let adk: ScriptedAdk
beforeEach(async () => {
  adk = await startScriptedAdk()
  shelf = await openShelf()
  const { targets } = configSchema.parse({ targets: { demo: { url: adk.url, app_name: 'demo' } } })
  const slices = [...allSlices, registerConversations(createBridge())]
  ground = await startGround({ shelf, slices, config: { targets } })
})
afterEach(async () => {
  ground.closing.abort()
  await ground.close()
  await adk.close()
  await shelf.close()
})

const base = '/api/v1/conversations'
const user = (text: string) => ({ kind: 'user_message', payload: { text } })
const tell = (thread: string, ...events: object[]) =>
  ground.send({ path: `${base}/${thread}/events`, body: { events } })

async function find(threadId: string) {
  const found = await ground.store.read(ground.access.home, 'conversation', { threadId })
  if (found === null || found === 'deleted') throw new Error(`there is no ${threadId}`)
  return found
}

describe('a conversation that is read as a whole', () => {
  it('is read up to so many bytes, and only what is new is read again', async () => {
    await tell('t', user('x'.repeat(1_000)), user('y'.repeat(1_000)))
    const stored = await find('t')
    const { home: project } = ground.access
    const { events } = await ground.store.read(project, 'conversationEvents', {
      ref: stored.ref,
      after: 0,
      limit: 10,
      bytes: 1e6,
    })
    const bytes = events.reduce((sum, { payload }) => sum + payload.length, 0)
    const read = vi.spyOn(ground.store, 'read')
    const parts = { store: ground.store, now: () => ground.clock.now }
    const recordings = new Recordings({ ...parts, mostBytes: bytes })
    const texts = async () =>
      (await recordings.events(project, await find('t'))).map(({ payload }) =>
        'text' in payload ? payload.text : null,
      )
    expect(await texts()).toEqual(['x'.repeat(1_000), 'y'.repeat(1_000)])
    const pages = () => read.mock.calls.filter(([, query]) => query === 'conversationEvents').length
    expect(pages()).toBe(1)
    // Many at once read it once, too.
    await Promise.all([texts(), texts(), recordings.turns(project, stored), recordings.turns(project, stored)])
    expect(pages()).toBe(1)
    await expect(new Recordings({ ...parts, mostBytes: bytes - 1 }).events(project, stored)).rejects.toThrow(
      `more than ${bytes - 1} bytes`,
    )
    await tell('t', user('z'))
    await expect(texts()).rejects.toThrow('more than')
    const wider = new Recordings(parts)
    expect(await wider.events(project, stored)).toHaveLength(2)
    expect(await wider.turns(project, await find('t'))).toMatchObject([{ user: { text: expect.stringMatching(/z$/) } }])
    read.mockRestore()
  })

  it('is shown anew after each change by reading what is new, as long as it may be', async () => {
    const long = Array.from({ length: 400 }, (_, i) => ({ ...user(`Nr. ${i}`), run_id: `r${i}` }))
    await tell('t', ...long)
    const read = vi.spyOn(ground.store, 'read')
    const recordings = new Recordings({ store: ground.store, now: () => ground.clock.now })
    const turns = async () => recordings.turns(ground.access.home, await find('t'))
    expect(await turns()).toHaveLength(400)
    await tell('t', { ...user('Nr. 400'), run_id: 'r400' })
    read.mockClear()
    const shown = await turns()
    expect([shown.length, shown.at(-1)?.index, shown.at(-1)?.user?.text]).toEqual([401, 400, 'Nr. 400'])
    const pages = read.mock.calls.filter(([, query]) => query === 'conversationEvents').map(([, , asked]) => asked)
    expect(pages).toEqual([expect.objectContaining({ after: 400 })])
    read.mockRestore()
  })

  it(`is one of an export of at most ${limits.exportEvents} events in all`, async () => {
    await tell('a', user('one'))
    await tell('b', user('two'))
    const claim = (events: number) =>
      runSql(shelf.directory, "UPDATE conversations SET events = ? WHERE thread_id = 'a'", events)
    const exported = () => ground.send({ path: '/export', body: { thread_ids: ['a', 'b'] } })
    claim(limits.exportEvents)
    const past = await exported()
    expect([past.status, past.json.code]).toEqual([409, 'limit_reached'])
    claim(limits.exportEvents - 1)
    expect((await exported()).json.eval_cases).toHaveLength(2)
  })

  it(`is exported and shown as a whole up to ${limits.conversationReadBytes} bytes, line by line whatever it holds`, async () => {
    await tell('a', user('one'))
    await tell('b', user('two'))
    const { bytes } = await find('b')
    const claim = (size: number) =>
      runSql(shelf.directory, "UPDATE conversations SET bytes = ? WHERE thread_id = 'a'", size)
    const codes = async () => {
      const all = [
        await ground.send({ path: '/export', body: { thread_ids: ['a', 'b'] } }),
        await ground.send({ path: '/export/a' }),
        await ground.send({ path: `${base}/a/turns` }),
        await ground.send({ path: '/export/a?format=jsonl' }),
      ]
      return all.map(({ status }) => status)
    }
    claim(limits.conversationReadBytes - bytes)
    expect(await codes()).toEqual([200, 200, 200, 200])
    claim(limits.conversationReadBytes)
    expect(await codes()).toEqual([413, 200, 200, 200])
    claim(limits.conversationReadBytes + 1)
    expect(await codes()).toEqual([413, 413, 413, 200])
  })
})

describe('replays', () => {
  it(`are at most ${limits.replays} at the same time`, async () => {
    await tell('t', user('Hello?'))
    adk.answer(({ response }) => begin(response))
    const replay = (thread_id: string) => ground.send({ path: `${base}/t/replay`, body: { target: 'demo', thread_id } })
    const asked = Array.from(
      { length: limits.replays + 1 },
      async (_, i) => [`again-${i}`, await replay(`again-${i}`)] as const,
    )
    const answers = await Promise.all(asked)
    const refused = answers.filter(([, { status }]) => status !== 202)
    expect(refused.map(([, { status, json }]) => [status, json.code])).toEqual([[503, 'too_many_streams']])
    expect((await ground.send({ path: `${base}/${refused[0]?.[0]}` })).status).toBe(404)
    await vi.waitFor(() => expect(adk.runs).toHaveLength(limits.replays), { timeout: 60_000 })
    for (const { response } of adk.runs) response.end()
    adk.answer(({ response }) => {
      begin(response)
      response.end()
    })
    await vi.waitFor(async () => expect((await replay('one-more')).status).toBe(202), { timeout: 60_000, interval: 50 })
  })
})
