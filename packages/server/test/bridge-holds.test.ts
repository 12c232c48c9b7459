import { HttpAgent } from '@ag-ui/client'
import { type ConversationEventInput, Failure } from '@llm-eval/protocol'
import { type Change, type ConversationHold, type NewConversationEvent, openStore, type Store } from '@llm-eval/store'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { type Hold, Holds } from '../src/bridge/holds.ts'
import { appendEvents, createRecording } from '../src/recording/append.ts'
import { createDatabase, type TestDatabase } from '../../store/test/postgres.ts'
import { recorded, startBridge, talk } from './bridge-ground.ts'
import { type Ground, type GroundOptions, noon, type Shelf } from './ground.ts'
import { begin, frame, type ScriptedAdk, say, spoken, startScriptedAdk } from './scripted-adk.ts'
import { watched } from './watched-store.ts'

let database: TestDatabase
const clock = { now: noon }
let stores: Store[]
let grounds: Ground[]
let adk: ScriptedAdk
let one: Ground
let other: Ground
let thread = ''
let number = 0

/** A process of its own, as far as the database knows. */
async function startServer(options: Pick<GroundOptions, 'wrap'> & { renewMs?: number } = {}): Promise<Ground> {
  const store = await openStore({ directory: '', databaseUrl: database.url, now: () => clock.now })
  stores.push(store)
  const shelf: Shelf = { store, directory: '', clock, clear: async () => undefined, close: () => store.close() }
  const engine = `${adk.url}/v1/projects/p/locations/l/reasoningEngines/1`
  const targets = { demo: { url: adk.url, app_name: 'demo' }, engine: { kind: 'agent_engine', url: engine } }
  const ground = await startBridge(targets, { shelf, overSocket: true, ...options })
  grounds.push(ground)
  return ground
}

beforeAll(async () => {
  database = await createDatabase(inject('postgresUrl'))
})
afterAll(() => database[Symbol.asyncDispose]())
beforeEach(async () => {
  clock.now = noon
  thread = `held-${++number}`
  stores = []
  grounds = []
  adk = await startScriptedAdk()
  one = await startServer()
  other = await startServer()
})
afterEach(async () => {
  for (const ground of grounds) ground.closing.abort()
  for (const ground of grounds) await ground.close()
  await adk.close()
  for (const store of stores) await store.close()
})

const frontEnd = async (ground: Ground, target = 'demo') =>
  new HttpAgent({ url: `${await ground.origin()}/agui/${target}`, threadId: thread })

/** A store that is asked before each change of a kind, which waits for that. */
const before =
  (kind: Change['kind'], ask: (change: object) => Promise<void>) =>
  (store: Store): Store => ({
    ...watched(store, []),
    apply: async (projectId, change) => {
      if (change.kind === kind) await ask(change)
      return store.apply(projectId, change)
    },
  })

function isTake(change: object): boolean {
  const hold = 'hold' in change ? change.hold : undefined
  return typeof hold === 'object' && hold !== null && 'kind' in hold && hold.kind === 'take'
}

const patience = { timeout: 30_000 }
const now = () => clock.now
const place = () => ({ projectId: one.access.home, threadId: thread })
const origin = { target: 'demo', appName: 'demo', userId: 'user', replayOf: null }

/** Stores that a request begins or ends, with the right of its server. */
async function append(right: Hold, kind: 'run_start' | 'run_end' = 'run_start'): Promise<unknown> {
  const recording = createRecording({ store: one.store, now, config: one.deps.config })
  const payload =
    kind === 'run_start' ? { parent_run_id: null, target: null } : { status: 'failed', code: null, message: null }
  const at = new Date(clock.now).toISOString()
  const events = [{ kind, at, run_id: 'r', invocation_id: null, event_id: null, payload } as ConversationEventInput]
  const last = (await recorded(one, thread)).length
  return right
    .store({ events, last }, (hold) => appendEvents(recording, { ...place(), ...origin, hold }, events))
    .then(
      () => 'stored',
      (error: unknown) => (error instanceof Failure ? error.code : error),
    )
}

