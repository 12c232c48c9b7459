import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readEvalSet } from '@llm-eval/formats/adk'
import { describe, expect, test } from 'vitest'
import { adkCall, adkText, startAdk } from './adk-agent.ts'
import { call, place, said, startAgent } from './agents.ts'
import type { Config } from '@llm-eval/server'
import { folder, llmEval, serve, sharedServer } from './stage.ts'

const server = sharedServer()

interface Shown {
  thread_id: string
  replay_of: string | null
  state: string
  turns: { user: { text: string } | null; steps: { kind: string; name?: string; result?: object }[] }[]
}
interface Replayed {
  exit_code: number
  replay: string
  scores: Record<string, number | null>
  turns: { tool_trajectory_avg_score: number | null; actual: object | null }[]
  warnings: string[]
}

/** A target as a configuration has it. */
function targetOf(url: string): Config['targets'] {
  const nothing = { token_env: null, token_command: null, api_key_env: null, headers: {}, forward_headers: {} }
  return { trips: { ...nothing, kind: 'adk', url, app_name: 'trips', user_id: 'ada', timeout_seconds: 120 } }
}

interface Turn {
  user: string
  calls?: { name: string; args: object }[]
  answer: string
}

/** Tells a server of a thread: each turn is what the user says, the calls, and the answer. */
async function tell(thread: string, turns: Turn[], url = server.url()) {
  const events = turns.flatMap(({ user, calls = [], answer }, index) => {
    const run = { run_id: `run-${index}`, at: `2025-11-22T16:3${index}:00Z` }
    return [
      { ...run, kind: 'run_start', payload: {} },
      { ...run, kind: 'user_message', payload: { text: user } },
      ...calls.flatMap(({ name, args }, place) => [
        { ...run, kind: 'tool_call', payload: { id: `c-${index}-${place}`, name, args } },
        { ...run, kind: 'tool_result', payload: { id: `c-${index}-${place}`, result: { result: 'ok' } } },
      ]),
      { ...run, kind: 'assistant_message', payload: { text: answer } },
      { ...run, kind: 'run_end', payload: { status: 'finished' } },
    ]
  })
  const response = await fetch(`${url}/api/v1/conversations/${thread}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ events, app_name: 'trips', user_id: 'ada' }),
  })
  expect(response.status).toBe(200)
}

const rome = { user: 'A room in Rome?', calls: [{ name: 'find', args: { city: 'Rome' } }], answer: 'One at the Tiber.' }
const book = { user: 'Book it.', calls: [{ name: 'book', args: {} }], answer: 'It is booked.' }
const env = () => ({ LLM_EVAL_URL: server.url() })
const show = async (thread: string) =>
  JSON.parse((await llmEval(['conversations', 'show', thread, '--json'], { env: env() })).out) as Shown

describe('llm-eval conversations', () => {
  test('lists them, and goes on by cursor', async () => {
    await tell('listed-1', [rome])
    await tell('listed-2', [rome, book])
    const { out, code } = await llmEval(['conversations', 'list', '--user', 'ada'], { env: env() })
    expect(code).toBe(0)
    expect(out).toMatch(/^UPDATED +THREAD +STATE +TURNS +CALLS +TOKENS +APP +TITLE/)
    expect(out).toMatch(/listed-2 +finished +2 +2 +- +trips +A room in Rome\?/)
    const first = await llmEval(['conversations', 'list', '-n', '1', '--json'], { env: env() })
    expect(JSON.parse(first.out)).toMatchObject({ thread_id: 'listed-2', turns: 2 })
    const cursor = /--cursor (\S+)/.exec(first.err)?.[1] ?? ''
    const next = await llmEval(['conversations', 'list', '-n', '1', '--json', '--cursor', cursor], { env: env() })
    expect(JSON.parse(next.out)).toMatchObject({ thread_id: 'listed-1' })
    const none = await llmEval(['conversations', 'list', '--user', 'nobody'], { env: env() })
    expect([none.code, none.out, none.err]).toEqual([0, '', 'No conversation fits.\n'])
  })

  test('shows one with its turns, without letting its text steer the terminal', async () => {
    await tell('shown', [rome, { ...book, answer: 'Done.\u001b[31m' }])
    const { out, code } = await llmEval(['conversations', 'show', 'shown'], { env: env() })
    expect(code).toBe(0)
    expect(out).toContain('1  A room in Rome?')
    expect(out).toContain('find({"city":"Rome"}) → {"result":"ok"}')
    expect(out).toMatch(/Turns +2, 2 calls of tools/)
    expect(out).not.toContain('\u001b')
    const last = await llmEval(['conversations', 'show', 'shown', '--turns', '1'], { env: env() })
    expect(last.err).toContain('The last 1 of 2 turns')
    expect(last.out).not.toContain('1  A room in Rome?')
    const missing = await llmEval(['conversations', 'show', 'nowhere'], { env: env() })
    expect(missing.code).toBe(1)
  })

  test('shows how long one took as unknown where all of it was told at one time', async () => {
    await tell('at-once', [rome])
    const { out } = await llmEval(['conversations', 'show', 'at-once'], { env: env() })
    expect(out).toMatch(/Began +2025-11-22 [\d:]+, -\n/)
    await tell('timed', [rome, book])
    const timed = await llmEval(['conversations', 'show', 'timed'], { env: env() })
    expect(timed.out).toMatch(/Began +2025-11-22 [\d:]+, 1 min 0 s\n/)
  })

  test('exports one as an eval set of ADK, and several as one', async () => {
    await tell('out-1', [rome])
    await tell('out-2', [book])
    const cwd = folder()
    const one = ['conversations', 'export', 'out-1', '-o', 'one.evalset.json']
    expect((await llmEval(one, { cwd, env: env() })).code).toBe(0)
    const again = await llmEval(one, { cwd, env: env() })
    expect([again.code, again.err]).toEqual([2, expect.stringContaining('exists already')])
    const read = readEvalSet(JSON.parse(readFileSync(join(cwd, 'one.evalset.json'), 'utf8')))
    expect(read).toMatchObject({
      form: 'evalset',
      set: { evalCases: [{ conversation: [{ userContent: { parts: [{ text: rome.user }] } }] }] },
    })
    const both = await llmEval(['conversations', 'export', 'out-1', 'out-2', '--name', 'trips'], { env: env() })
    expect(JSON.parse(both.out)).toMatchObject({ eval_set_id: 'trips' })
    expect(readEvalSet(JSON.parse(both.out))).toMatchObject({ set: { evalCases: [{}, {}] } })
    const bare = await llmEval(['conversations', 'export', 'out-1', 'out-2', '-f', 'evalcase'], { env: env() })
    expect(bare.code).toBe(2)
  })

  test('deletes them when that is confirmed', async () => {
    await tell('gone-1', [rome])
    await tell('gone-2', [rome])
    const asked = await llmEval(['conversations', 'delete', 'gone-1'], { env: env(), input: 'n\n' })
    expect(asked.code).not.toBe(0)
    expect((await show('gone-1')).thread_id).toBe('gone-1')
    const { code, out } = await llmEval(['conversations', 'delete', 'gone-1', 'gone-2', '--yes'], { env: env() })
    expect([code, out]).toEqual([0, 'gone-1 is deleted.\ngone-2 is deleted.\n'])
    expect((await llmEval(['conversations', 'show', 'gone-1'], { env: env() })).code).toBe(1)
  })
})

describe('llm-eval replay', () => {
  const good = (text: string) =>
    text === book.user
      ? [...adkCall('book', {}), ...adkText(book.answer)]
      : [...adkCall('find', { city: 'Rome' }), ...adkText(rome.answer)]

  test('says the turns of the user again to an agent of ADK, and records what comes of it', async () => {
    await tell('said', [rome, book])
    const { url, asked } = await startAdk(good)
    const args = ['replay', 'said', '--agent', `adk:${url}/trips`, '--min', 'tool_trajectory_avg_score=1']
    const { code, out, err } = await llmEval(args, { env: env() })
    expect(err).toMatch(/^Recorded replay-/)
    expect(out).toMatch(/all +1 +1 +1\n/)
    expect(out).toContain('PASSED  tool_trajectory_avg_score 1 of 1')
    expect(code).toBe(0)
    expect(asked.map(({ text, user }) => [text, user])).toEqual([
      [rome.user, 'ada'],
      [book.user, 'ada'],
    ])
    const replay = await show(/Recorded (\S+)/.exec(err)?.[1] ?? '')
    expect(replay).toMatchObject({ replay_of: 'said', state: 'finished' })
    expect(replay.turns.map(({ user, steps }) => [user?.text, steps.map(({ kind }) => kind)])).toEqual([
      [rome.user, ['tool', 'text']],
      [book.user, ['tool', 'text']],
    ])
  })

  test('fails by a measure that is not reached, of any agent', async () => {
    await tell('worse', [rome, book])
    const { url } = await startAgent((message) =>
      message === book.user ? [said('No.')] : [call('find', { city: 'Rome' }), said(rome.answer)],
    )
    const args = ['replay', 'worse', '--agent', url, '--json']
    const plain = await llmEval(args, { env: env() })
    expect(plain.code).toBe(0)
    const { turns, scores } = JSON.parse(plain.out) as Replayed
    expect(turns.map((turn) => turn.tool_trajectory_avg_score)).toEqual([1, 0])
    expect(scores).toMatchObject({ tool_trajectory_avg_score: 0.5 })
    const gated = await llmEval([...args, '--min', 'tool_trajectory_avg_score=0.6'], { env: env() })
    expect(gated.code).toBe(1)
    const held = [...args, '--min', 'tool_trajectory_avg_score=0.5', '--min', 'response_match_score=0.1']
    expect((await llmEval(held, { env: env() })).code).toBe(0)
  })

  test('is not green where a turn was not answered, and keeps what came', async () => {
    await tell('broken', [rome, book])
    const { url } = await startAdk((text) => (text === book.user ? [{ error: 'quota exceeded' }] : good(text)))
    const { code, out } = await llmEval(['replay', 'broken', '--agent', `adk:${url}/trips`, '--json'], { env: env() })
    expect(code).toBe(2)
    const { warnings, replay } = JSON.parse(out) as Replayed
    expect(warnings).toEqual([
      'turn 2: agent_error: The agent reported a failure: quota exceeded',
      'turn 2 of the replay is failed',
    ])
    expect((await show(replay)).state).toBe('failed')
  })

  test('records no key that the settings name, though an agent says it back (trap 31)', async () => {
    await tell('secret', [rome])
    const key = 'sk-very-secret-key'
    const { url, asked } = await startAdk(() => [...adkCall('find', { city: key }), ...adkText(`My key is ${key}.`)])
    const cwd = place({
      'llm-eval.agent.yaml': `agent: {url: "adk:${url}/trips", headers: {Authorization: "Bearer {{env.ADK_TOKEN}}"}}\n`,
    })
    const args = ['replay', 'secret', '--agent', `adk:${url}/trips`, '--json']
    const { out } = await llmEval(args, { cwd, env: { ...env(), ADK_TOKEN: key } })
    expect(asked[0]?.authorization).toBe(`Bearer ${key}`)
    const { replay } = JSON.parse(out) as Replayed
    const recorded = await llmEval(['conversations', 'export', replay, '-f', 'jsonl'], { env: env() })
    expect(recorded.out).toContain('My key is •••.')
    expect(out + recorded.out).not.toContain(key)
  })

  test('has a target of the bridge asked by the server, and waits until that is over', {
    timeout: 240_000,
  }, async () => {
    const { url, asked } = await startAdk(good)
    const own = await serve({ targets: targetOf(url) })
    await tell('bridged', [rome, book], own.url)
    const args = [
      'replay',
      'bridged',
      '--target',
      'trips',
      '--min',
      'tool_parameter_match=1',
      '--json',
      '--url',
      own.url,
    ]
    const { code, out, err } = await llmEval(args)
    expect(JSON.parse(out)).toMatchObject({
      scores: { tool_trajectory_avg_score: 1, response_match_score: 1, tool_parameter_match: 1 },
      warnings: [],
    })
    expect([code, err]).toEqual([0, expect.stringMatching(/^Recording replay-/)])
    expect(asked.map(({ text }) => text)).toEqual([rome.user, book.user])
  })

  test('is not green where the agent of a target fails', { timeout: 240_000 }, async () => {
    const { url } = await startAdk((text) => (text === book.user ? [{ error: 'quota exceeded' }] : good(text)))
    const own = await serve({ targets: targetOf(url) })
    await tell('failing', [rome, book], own.url)
    const { code, out } = await llmEval(['replay', 'failing', '--target', 'trips', '--url', own.url])
    expect(code).toBe(2)
    expect(out).toContain('NOT EVALUATED  1 of 2 turns was answered, and can be compared.')
  })

  test('is not green without a recording, an agent, or a measure that is known', async () => {
    await tell('alone', [rome])
    const bad = [
      ['replay', 'nowhere', '--agent', 'http://127.0.0.1:9/'],
      ['replay', 'alone'],
      ['replay', 'alone', '--agent', 'http://127.0.0.1:9/', '--target', 'trips'],
      ['replay', 'alone', '--agent', 'http://127.0.0.1:9/', '--min', 'niceness=1'],
      ['replay', 'alone', '--agent', 'http://127.0.0.1:9/', '--min', 'response_match_score=2'],
      ['replay', 'alone', '--target', 'nobody'],
    ]
    for (const args of bad) expect(await llmEval(args, { env: env() })).toMatchObject({ code: 2 })
  })
})
