// Whether the real `adk eval` runs what is exported here: an agent on the real ADK is talked to through the bridge, the
// conversation is exported, by the server and by the recorder, and evaluated by ADK. No part of `npm test`: it needs Python.
//   python3 -m venv venv && venv/bin/pip install 'google-adk[eval]'
//   node --conditions=llm-eval-source conformance/adk/check.ts venv/bin/adk
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { HttpAgent } from '@ag-ui/client'
import { defaultConfig, startServer } from '@llm-eval/server'
import { ConversationRecorder } from 'llm-eval-sdk/recorder'

const adk = resolve(process.argv[2] ?? 'adk')
const agents = join(import.meta.dirname, 'agents')

/** What people say, a thread each; `adk eval` runs each as a case. */
const conversations: Record<string, string[]> = {
  'a greeting': ['hi'],
  'the thread of seed 003': ['hi', 'What is the 10th prime number?'],
  'two calls at once': ['What are the primes 5 and 6?', 'And number 100?'],
  'another agent': ['I have a question about my bill.'],
  // ADK takes thoughts of a final response for words of it, on both sides.
  'an agent that shows its thoughts': ['How do you think about it?'],
}
interface Ended {
  code: number
  text: string
}

function ended(file: string, args: string[], cwd: string): Promise<Ended> {
  return new Promise((settle) => {
    execFile(file, args, { cwd, maxBuffer: 64 * 1024 * 1024 }, (error, out, err) => {
      settle({ code: error === null ? 0 : Number(error.code ?? 1), text: `${out}\n${err}` })
    })
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await new Promise((settle) => void server.close(settle))
  return typeof address === 'object' && address ? address.port : 0
}

/** Starts `adk api_server` and waits until it answers. */
async function startAdk(): Promise<{ url: string; close: () => Promise<void> }> {
  const url = `http://127.0.0.1:${await freePort()}`
  const args = ['api_server', '--host', '127.0.0.1', '--port', new URL(url).port]
  const child = spawn(adk, [...args, '--session_service_uri', 'memory://', agents], { stdio: 'ignore' })
  const gone = once(child, 'exit')
  const answers = () =>
    fetch(`${url}/list-apps`).then(
      ({ ok }) => ok,
      () => false,
    )
  while (child.exitCode === null && !(await answers())) await new Promise((settle) => void setTimeout(settle, 200))
  if (child.exitCode !== null) throw new Error(`${adk} api_server ended with ${child.exitCode}`)
  const close = async () => {
    child.kill()
    await gone
  }
  return { url, close }
}

/** What ADK says of a file: how many cases passed and failed. */
async function evaluated(file: string, folder: string): Promise<{ passed: number; failed: number } & Ended> {
  const told = await ended(adk, ['eval', join(folder, 'agents/agent1'), file, '--print_detailed_results'], folder)
  const count = (name: string) => Number(new RegExp(`Tests ${name}: (\\d+)`).exec(told.text)?.[1] ?? Number.NaN)
  return { passed: count('passed'), failed: count('failed'), ...told }
}

/** Says something to the agent through the bridge, with a recorder. */
async function talk(server: string, threadId: string, turns: readonly string[]): Promise<ConversationRecorder> {
  const recorder = new ConversationRecorder({ threadId })
  const agent = new HttpAgent({ url: `${server}/agui/agent1`, threadId })
  recorder.attach(agent)
  for (const content of turns) {
    agent.addMessage({ id: crypto.randomUUID(), role: 'user', content })
    await agent.runAgent()
  }
  return recorder
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'llm-eval-adk-'))
  await cp(agents, join(folder, 'agents'), { recursive: true })
  const engine = await startAdk()
  const target = { kind: 'adk', url: engine.url, app_name: 'agent1', user_id: 'user', timeout_seconds: 60 } as const
  const rest = { headers: {}, forward_headers: {}, token_env: null, token_command: null, api_key_env: null }
  const data = join(folder, 'data')
  const config = {
    ...defaultConfig(),
    data,
    port: 0,
    log_level: 'silent' as const,
    targets: { agent1: { ...target, ...rest } },
  }
  const server = await startServer({ config })
  try {
    let bad = 0
    const report = (what: string, { passed, failed, text }: Awaited<ReturnType<typeof evaluated>>, cases: number) => {
      const good = passed === cases && failed === 0
      if (!good) bad++
      console.log(`${what}: ${passed} passed, ${failed} failed${good ? '' : `\n${text}`}`)
    }
    for (const [name, turns] of Object.entries(conversations)) {
      const recorder = await talk(server.url, name, turns)
      const exported = await (await fetch(`${server.url}/export/${encodeURIComponent(name)}`)).text()
      if (exported !== recorder.toFile().text) bad++
      console.log(`${name}: the recorder's file is ${exported === recorder.toFile().text ? 'the same' : 'another one'}`)
    }
    for (const format of ['evalset', 'legacy']) {
      const body = JSON.stringify({ thread_ids: Object.keys(conversations), format })
      const headers = { 'content-type': 'application/json' }
      const file = join(folder, `${format}.evalset.json`)
      await writeFile(file, await (await fetch(`${server.url}/export`, { method: 'POST', headers, body })).text())
      report(`adk eval of all of them as ${format}`, await evaluated(file, folder), Object.keys(conversations).length)
    }
    process.exitCode = bad === 0 ? 0 : 1
  } finally {
    await server.close()
    await engine.close()
    await rm(folder, { recursive: true, force: true })
  }
}

await main()
