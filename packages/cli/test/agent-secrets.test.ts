import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { hiding, secretsNamedIn, secretsOf } from '../src/agents/secrets.ts'
import { place } from './agents.ts'
import { llmEval } from './stage.ts'

const env = { AGENT_KEY: 'k-0123456789abcdef', DB_PASSWORD: 'correct horse battery', REGION: 'eu-central-1' }

/** An agent that says back whatever it got, everywhere it can. */
async function echo(): Promise<string> {
  const server = createServer((request, response) => {
    void (async () => {
      const body = await text(request)
      const told = `${request.url} ${JSON.stringify(request.headers)} ${body}`
      const events = [
        { type: 'status', data: { text: told } },
        { type: 'tool_call', data: { id: 1, name: request.headers['x-key'], args: { deep: [{ told }] } } },
        { type: 'tool_result', data: { id: 1, result: { [told]: told }, success: true } },
        { type: 'message_complete', data: { content: `I got ${told}` } },
      ]
      response.end(events.map((event) => `${JSON.stringify(event)}\n`).join(''))
    })()
  })
  const listening = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', listening.resolve)
  await listening.promise
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** All that is in the files of a folder, and below it. */
function allIn(folder: string): string {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .map((path) => (statSync(path).isDirectory() ? allIn(path) : readFileSync(path, 'utf8')))
    .join('\n')
}

test('what files name of the environment as keys is in nothing that is told, printed or written', async () => {
  const url = await echo()
  const cwd = place({
    'llm-eval.agent.yaml': `agent:
  url: ${url}/chat?key=\${AGENT_KEY}
  headers: {X-Key: "\${AGENT_KEY}", X-Other: "{{env.DB_PASSWORD}}", X-Region: "\${REGION}", Cookie: "session=0123456789"}
`,
    'agent-tests/a.yaml': `name: A
input: {query: "My key is \${AGENT_KEY}.", context: {password: "\${DB_PASSWORD}"}}
expected:
  output: {contains: ["\${REGION}"], not_contains: ["no \${AGENT_KEY}"]}
`,
  })
  const files = ['--html', 'o/a.html', '--junit', 'o/a.xml', '--markdown', 'o/a.md', '--verbose']
  mkdirSync(join(cwd, 'o'))
  const told: string[] = []
  for (const args of [
    ['test'],
    ['test', '--json'],
    ['snapshot'],
    ['check'],
    ['check', '--json'],
    ['doctor'],
    ['doctor', '--json'],
  ]) {
    const reports = ['test', 'check'].includes(args[0] ?? '') ? files : []
    const { code, out, err } = await llmEval([...args, ...reports], { cwd, env })
    expect([args, code, err.replaceAll(/^Wrote .*\n/gm, '')]).toEqual([args, 0, ''])
    told.push(out, err)
  }
  const written = readdirSync(cwd)
    .filter((name) => name !== 'llm-eval.agent.yaml')
    .map((name) => allIn(join(cwd, name)))
  for (const secret of [env.AGENT_KEY, env.DB_PASSWORD, '0123456789'])
    expect([...told, ...written].join('\n')).not.toContain(secret)
  // What is no key is told as it is.
  expect(written.join()).toContain(env.REGION)
})

test('an address of the settings is told without what may be a key in it', async () => {
  const url = await echo()
  const cwd = place({
    'llm-eval.agent.yaml': `agent: {url: "${url.replace('//', '//ada:hushhush@')}/chat?key=literalkey"}`,
  })
  const { code, out } = await llmEval(['doctor'], { cwd })
  expect(code).toBe(0)
  expect(out).not.toMatch(/literalkey|hushhush/)
  expect(out).toContain('Next: llm-eval test')
})

test('a secret is taken out in any form, whole or cut with its text, and nothing that tells outcomes apart', () => {
  const hide = hiding(['passed', 'a "quoted" key/1', '0123456789abcdef', 'short'])
  expect(hide({ outcome: 'passed', message: 'passed' })).toEqual({ outcome: 'passed', message: '•••' })
  expect(hide('{"k":"a \\"quoted\\" key/1"} a%20%22quoted%22%20key%2F1')).toBe('{"k":"•••"} •••')
  expect(hide('it is 0123456789')).toBe('it is •••')
  expect(hide('it is 0123456789…')).toBe('it is •••…')
  expect(hide('it is 01234 and short')).toBe('it is 01234 and short')
  expect(hide({ args: { 'by 0123456789abcdef': [{ outcome: 'passed' }] } })).toEqual({
    args: { 'by •••': [{ outcome: '•••' }] },
  })
})

test('keys are found in headers, addresses and files by what they are called', () => {
  const headers = {
    Authorization: 'Bearer abcdef123',
    Cookie: 'sid=s-123456; theme=dark-blue',
    'X-Region': 'eu-central',
  }
  const found = secretsOf({ url: 'http://ada:pass%20word@a.test/?api_key=q-123456&lang=english', headers })
  expect(found).toEqual(expect.arrayContaining(['abcdef123', 's-123456', 'q-123456', 'pass word']))
  expect(found).not.toContain('eu-central')
  expect(found).not.toContain('english')
  expect(found).toContain(Buffer.from('ada:pass word').toString('base64'))
  const named = '${MY_API_KEY:-x} {{ env.DB_PASSWORD }} ${REGION} ${toString} ${MISSING_TOKEN}'
  expect(secretsNamedIn(named, { MY_API_KEY: 'one', DB_PASSWORD: 'two', REGION: 'three' })).toEqual(['one', 'two'])
})
