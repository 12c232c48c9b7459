import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { chromium as findChromium } from '../scripts/chromium.mjs'
import { chromium } from 'playwright-core'
import { type Ground, openGround, openProject } from './scene.ts'

// Each test starts programs.
vi.setConfig({ testTimeout: 240_000 })

interface Case {
  eval_id: string
  conversation: Turn[]
  session_input: object
  creation_timestamp: number
}
interface Turn {
  invocation_id: string
  user_content: { parts: { text: string }[] }
  final_response?: object
  intermediate_data: { invocation_events: object[] }
  creation_timestamp: number
}

let project: Awaited<ReturnType<typeof openProject>>
let folder: string
let ground: Ground
let reference: Case

beforeAll(async () => {
  project = await openProject([])
  folder = join(project.home, 'examples/seed-003')
  ground = await openGround()
  reference = JSON.parse(await readFile(join(folder, 'eval-reference.json'), 'utf8')) as Case
}, 120_000)
afterAll(async () => {
  await ground?.close()
  await project?.close()
})

interface Ended {
  code: number
  out: string
  err: string
}

/** Runs a program to its end, in the folder of the examples. */
function ended(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd: folder, env: { PATH: process.env['PATH'], HOME: project.home } }
    execFile(process.execPath, args, options, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

/** Runs the command line as people do. */
function llmEval(...args: string[]): Promise<Ended> {
  const main = join(import.meta.dirname, '../packages/cli/src/main.ts')
  return ended('--conditions=llm-eval-source', '--no-warnings', main, ...args)
}

const load = (file: string): Promise<unknown> => import(pathToFileURL(join(folder, file)).href)
const exported = (thread: string) => ground.call('GET', `/export/${thread}?format=evalcase`) as Promise<Case>

describe('eval-reference.json', () => {
  it('comes out again, when what it holds was told as events of ADK', async () => {
    const [turn] = reference.conversation
    const {
      invocation_id,
      user_content,
      final_response,
      intermediate_data,
      creation_timestamp: timestamp,
    } = turn as Turn
    const events = [
      { author: 'user', content: user_content },
      ...intermediate_data.invocation_events,
      { author: 'root_agent', content: final_response },
    ].map((event, index) => ({ kind: 'adk_event', payload: { ...event, id: `${index}`, invocation_id, timestamp } }))
    await ground.call('POST', '/api/v1/conversations/reference/events', { app_name: 'agent1', user_id: 'user', events })
    const { conversation, session_input, eval_id } = await exported('reference')
    expect(conversation).toEqual(reference.conversation)
    expect(session_input).toEqual(reference.session_input)
    expect(eval_id).toMatch(/^case[0-9a-f]{12}$/)
  })
})

describe('option 1, the metadata store', () => {
  it('keeps a conversation by its four methods, and what is exported has the data of the reference', async () => {
    const { MetadataStore } = (await load('metadata-store.mjs')) as {
      MetadataStore: new (url: string, about: object) => Record<string, (...given: unknown[]) => Promise<void>>
    }
    const store = new MetadataStore(ground.url, { app_name: 'agent1', user_id: 'user' })
    const at = 1_763_829_465.399
    const invocation = 'e-92057f23-6f53-407c-b067-b3251d1f776a'
    await store['add_user_message']?.('store', invocation, 'hi', at)
    await store['add_tool_call']?.('store', 'adk-1', 'find_nth_prime', { n: 10 }, at + 1)
    await store['add_tool_result']?.('store', 'adk-1', 'find_nth_prime', { result: 29 }, at + 2)
    await store['add_assistant_message']?.('store', 'It is 29.', at + 3)
    expect(await exported('store')).toEqual({
      eval_id: expect.stringMatching(/^case[0-9a-f]{12}$/),
      conversation: [
        {
          invocation_id: invocation,
          user_content: { parts: [{ text: 'hi' }], role: 'user' },
          final_response: { parts: [{ text: 'It is 29.' }], role: 'model' },
          intermediate_data: {
            invocation_events: [
              {
                author: 'root_agent',
                content: {
                  parts: [{ function_call: { id: 'adk-1', args: { n: 10 }, name: 'find_nth_prime' } }],
                  role: 'model',
                },
              },
              {
                author: 'root_agent',
                content: {
                  parts: [{ function_response: { id: 'adk-1', name: 'find_nth_prime', response: { result: 29 } } }],
                  role: 'user',
                },
              },
            ],
          },
          creation_timestamp: at,
        },
      ],
      session_input: { app_name: 'agent1', user_id: 'user' },
      creation_timestamp: at,
    })
  })
})

const logs = ['logs/events_20261121.log', 'logs/agent_engine_raw_20261121.log'] as const

describe('option 2, the parser of logs', () => {
  it('combines both logs to the format of the reference, with signatures and authors', async () => {
    const { code, err, out } = await ended('eval-generator.mjs', 'my-thread', ...logs)
    expect([code, err]).toEqual([0, ''])
    const { eval_cases } = JSON.parse(out) as { eval_cases: Case[] }
    const [, turn] = eval_cases[0]?.conversation ?? []
    expect(turn).toMatchObject({
      user_content: { parts: [{ text: 'What is the 10th prime number?' }], role: 'user' },
      final_response: { parts: [{ text: 'Prime number 10 is 29.' }], role: 'model' },
      intermediate_data: {
        invocation_events: [
          {
            author: 'root_agent',
            content: {
              parts: [
                {
                  function_call: { name: 'find_nth_prime', args: { n: 10 } },
                  thought_signature: expect.stringMatching(/^[\w-]+=*$/),
                },
              ],
            },
          },
          { author: 'root_agent', content: { role: 'user' } },
        ],
      },
    })
  })

  it('makes the same file as `llm-eval import-logs`', async () => {
    const made = await ended('eval-generator.mjs', 'my-thread', ...logs)
    const files = '--bridge logs/events_*.log --engine logs/agent_engine_raw_*.log'
    const command = await llmEval(...`import-logs ${files} --thread my-thread --app agent1 --out -`.split(' '))
    expect([command.code, command.err]).toEqual([0, ''])
    expect(JSON.parse(made.out)).toEqual(JSON.parse(command.out))
  })

  it('has nothing of a thread that is in no log, and says so', async () => {
    const { code, err } = await ended('eval-generator.mjs', 'another', ...logs)
    expect([code, err]).toEqual([1, expect.stringContaining('the logs hold nothing of another')])
  })

  it('goes on after a line that is broken, and says which', async () => {
    const broken = 'logs/broken.log'
    const lines = (await readFile(join(folder, logs[1]), 'utf8')).split('\n')
    await writeFile(join(folder, broken), [`{"raw": {"author": `, ...lines].join('\n'))
    const { code, err, out } = await ended('eval-generator.mjs', 'my-thread', logs[0], broken)
    expect([code, err]).toEqual([0, expect.stringContaining('line: 1')])
    expect(JSON.parse(out)).toMatchObject({ eval_cases: [{ conversation: [{}, {}] }] })
  })
})

describe('option 3, the recorder', () => {
  it('has the methods of the source document, and exports the format of the reference', async () => {
    const { code, err, out } = await ended('conversation-recorder.mjs')
    expect([code, err]).toEqual([0, ''])
    const { conversation, session_input } = JSON.parse(out) as Case
    expect(session_input).toEqual({ app_name: 'agent1', user_id: 'user' })
    expect(conversation).toMatchObject([
      {
        invocation_id: expect.stringMatching(/^e-[0-9a-f-]{36}$/),
        user_content: { parts: [{ text: 'What is the 10th prime number?' }], role: 'user' },
        final_response: { parts: [{ text: 'Prime number 10 is 29.' }], role: 'model' },
        intermediate_data: {
          invocation_events: [
            { author: 'root_agent', content: { parts: [{ function_call: { id: 'adk-1', args: { n: 10 } } }] } },
            { content: { parts: [{ function_response: { name: 'find_nth_prime', response: { result: 29 } } }] } },
          ],
        },
      },
    ])
  })

  it('makes one invocation of each turn of the user, and not of each message, in a page that has messages alone', async () => {
    const bundler = await rolldown({ input: join(folder, 'download-button.js'), platform: 'browser' })
    const { output } = await bundler.generate({ format: 'iife', name: 'button' })
    const browser = await chromium.launch({
      executablePath: await findChromium(),
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run'],
    })
    try {
      const page = await browser.newPage()
      await page.setContent('<!doctype html><title>Page</title>')
      await page.addScriptTag({ content: output[0].code })
      const arrives = page.waitForEvent('download', { timeout: 60_000 })
      await page.evaluate(`button.exportConversationToEval([
        { id: 'u1', role: 'user', content: 'What is the 10th prime?' },
        { id: 'a1', role: 'assistant', toolCalls: [{ id: 'c1', type: 'function', function: { name: 'find_nth_prime', arguments: '{"n":10}' } }] },
        { id: 't1', role: 'tool', toolCallId: 'c1', content: '29' },
        { id: 'a2', role: 'assistant', content: 'It is 29.' },
        { id: 'u2', role: 'user', content: 'Thank you.' },
        { id: 'a3', role: 'assistant', content: 'You are welcome.' },
      ])`)
      const download = await arrives
      expect(download.suggestedFilename()).toMatch(/^case[0-9a-f]{12}\.evalcase\.json$/)
      const made = JSON.parse(await readFile(await download.path(), 'utf8')) as Case
      expect(made.conversation.map(({ user_content: { parts } }) => parts[0]?.text)).toEqual([
        'What is the 10th prime?',
        'Thank you.',
      ])
      expect(made.conversation[0]?.intermediate_data.invocation_events).toMatchObject([
        { content: { parts: [{ function_call: { id: 'c1', name: 'find_nth_prime', args: { n: 10 } } }] } },
        { content: { parts: [{ function_response: { id: 'c1', response: { result: 29 } } }] } },
      ])
      expect(made).toMatchObject({ session_input: { app_name: 'agent_ui', user_id: 'user' } })
    } finally {
      await browser.close()
    }
  })
})
