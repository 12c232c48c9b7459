import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { says, startProvider } from '../../engine/test/provider.ts'
import { answering, folder, startCommand, trace } from './stage.ts'

const cli = fileURLToPath(new URL('..', import.meta.url))
const root = join(cli, '../..')

interface Manifest {
  version: string
  dependencies: Record<string, string>
  bin: Record<string, string>
}

const manifestIn = (path: string) => JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Manifest

/** Installs the tarball as npm would, with what it depends on taken from here: no network. */
function installed(): string {
  const base = folder()
  execFileSync(process.execPath, [join(cli, 'build.mjs'), '--out', join(base, 'staged')])
  execFileSync('npm', ['pack', join(base, 'staged'), '--pack-destination', base, '--loglevel=error'], { cwd: base })
  const tarball = readdirSync(base).find((name) => name.endsWith('.tgz')) ?? ''
  execFileSync('tar', ['-xzf', join(base, tarball), '-C', base])
  const home = join(base, 'home')
  mkdirSync(join(home, 'node_modules'), { recursive: true })
  renameSync(join(base, 'package'), join(home, 'node_modules/llm-eval'))
  for (const [name, version] of Object.entries(manifestIn(join(home, 'node_modules/llm-eval')).dependencies)) {
    const place = places(name).find((path) => isThere(path) && manifestIn(path).version === version)
    mkdirSync(join(home, 'node_modules', name, '..'), { recursive: true })
    symlinkSync(place ?? name, join(home, 'node_modules', name))
  }
  return home
}

/** Where a package may lie: beside the one that asks for it, or where all of them share it. */
function places(name: string): string[] {
  const packages = readdirSync(join(root, 'packages')).map((folder) => join(root, 'packages', folder))
  return [...packages, root].map((folder) => join(folder, 'node_modules', name))
}

function isThere(path: string): boolean {
  try {
    return readdirSync(path).length > 0
  } catch {
    return false
  }
}

test('the published tarball is whole: it runs, serves its dashboard, stores traces and evaluates', {
  timeout: 240_000,
}, async () => {
  const home = installed()
  const place = join(home, 'node_modules/llm-eval')
  const { dependencies, version, bin } = manifestIn(place)
  expect(Object.keys(dependencies).filter((name) => /llm-eval/.test(name))).toEqual([])
  const command = join(place, bin['llm-eval'] ?? '')
  expect(execFileSync(process.execPath, [command, '--version'], { cwd: home, encoding: 'utf8' })).toBe(`${version}\n`)

  evaluatesFiles(home, command)
  await testsAgents(home, command)
  await configure(home)
  const server = startCommand([command, 'serve', '--port', '0'], { cwd: home })
  await server.says('curl')
  const url = /http:\/\/[\w.]+:\d+/.exec(server.out())?.[0] ?? ''
  const sent = await fetch(`${url}/webhook/trace`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(trace('packed', { user_query: 'searched for' })),
  })
  expect(await sent.json()).toMatchObject({ success: true, trace_ids: ['packed'] })
  const page = await fetch(url, { headers: { accept: 'text/html' } })
  expect(await page.text()).toContain('<div id="root">')
  const health = await fetch(`${url}/health`)
  expect(await health.json()).toMatchObject({ version })
  const list = execFileSync(process.execPath, [command, 'traces', 'list', '--json'], { cwd: home, encoding: 'utf8' })
  expect(JSON.parse(list)).toMatchObject({ trace_id: 'packed' })
  await evaluates(url)
  server.child.kill('SIGTERM')
  expect((await server.ended).code).toBe(0)
})

/** An evaluation in a file, with all of its reports, before any server runs; and what an older Node says of TypeScript. */
function evaluatesFiles(home: string, command: string): void {
  const evaluation = `export default {
    name: 'packed' as string,
    dataset: './cases.csv',
    task: (input: string) => input.toUpperCase(),
    metrics: ['exact-match', 'levenshtein'],
  }`
  writeFileSync(join(home, 'eval.ts'), evaluation)
  writeFileSync(join(home, 'cases.csv'), 'id,input,expected\na,one,ONE\nb,two,TWO\n')
  const reports = ['--html', 'eval.html', '--junit', 'eval.xml', '--markdown', 'eval.md']
  const args = [command, 'run', 'eval.ts', '--local', '--data', 'evaluated', '--json', ...reports]
  const out = execFileSync(process.execPath, args, { cwd: home, encoding: 'utf8', stdio: 'pipe' })
  expect(JSON.parse(out)).toMatchObject({ exit_code: 0, run: { completed_items: 2, status: 'completed' } })
  for (const name of ['eval.html', 'eval.xml', 'eval.md'])
    expect(readFileSync(join(home, name), 'utf8')).toContain('packed')
  const older = spawnSync(process.execPath, ['--no-strip-types', command, 'run', 'eval.ts', '--local'], {
    cwd: home,
    encoding: 'utf8',
  })
  expect([older.status, older.stderr]).toEqual([
    2,
    expect.stringMatching(/^error: eval\.ts is TypeScript, .* Use Node 22\.18 or newer, or write it as eval\.js\./),
  ])
}

