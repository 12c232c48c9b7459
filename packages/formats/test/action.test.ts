import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod'

const folder = fileURLToPath(new URL('../../../deploy/action', import.meta.url))
const main = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url))

const step = z.object({
  name: z.string().optional(),
  if: z.string().optional(),
  env: z.record(z.string(), z.string()).optional(),
  run: z.string().optional(),
})
const action = z
  .object({
    inputs: z.record(z.string(), z.object({ description: z.string(), default: z.string() })),
    outputs: z.record(z.string(), z.object({ value: z.string() })),
    runs: z.object({ using: z.literal('composite'), steps: z.array(step) }),
  })
  .parse(parse(readFileSync(join(folder, 'action.yml'), 'utf8')))

interface Given {
  inputs?: Record<string, string>
  /** Of the step that asks. */
  outputs?: Record<string, string>
}

/** Runs one step as a runner would, with inputs over their defaults; `npx` is the command line of these sources. */
async function runStep(name: string, cwd: string, given: Given = {}) {
  const { inputs = {}, outputs = {} } = given
  const found = action.runs.steps.find((one) => one.name === name)
  if (found?.run === undefined) throw new Error(`There is no step ${name}.`)
  const value = (text: string) =>
    text.replaceAll(/\$\{\{ (inputs|steps\.ask\.outputs)\.([\w-]+) \}\}/g, (_all, of: string, key: string) =>
      of === 'inputs' ? (inputs[key] ?? action.inputs[key]?.default ?? 'no such input') : (outputs[key] ?? ''),
    )
  const tools = join(cwd, '.tools')
  mkdirSync(tools, { recursive: true })
  writeFileSync(
    join(tools, 'npx'),
    `#!/bin/sh\necho "$2" > '${tools}/asked'\nshift 2\nexec '${process.execPath}' --conditions=llm-eval-source --no-warnings '${main}' "$@"\n`,
  )
  chmodSync(join(tools, 'npx'), 0o755)
  const files = { GITHUB_OUTPUT: join(tools, 'output'), GITHUB_STEP_SUMMARY: join(tools, 'summary') }
  const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', found.run], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd,
    env: {
      ...Object.fromEntries(Object.entries(found.env ?? {}).map(([key, text]) => [key, value(text)])),
      ...files,
      PATH: [tools, dirname(process.execPath), process.env['PATH']].join(delimiter),
      GITHUB_ACTION_PATH: folder,
      RUNNER_TEMP: tools,
    },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let out = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (out += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  const text = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '')
  const told = Object.fromEntries(
    text(files.GITHUB_OUTPUT)
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [[line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]])),
  ) as Record<string, string>
  return { code, out, told, summary: text(files.GITHUB_STEP_SUMMARY), asked: text(join(tools, 'asked')).trim() }
}

function place(files: Record<string, string>): string {
  const cwd = mkdtempSync(join(tmpdir(), 'llm-eval-action-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true })
    writeFileSync(join(cwd, name), content)
  }
  return cwd
}

async function startAgent(answer: string): Promise<string> {
  const server = createServer((_request, response) => void response.end(JSON.stringify({ response: answer })))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/chat`
}

const cases = { 'agent-tests/a.yaml': 'name: Kind\nquery: x\ntags: [smoke]\nexpected: {output: {contains: [hello]}}\n' }

describe('the GitHub Action', { timeout: 120_000 }, () => {
  test('hands inputs to scripts as variables only, and names no input that is not there', () => {
    const known = new Set(Object.keys(action.inputs))
    for (const { run = '', env = {} } of action.runs.steps) {
      expect(run).not.toContain('${{')
      for (const text of Object.values(env))
        for (const [, name = ''] of text.matchAll(/inputs\.([\w-]+)/g)) expect(known).toContain(name)
    }
    const told = readFileSync(join(folder, 'ask.sh'), 'utf8')
    for (const { value } of Object.values(action.outputs))
      expect(told).toContain(`${/outputs\.([\w-]+)/.exec(value)?.[1] ?? 'nothing'}=`)
  })

  test('tests an agent, adds to the summary of the job, and leaves reports', async () => {
    const cwd = place(cases)
    const inputs = { command: 'test', agent: await startAgent('Hello!'), tags: 'smoke\n', version: '1.2.3' }
    const { code, told, summary, asked, out } = await runStep('Ask the agent', cwd, { inputs })
    expect([code, told['exit-code'], asked], out).toEqual([0, '0', 'llm-eval@1.2.3'])
    expect(summary).toContain('### ✅ PASSED')
    expect(readFileSync(told['junit'] ?? '', 'utf8')).toContain('<testsuites tests="2" failures="0" errors="0">')
    expect(readFileSync(told['html'] ?? '', 'utf8')).toContain('<!doctype html>')
    expect((await runStep('Verdict', cwd, { outputs: told })).code).toBe(0)
  })

  test('fails the job with the code of the gate, after the reports', async () => {
    const cwd = place(cases)
    const inputs = { command: 'test', agent: await startAgent('No.'), paths: 'agent-tests/a.yaml\n' }
    const { code, told, summary } = await runStep('Ask the agent', cwd, { inputs })
    expect([code, told['exit-code']]).toEqual([0, '1'])
    expect(summary).toContain('### ❌ FAILED')
    expect((await runStep('Verdict', cwd, { outputs: told })).code).toBe(1)
  })

  test.each<[string, Record<string, string>]>([
    ['there is no baseline', {}],
    ['the command is another', { command: 'snapshot; touch pwned' }],
    ['a state is none', { 'fail-on': 'REGRESION' }],
    ['a path looks like an option', { paths: '--help' }],
    ['the version is none', { version: '1; touch pwned' }],
    ['test is told what to fail on', { command: 'test', strict: 'true' }],
    ['strict is neither true nor false', { command: 'check', strict: 'True' }],
    ['judge is neither true nor false', { command: 'test', judge: 'no' }],
  ])('is never green when %s', async (_what, inputs) => {
    const cwd = place(cases)
    const given = { inputs: { agent: await startAgent('Hello!'), ...inputs } }
    const { told } = await runStep('Ask the agent', cwd, given)
    expect((await runStep('Verdict', cwd, { outputs: told })).code).toBe(2)
    expect(existsSync(join(cwd, 'pwned'))).toBe(false)
  })

  test('is not green when the step that asks did not come to its end', async () => {
    expect((await runStep('Verdict', place({}))).code).toBe(2)
  })

  test('waits for an agent that it starts, and says when that ends', async () => {
    const cwd = place({})
    const agent = await startAgent('Hello!')
    const start = (inputs: Record<string, string>) => runStep('Start the agent', cwd, { inputs })
    const started = await start({ start: 'echo begun', agent })
    expect([started.code, started.out]).toEqual([0, expect.stringContaining(`The agent answers at ${agent}.`)])
    const ended = await start({ start: 'echo no port; exit 3', agent: 'http://127.0.0.1:1/' })
    expect([ended.code, ended.out]).toEqual([2, expect.stringContaining('The agent ended before it answered.')])
    expect(ended.out).toContain('no port')
    const late = { start: 'true', agent: 'http://127.0.0.1:1/', 'start-timeout': '1' }
    expect((await start(late)).out).toContain('Nothing answers at http://127.0.0.1:1/ after 1 seconds.')
  })
})
