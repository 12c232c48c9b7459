import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const file = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const run = promisify(execFile)

test.each(['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md'])(
  'every link in %s leads to a file',
  (page) => {
    const links = [...readFileSync(file(page), 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)].map(
      ([, path]) => path ?? '',
    )
    expect(links).not.toEqual([])
    expect(links.filter((path) => !existsSync(file(path)))).toEqual([])
  },
)

/** As much of curl as README needs. */
const standIn = `
const [url, , header, , body] = process.argv.slice(2)
const [name, value] = header.split(': ')
fetch(url, { method: 'POST', headers: { [name]: value }, body }).then(async (answer) => console.log(await answer.text()))
`

describe('what README tells people to run', () => {
  const readme = readFileSync(file('README.md'), 'utf8')
  let folder: string
  let server: ChildProcess
  let url: string

  beforeAll(async () => {
    // Inside the repository, so that the snippet finds the SDK.
    mkdirSync(file('.cache'), { recursive: true })
    folder = mkdtempSync(file('.cache/readme-'))
    const command = [file('packages/cli/src/main.ts'), 'serve', '--port', '0', '--data', join(folder, 'data')]
    server = spawn(process.execPath, ['--conditions=llm-eval-source', ...command], {
      env: { LLM_EVAL_LOG_LEVEL: 'warn', NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    for await (const line of createInterface({ input: server.stdout as NodeJS.ReadableStream })) {
      url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? ''
      if (url !== '') break
    }
  })
  afterAll(async () => {
    const ended = once(server, 'exit')
    server.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true })
  })

  /** The first block of README in this language that contains these words, aimed at the test's server. */
  const block = (language: string, words: string) => {
    const blocks = [...readme.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, 'g'))].map(
      ([, text]) => text ?? '',
    )
    return (blocks.find((text) => text.includes(words)) ?? '').replaceAll('http://localhost:8000', url)
  }
  test('the curl line stores its trace once, however often it is sent', async () => {
    // Last on PATH, for machines that have no curl.
    mkdirSync(join(folder, 'bin'))
    writeFileSync(join(folder, 'bin/curl'), `#!${process.execPath}\n${standIn}`, { mode: 0o755 })
    const env = { PATH: `${process.env['PATH']}:${join(folder, 'bin')}` }
    const send = () => run('sh', ['-c', block('sh', 'curl')], { env })
    expect(JSON.parse((await send()).stdout)).toMatchObject({ success: true, trace_ids: ['unique_trace_id'] })
    expect(JSON.parse((await send()).stdout)).toMatchObject({ success: true, trace_ids: ['unique_trace_id'] })
    const stats = (await (await fetch(`${url}/webhook/stats`)).json()) as object
    expect(stats).toMatchObject({ total_traces: 1 })
  })

  test('the SDK snippet logs the answer of a model', async () => {
    const snippet = join(folder, 'snippet.mjs')
    writeFileSync(snippet, `const askTheModel = async () => 'A field.'\n${block('js', 'llm-eval-sdk')}`)
    await run(process.execPath, ['--conditions=llm-eval-source', snippet])
    const newest = await (await fetch(`${url}/api/v1/traces?limit=1`)).json()
    expect(JSON.stringify(newest)).toContain('A field.')
  })
})