/** An agent is tested, with all of its reports, also where judges and addresses have to be looked at. */
async function testsAgents(home: string, command: string): Promise<void> {
  const agent = await answering((_request, response) => void response.end('{"response": "Hello."}'))
  const provider = await startProvider({ answer: () => says({ reason: 'It greets.', choice: 'good' }) })
  onTestFinished(() => provider.close())
  writeFileSync(
    join(home, 'case.yaml'),
    'name: Packed\nquery: Hi\nrubric: Greets.\nexpected: {output: {contains: [hello], regex_patterns: [^h]}}\n',
  )
  writeFileSync(join(home, 'judged.yaml'), 'judge: {model: openai/judge}\n')
  writeFileSync(join(home, 'guarded.yaml'), 'allow_private: false\n')
  const env = { OPENAI_API_KEY: 'x', OPENAI_BASE_URL: provider.base('openai') }
  const run = (...args: string[]) =>
    startCommand([command, 'test', 'case.yaml', '--agent', agent, ...args], { cwd: home, env }).ended
  const reports = ['--html', 'agent.html', '--junit', 'agent.xml', '--markdown', 'agent.md']
  const tested = await run('--agent-config', 'judged.yaml', ...reports)
  expect([tested.code, tested.out], tested.err).toEqual([0, expect.stringContaining('PASSED  1 of 1 cases passed')])
  for (const name of ['agent.html', 'agent.xml', 'agent.md'])
    expect(readFileSync(join(home, name), 'utf8')).toContain('Packed')
  const guarded = await run('--agent-config', 'guarded.yaml')
  expect([guarded.code, guarded.out]).toEqual([2, expect.stringContaining('blocked_address')])
}

/** Configures a judge and a module of functions. */
async function configure(home: string): Promise<void> {
  const provider = await startProvider({ answer: () => says({ reason: 'Two steps.', coherence_score: 1 }) })
  onTestFinished(() => provider.close())
  writeFileSync(join(home, 'own.mjs'), 'export const isShort = ({ response }) => response.length < 9\n')
  const providers = { local: { api: 'openai', base_url: provider.base('openai'), models: ['judge'] } }
  writeFileSync(join(home, 'llm-eval.config.json'), JSON.stringify({ evaluators: ['./own.mjs'], providers }))
}

/** What runs in threads, what is loaded when it is first used, and modules of users: all of it is in the tarball. */
async function evaluates(url: string): Promise<void> {
  const executions = [
    { evaluator: 'regex-validator', input: { text: 'aaa' }, config: { regex: '^(a+)+$' } },
    { evaluator: 'json-schema', input: { response: '{}' }, config: { schema: { type: 'object' } } },
    { evaluator: 'sql-validator', input: { text: 'SELECT 1' } },
    { evaluator: 'html-valid', input: { text: '<p>x</p>' } },
    { evaluator: 'language', input: { text: 'Where is the next railway station?' }, config: { expected: ['en'] } },
    { evaluator: 'is-short', input: { response: 'Hello' } },
    { evaluator: 'coherence', input: { text: 'First this, then that.' } },
  ]
  const answer = await fetch(`${url}/api/v1/executions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ executions }),
  })
  const { batch_id, events_url } = (await answer.json()) as { batch_id: string; events_url: string }
  // The stream ends with the last result.
  await (await fetch(`${url}${events_url}`)).text()
  const list = await fetch(`${url}/api/v1/executions?batch_id=${batch_id}`)
  const { items } = (await list.json()) as { items: { evaluator: string; score: { passed: boolean } | null }[] }
  for (const { evaluator, score } of items) expect(score, evaluator).toMatchObject({ passed: true })
  expect(items).toHaveLength(executions.length)
  const run = { run_id: 'packed', name: 'packed', metrics_used: ['is-short'] }
  const headers = { 'content-type': 'application/json' }
  expect((await fetch(`${url}/api/v1/runs`, { method: 'POST', headers, body: JSON.stringify(run) })).status).toBe(201)
  const summary = await fetch(`${url}/api/v1/runs/packed/metrics`)
  expect(await summary.json()).toMatchObject({ items: [{ name: 'is-short', scored: 0 }] })
}
