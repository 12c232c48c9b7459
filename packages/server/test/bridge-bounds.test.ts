import type { Socket } from 'node:net'
import { HttpAgent } from '@ag-ui/client'
import { limits } from '@llm-eval/protocol'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { recorded, startBridge, talk } from './bridge-ground.ts'
import { type Ground, openShelf, type Shelf } from './ground.ts'
import { begin, frame, heard, type ScriptedAdk, say, spoken, startScriptedAdk } from './scripted-adk.ts'

let shelf: Shelf
let adk: ScriptedAdk
let ground: Ground
let thread = ''
let number = 0

beforeAll(async () => {
  shelf = await openShelf()
})
afterAll(() => shelf.close())
beforeEach(async () => {
  thread = `bounds-${++number}`
  adk = await startScriptedAdk()
  ground = await startBridge({ demo: { url: adk.url, app_name: 'demo' } }, { shelf, overSocket: true })
})
afterEach(async () => {
  await ground.close()
  await adk.close()
})

const frontEnd = async (id = thread) => new HttpAgent({ url: `${await ground.origin()}/agui/demo`, threadId: id })

describe('the bridge holds', () => {
  it('a part of 100 MB: it is not read, what came before it is kept', async () => {
    const piece = Buffer.alloc(1024 * 1024, 'A')
    adk.answer(async ({ response }) => {
      begin(response)
      response.write(frame(spoken('Here is a film.')))
      response.write('data: {"author":"root_agent","content":{"parts":[{"inlineData":{"data":"')
      for (let at = 0; at < 100 && !response.destroyed; at++)
        if (!response.write(piece))
          await Promise.race([
            new Promise((more) => response.once('drain', more)),
            new Promise((gone) => response.once('close', gone)),
          ])
      response.end('"}}]}}\n\n')
    })
    const { events } = await talk(await frontEnd(), 'film')
    expect(events.at(-1)).toMatchObject({ type: 'RUN_ERROR', code: 'UPSTREAM_MALFORMED' })
    const kept = await recorded(ground, thread)
    expect(kept.map(({ kind }) => kind)).toEqual(['run_start', 'user_message', 'adk_event', 'run_end'])
  }, 300_000)

  it('very many deltas: they are stored as a few, in memory that does not grow with them', async () => {
    const count = 20_000
    adk.answer(async ({ response }) => {
      begin(response)
      for (let at = 0; at < count; at += 100) {
        const some = Array.from({ length: 100 }, () => frame(spoken('w ', { id: 'a', partial: true })))
        if (!response.write(some.join(''))) await new Promise((more) => response.once('drain', more))
      }
      response.end(frame(spoken('w '.repeat(count), { id: 'a' })))
    })
    const body = { threadId: thread, runId: 'r', messages: [{ id: '1', role: 'user', content: 'hi' }] }
    const answer = await ground.send({ path: '/agui/demo', body })
    expect(answer.text.match(/"TEXT_MESSAGE_CONTENT"/g)).toHaveLength(count)
    expect(answer.text).toContain('"RUN_FINISHED"')
    const pieces = (await recorded(ground, thread)).filter(({ payload }) => payload.partial === true)
    expect(pieces.length).toBeLessThan(count / 20)
    expect(pieces.map(({ payload }) => payload.content.parts[0].text).join('')).toBe('w '.repeat(count))
  })

  it('pieces of different texts apart', async () => {
    const thought = { parts: [{ text: 'Hm.', thought: true }], role: 'model' }
    adk.answer(
      say(
        heard(thought, { id: 'a', partial: true }),
        spoken('One ', { id: 'a', partial: true }),
        spoken('two', { id: 'a', partial: true }),
        spoken('other', { id: 'b', partial: true, author: 'billing' }),
        spoken('One two', { id: 'a' }),
        spoken('other', { id: 'b', author: 'billing' }),
      ),
    )
    await talk(await frontEnd(), 'hi')
    const kept = (await recorded(ground, thread)).filter(({ kind }) => kind === 'adk_event')
    const told: [speaker: string, text: string][] = []
    for (const { payload } of kept) {
      const [{ text, thought }] = payload.content.parts
      const speaker = [payload.author, payload.partial ? 'partial' : 'whole', thought ? 'thought' : 'text'].join(' ')
      const last = told.at(-1)
      // Where a moment lies between two pieces of one text, they are stored one by one.
      if (last?.[0] === speaker) last[1] += text
      else told.push([speaker, text])
    }
    expect(told).toEqual([
      ['root_agent partial thought', 'Hm.'],
      ['root_agent partial text', 'One two'],
      ['billing partial text', 'other'],
      ['root_agent whole text', 'One two'],
      ['billing whole text', 'other'],
    ])
  })

  it('no larger request than it may', async () => {
    const body = (bytes: number) => {
      const [head, tail] = ['{"threadId":"t","runId":"r","messages":[', `],"state":""}`]
      return `${head}${' '.repeat(bytes - head.length - tail.length)}${tail}`
    }
    const most = await ground.send({ path: '/agui/demo', body: body(limits.bridgeRequestBytes) })
    expect(most).toMatchObject({ status: 422 })
    const more = await ground.send({ path: '/agui/demo', body: body(limits.bridgeRequestBytes + 1) })
    expect(more).toMatchObject({ status: 413, json: { code: 'body_too_large' } })
  })

  it('nothing of a request that was refused, on a connection that goes on', async () => {
    const sockets: Socket[] = []
    ground.app.server.on('connection', (socket) => sockets.push(socket))
    const body = { threadId: thread, runId: 'r', messages: [] }
    const refuse = async () => expect(await ground.send({ path: '/agui/demo', body })).toMatchObject({ status: 422 })
    await refuse()
    const before = sockets[0]?.listenerCount('close')
    for (let at = 0; at < 5; at++) await refuse()
    expect(sockets).toHaveLength(1)
    expect(sockets[0]?.listenerCount('close')).toBe(before)
  })

  it('no more requests at once than it may', async () => {
    await ground.close()
    ground = await startBridge({ demo: { url: adk.url, app_name: 'demo' } }, { shelf, overSocket: true, runs: 2 })
    const go = Promise.withResolvers<void>()
    const both = Promise.withResolvers<void>()
    adk.answer(async (run) => {
      if (adk.runs.length === 2) both.resolve()
      await go.promise
      say(spoken('Hello!'))(run)
    })
    const under = [talk(await frontEnd(`${thread}-1`), 'hi'), talk(await frontEnd(`${thread}-2`), 'hi')]
    await both.promise
    expect((await talk(await frontEnd(`${thread}-3`), 'hi')).error).toMatchObject({ status: 503 })
    go.resolve()
    for (const one of under) expect((await one).error).toBeUndefined()
    expect((await talk(await frontEnd(`${thread}-3`), 'hi')).error).toBeUndefined()
  })
})

test('a request that cannot be read is refused with the place of what is wrong in it', async () => {
  const body = { threadId: thread, runId: 'r', messages: [{ role: 'user', content: 'hi' }] }
  const { status, json } = await ground.send({ path: '/agui/demo', body })
  expect([status, json.errors]).toEqual([422, [{ path: 'messages[0].id', message: 'is required' }]])
})
