import { HttpAgent } from '@ag-ui/client'
import { type ConversationEventInput, Failure } from '@llm-eval/protocol'
import { openStore, type Store } from '@llm-eval/store'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { Holds, type HoldChange } from '../src/bridge/holds.ts'
import { appendEvents, createRecording } from '../src/recording/append.ts'
import { createDatabase, type TestDatabase } from '../../store/test/postgres.ts'
import { recorded, startBridge, talk } from './bridge-ground.ts'
import { type Ground, noon, type Shelf } from './ground.ts'
import { begin, frame, type ScriptedAdk, say, spoken, startScriptedAdk } from './scripted-adk.ts'

let database: TestDatabase
const clock = { now: noon }
let stores: Store[]
let adk: ScriptedAdk
let one: Ground
let other: Ground
let thread = ''
let number = 0

/** A process of its own, as far as the database knows. */
async function startServer(): Promise<Ground> {
  const store = await openStore({ directory: '', databaseUrl: database.url, now: () => clock.now })
  stores.push(store)
  const shelf: Shelf = { store, directory: '', clock, clear: async () => undefined, close: () => store.close() }
  return startBridge({ demo: { url: adk.url, app_name: 'demo' } }, { shelf, overSocket: true })
}

beforeAll(async () => {
  database = await createDatabase(inject('postgresUrl'))
})
afterAll(() => database[Symbol.asyncDispose]())
beforeEach(async () => {
  clock.now = noon
  thread = `held-${++number}`
  stores = []
  adk = await startScriptedAdk()
  one = await startServer()
  other = await startServer()
})
afterEach(async () => {
  for (const ground of [one, other]) ground.closing.abort()
  await one.close()
  await other.close()
  await adk.close()
  for (const store of stores) await store.close()
})

const frontEnd = async (ground: Ground) =>
  new HttpAgent({ url: `${await ground.origin()}/agui/demo`, threadId: thread })

describe('servers that share a database', () => {
  it('ask the agent of a thread one after the other: the second request is refused while the first is under way', async () => {
    const asked = Promise.withResolvers<() => void>()
    adk.answer(({ response }) => {
      begin(response)
      asked.resolve(() => {
        response.write(frame(spoken('First.')))
        response.end()
      })
    })
    const first = talk(await frontEnd(one), 'one')
    const finish = await asked.promise
    const second = await frontEnd(other)
    expect(String((await talk(second, 'two')).error)).toContain('409')
    expect(adk.runs).toHaveLength(1)
    expect((await recorded(one, thread)).filter(({ kind }) => kind === 'run_start')).toHaveLength(1)
    finish()
    expect((await first).events.at(-1)).toMatchObject({ type: 'RUN_FINISHED' })
    adk.answer(say(spoken('Second.')))
    expect((await talk(second)).events.at(-1)).toMatchObject({ type: 'RUN_FINISHED' })
    expect(adk.runs).toHaveLength(2)
  })

  it('keep threads whose agents are silent for long, and let go of those whose requests broke off', async () => {
    const { store, access } = one
    const renewed: number[] = []
    const apply: Store['apply'] = async (project, change) => {
      const outcome = await store.apply(project, change)
      if ('until' in change && typeof change.until === 'number') renewed.push(change.until)
      return outcome
    }
    const now = () => clock.now
    const mine = new Holds({ store: { apply, driver: 'postgres' }, now, everyMs: 5 })
    const theirs = new Holds({ store, now })
    const place = { projectId: access.home, threadId: thread }
    const recording = createRecording({ store, now, config: one.deps.config })
    const append = (hold: HoldChange, kind: 'run_start' | 'run_end' = 'run_start') => {
      const payload =
        kind === 'run_start' ? { parent_run_id: null, target: null } : { status: 'failed', code: null, message: null }
      const at = new Date(clock.now).toISOString()
      const events = [{ kind, at, run_id: 'r', invocation_id: null, event_id: null, payload } as ConversationEventInput]
      const origin = { ...place, target: 'demo', appName: 'demo', userId: 'user', replayOf: null }
      return appendEvents(recording, { ...origin, hold: hold(events) }, events).then(
        () => 'stored',
        (error: unknown) => (error instanceof Failure ? error.code : error),
      )
    }
    const own = mine.keep(place)
    expect(await append(own.holding)).toBe('stored')
    clock.now += 14_000
    await expect.poll(() => renewed.includes(clock.now + 15_000), { timeout: 30_000 }).toBe(true)
    clock.now += 14_000
    expect(await append(theirs.keep(place).holding)).toBe('conversation_busy')
    own.drop()
    clock.now += 15_000
    const next = theirs.keep(place)
    expect(await append(next.holding)).toBe('stored')
    // The end of a request gives the right back, whatever the time.
    expect(await append(mine.keep(place).holding)).toBe('conversation_busy')
    expect(await append(next.holding, 'run_end')).toBe('stored')
    next.drop()
    const last = mine.keep(place)
    expect(await append(last.holding)).toBe('stored')
    last.drop()
  })

  it('wait for one that was killed no longer than fifteen seconds', async () => {
    const projectId = one.access.home
    const origin = { threadId: thread, target: 'demo', appName: 'demo', userId: 'user', replayOf: null }
    const asked = await talk(await frontEnd(one), 'one').then(() => adk.runs.length)
    // As it stands in the database when the process dies after it has asked its agent.
    const events = [
      {
        at: noon,
        kind: 'run_start' as const,
        runId: 'killed',
        invocationId: null,
        eventId: null,
        payload: '{}',
        adds: {
          turn: null,
          toolCalls: 0,
          tokens: null,
          thinking: null,
          agent: null,
          model: null,
          turning: { kind: 'begins' as const },
          error: null,
          title: null,
        },
      },
    ]
    const hold = { kind: 'take' as const, owner: 'the dead', until: clock.now + 15_000 }
    await one.store.apply(projectId, { kind: 'appendConversation', origin, events, at: clock.now, hold })
    const agent = await frontEnd(other)
    clock.now += 14_999
    expect(String((await talk(agent, 'two')).error)).toContain('409')
    clock.now += 1
    adk.answer(say(spoken('Here.')))
    expect((await talk(agent)).events.at(-1)).toMatchObject({ type: 'RUN_FINISHED' })
    expect(adk.runs).toHaveLength(asked + 1)
  })
})