type Told = Pick<NewConversationEvent, 'kind' | 'payload'> & {
  runId?: string
  turning?: NewConversationEvent['adds']['turning']
}

/** Stores an event of the thread without a server. */
async function tell({ turning = null, runId = 'r', ...told }: Told, hold?: ConversationHold): Promise<void> {
  const nothing = { turn: null, toolCalls: 0, tokens: null, thinking: null, agent: null, model: null }
  const adds = { ...nothing, turning, error: null, title: null }
  const events = [{ at: clock.now, runId, invocationId: null, eventId: null, ...told, adds }]
  const whole = { threadId: thread, ...origin }
  const change = { kind: 'appendConversation', origin: whole, events, at: clock.now, hold } as const
  expect(await one.store.apply(one.access.home, change)).toMatchObject({ result: 'ok' })
}

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

  it('ask with what the other one has told until the thread is theirs: no message goes to the agent twice, nor to a second session', async () => {
    const user = (id: string, content: string) => ({ id, role: 'user' as const, content })
    const first = await frontEnd(one, 'engine')
    first.addMessage(user('m-1', 'one'))
    let takes = 0
    const late = await startServer({
      // What it has read of the thread is old by then: a request went over the other server meanwhile.
      wrap: before('appendConversation', async (change) => {
        if (isTake(change) && ++takes === 1) await talk(first)
      }),
    })
    const second = await frontEnd(late, 'engine')
    second.setMessages([user('m-1', 'one'), user('m-2', 'two')])
    expect((await talk(second)).events.at(-1)).toMatchObject({ type: 'RUN_FINISHED' })
    expect(takes).toBe(2)
    expect(adk.runs.map(({ body }) => body.input.message.parts)).toEqual([[{ text: 'one' }], [{ text: 'two' }]])
    expect(adk.created).toHaveLength(1)
    expect(adk.runs[1]?.body.input.session_id).toBe(adk.runs[0]?.body.input.session_id)
    const kept = await recorded(one, thread)
    expect(kept.flatMap(({ kind, payload }) => (kind === 'user_message' ? [payload.id] : []))).toEqual(['m-1', 'm-2'])
  })

  it('refuse a request where others tell more of the thread each time that it is read', async () => {
    let takes = 0
    const late = await startServer({
      wrap: before('appendConversation', async (change) => {
        if (!isTake(change)) return
        takes++
        await tell({ kind: 'thinking', payload: '{}' })
      }),
    })
    expect(String((await talk(await frontEnd(late), 'one')).error)).toContain('409')
    expect(takes).toBe(3)
    expect(adk.runs).toHaveLength(0)
    expect((await recorded(one, thread)).map(({ kind }) => kind)).toEqual(['thinking', 'thinking', 'thinking'])
  })

  it('store nothing more of a request whose thread another one took over, and say so', async () => {
    let isAway = false
    const lame = await startServer({
      wrap: before('holdConversations', async () => {
        if (isAway) throw new Error('the database is away')
      }),
    })
    const asked = Promise.withResolvers<() => void>()
    adk.answer(({ response }) => {
      begin(response)
      asked.resolve(() => response.end(frame(spoken('Late.'))))
    })
    isAway = true
    const first = talk(await frontEnd(lame), 'one', 'm-1')
    const finish = await asked.promise
    clock.now += 15_000
    adk.answer(say(spoken('Soon.')))
    expect((await talk(await frontEnd(other), 'two', 'm-2')).events.at(-1)).toMatchObject({ type: 'RUN_FINISHED' })
    const kept = await recorded(one, thread)
    finish()
    expect((await first).events.at(-1)).toMatchObject({
      type: 'RUN_ERROR',
      code: 'RECORDING_FAILED',
      message: expect.stringContaining('Another server'),
    })
    expect(await recorded(one, thread)).toEqual(kept)
  })

  it('leave an agent that says nothing, once another one took its thread over', async () => {
    let isAway = true
    const lame = await startServer({
      renewMs: 5,
      wrap: before('holdConversations', async () => {
        if (isAway) throw new Error('the database is away')
      }),
    })
    const asked = Promise.withResolvers<() => Promise<unknown>>()
    adk.answer(({ gone, response }) => {
      begin(response)
      asked.resolve(() => gone)
    })
    const first = talk(await frontEnd(lame), 'one', 'm-1')
    const gone = await asked.promise
    clock.now += 15_000
    adk.answer(say(spoken('Soon.')))
    await talk(await frontEnd(other), 'two', 'm-2')
    isAway = false
    expect((await first).events.at(-1)).toMatchObject({ type: 'RUN_ERROR', code: 'RECORDING_FAILED' })
    await gone()
  })

  it('keep threads whose agents are silent for long, and let go of those whose requests broke off', async () => {
    const { store } = one
    const renewed: number[] = []
    const noting = before('holdConversations', async (change) => {
      if ('until' in change && typeof change.until === 'number') renewed.push(change.until)
    })
    const mine = new Holds({ store: noting(store), now, everyMs: 5 })
    const theirs = new Holds({ store, now })
    const own = mine.keep(place())
    expect(await append(own)).toBe('stored')
    clock.now += 14_000
    await expect.poll(() => renewed.filter((until) => until === clock.now + 15_000).length, patience).toBeGreaterThan(1)
    clock.now += 14_000
    expect(await append(theirs.keep(place()))).toBe('conversation_busy')
    expect(own.lost.aborted).toBe(false)
    own.drop()
    clock.now += 15_000
    const next = theirs.keep(place())
    expect(await append(next)).toBe('stored')
    // The end of a request gives the right back, whatever the time.
    expect(await append(mine.keep(place()))).toBe('conversation_busy')
    expect(await append(next, 'run_end')).toBe('stored')
    next.drop()
    const last = mine.keep(place())
    expect(await append(last)).toBe('stored')
    last.drop()
  })

  it('keep threads of one project while those of another one cannot be kept, and try no project twice at once', async () => {
    const stuck = Promise.withResolvers<void>()
    const tries: number[] = []
    const home = one.access.home
    const apply: Store['apply'] = async (projectId, change) => {
      if (change.kind !== 'holdConversations') return one.store.apply(home, change)
      tries.push(projectId)
      if (projectId !== home) await stuck.promise
      return one.store.apply(home, change)
    }
    const holds = new Holds({ store: { apply, driver: 'postgres' }, now, everyMs: 5 })
    // That it is tried first must not matter.
    const [elsewhere, own] = [holds.keep({ projectId: home + 1, threadId: 'elsewhere' }), holds.keep(place())]
    await elsewhere.store({ events: [], last: 0 }, () => Promise.resolve())
    expect(await append(own)).toBe('stored')
    await expect.poll(() => tries.filter((id) => id === home).length, patience).toBeGreaterThan(2)
    expect(tries.filter((id) => id !== home)).toHaveLength(1)
    expect([own.lost.aborted, elsewhere.lost.aborted]).toEqual([false, false])
    stuck.resolve()
    // Nobody has that one.
    await expect.poll(() => elsewhere.lost.aborted, patience).toBe(true)
    for (const hold of [elsewhere, own]) hold.drop()
  })

  it('wait for one that was killed no longer than fifteen seconds', async () => {
    const asked = await talk(await frontEnd(one), 'one').then(() => adk.runs.length)
    // As it stands in the database when the process dies after it has asked its agent.
    const last = (await recorded(one, thread)).length
    const hold = { kind: 'take' as const, owner: 'the dead', until: clock.now + 15_000, last }
    await tell({ kind: 'run_start', runId: 'killed', payload: '{}', turning: { kind: 'begins' } }, hold)
    const agent = await frontEnd(other)
    clock.now += 14_999
    expect(String((await talk(agent, 'two')).error)).toContain('409')
    clock.now += 1
    adk.answer(say(spoken('Here.')))
    expect((await talk(agent)).events.at(-1)).toMatchObject({ type: 'RUN_FINISHED' })
    expect(adk.runs).toHaveLength(asked + 1)
  })
})
