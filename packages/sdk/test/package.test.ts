import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire, isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { encodeSse } from '@llm-eval/protocol'
import { publint } from 'publint'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as agent from '../src/agent/index.ts'
import * as experiments from '../src/experiments/index.ts'
import * as source from '../src/index.ts'
import * as logs from '../src/logs/index.ts'
import * as recorder from '../src/recorder/index.ts'
import { ended, execution, started } from './execution-scene.ts'
import { type FakeServer, startFakeServer, store } from './fake-server.ts'
import { startRealServer } from './real-server.ts'
import { startRunServer } from './run-server.ts'

const run = promisify(execFile)
const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '../../..')
const node20 = join(here, '../node_modules/.bin/node')
const nodes = [process.execPath, ...(existsSync(node20) ? [node20] : [])]
const olderTypeScript = createRequire(createRequire(import.meta.url).resolve('@arethetypeswrong/core')).resolve(
  'typescript/bin/tsc',
)
const compilers = [join(root, 'node_modules/typescript/bin/tsc'), olderTypeScript]

const experimentNames = [
  'Evaluator',
  'Experiment',
  'LLMEvalError',
  'ResultHandler',
  'SSEResultClient',
  'runEvaluator',
  'runEvaluatorAsync',
]

const agentNames = ['agentResponse', 'agentStream', 'refine']

let workshop: string
let tarball: string
let app: string
let server: FakeServer

/** Builds, packs and installs the package as a user gets it, in a folder that knows nothing of this repository. */
beforeAll(async () => {
  workshop = await mkdtemp(join(tmpdir(), 'llm-eval-sdk-'))
  const staged = join(workshop, 'staged')
  await run(process.execPath, [join(here, '../build.mjs'), '--stage', staged])
  const { stdout } = await run('npm', ['pack', staged, '--json', '--pack-destination', workshop], { cwd: workshop })
  const [packed] = JSON.parse(stdout) as { filename: string }[]
  tarball = join(workshop, packed?.filename ?? '')
  app = join(workshop, 'app')
  await mkdir(join(app, 'node_modules/llm-eval-sdk'), { recursive: true })
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', join(app, 'node_modules/llm-eval-sdk')])
  await cp(join(here, 'consumer'), app, { recursive: true })
  server = await startFakeServer(async (response, received) => {
    if (received.path.startsWith('/v2/')) return started('x1')(response, received)
    if (received.method === 'POST') return store(response, received)
    const frame = encodeSse('{"event":"trace_updates","data":{"trace_id":"t"}}', 'e.1')
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(received.path.startsWith('/api/v1/executions') ? ended(1, execution('x1')) : frame)
  })
}, 120_000)

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await rm(workshop, { recursive: true, force: true })
})

async function filesOf(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

describe('the published package', () => {
  it('satisfies publint', async () => {
    const pack = { tarball: (await readFile(tarball)).buffer }
    expect((await publint({ pack, strict: true })).messages).toEqual([])
  })

  it('satisfies attw', async () => {
    const attw = createRequire(import.meta.url).resolve('@arethetypeswrong/cli/package.json')
    const { stdout } = await run(process.execPath, [join(dirname(attw), 'dist/index.js'), tarball, '--format', 'json'])
    expect(JSON.parse(stdout)).toMatchObject({ analysis: { problems: [] } })
  })

  it('depends on nothing, and names no condition or file that only the workspace has', async () => {
    const folder = join(app, 'node_modules/llm-eval-sdk')
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>
    expect(manifest['dependencies'] ?? manifest['devDependencies'] ?? manifest['private']).toBeUndefined()
    expect(JSON.stringify(manifest)).not.toMatch(/source|src/)
    for (const path of await filesOf(folder)) {
      if (!/\.(c?js|d\.c?ts)$/.test(path)) continue
      const imports = [
        ...(await readFile(path, 'utf8')).matchAll(
          /^(?:import|export) .*from ["']([^"']+)["']|require\(["']([^"']+)["']\)/gm,
        ),
      ]
      // Code for Node is looked at by the next test: it has schemas inside, which have texts that look like imports.
      if (/\/evaluat(ion|ors)[^/]*\.c?js$/.test(path)) continue
      for (const [, from = '', required = ''] of imports) expect(from + required, path).toMatch(/^\.\.?\//)
    }
  })

  it.each(['evaluation.js', 'evaluation.cjs'])(
    '%s finds all that it may load in the package or in Node',
    async (file) => {
      const missing: string[] = []
      const bundler = await rolldown({
        input: join(app, 'node_modules/llm-eval-sdk/dist', file),
        platform: 'node',
        onLog: (_, { message }) => void missing.push(message),
      })
      const { output } = await bundler.generate({})
      const files = new Set(output.map(({ fileName }) => fileName))
      const imports = output.flatMap((chunk) =>
        chunk.type === 'chunk' ? [...chunk.imports, ...chunk.dynamicImports] : [],
      )
      expect(imports.filter((name) => !files.has(name) && !isBuiltin(name))).toEqual([])
      expect(missing).toEqual([])
    },
  )

  it('contains what its manifest promises, a license and a manual', async () => {
    const names = (await filesOf(join(app, 'node_modules/llm-eval-sdk'))).map((path) =>
      path.slice(app.length + '/node_modules/llm-eval-sdk/'.length),
    )
    expect(names).toEqual(
      expect.arrayContaining([
        'package.json',
        'README.md',
        'LICENSE',
        'dist/index.js',
        'dist/index.cjs',
        'dist/index.d.ts',
        'dist/index.d.cts',
        'dist/experiments.js',
        'dist/experiments.cjs',
        'dist/experiments/index.d.ts',
        'dist/experiments/index.d.cts',
        'experiments/package.json',
        'dist/evaluation.js',
        'dist/evaluation.cjs',
        'dist/evaluation/index.d.ts',
        'dist/evaluation/index.d.cts',
        'dist/evaluators.thread.js',
        'evaluation/package.json',
        'dist/agent.js',
        'dist/agent.cjs',
        'dist/agent/index.d.ts',
        'dist/agent/index.d.cts',
        'agent/package.json',
        'dist/recorder.js',
        'dist/recorder.cjs',
        'dist/recorder/index.d.ts',
        'dist/recorder/index.d.cts',
        'recorder/package.json',
        'dist/logs.js',
        'dist/logs.cjs',
        'dist/logs/index.d.ts',
        'dist/logs/index.d.cts',
        'logs/package.json',
      ]),
    )
    expect(names.filter((name) => /\.test\.|(^|\/)test\/|tsbuildinfo|^src/.test(name))).toEqual([])
  })

  it.each([
    ['llm-eval-sdk', 'index.js', 11_000],
    ['llm-eval-sdk/experiments', 'experiments.js', 12_000],
    ['llm-eval-sdk/agent', 'agent.js', 3_000],
    ['llm-eval-sdk/recorder', 'recorder.js', 28_000],
  ])('%s stays small in a browser', async (_, file, most) => {
    const bundler = await rolldown({ input: join(app, 'node_modules/llm-eval-sdk/dist', file), platform: 'browser' })
    const { output } = await bundler.generate({ minify: true })
    expect(gzipSync(output[0].code).length).toBeLessThan(most)
  })

  it('exports the same values as the source', () => {
    expect(Object.keys(source).sort()).toEqual(['LLMEvalClient', 'LLMEvalError', 'LLMEvalStreamClient', 'TraceLogger'])
    expect(Object.keys(experiments).sort()).toEqual(experimentNames)
    expect(Object.keys(agent).sort()).toEqual(agentNames)
    expect(Object.keys(recorder)).toEqual(['ConversationRecorder'])
    expect(Object.keys(logs).sort()).toEqual([
      'generateEval',
      'joinLogs',
      'logLines',
      'parseBridgeLog',
      'parseEngineLog',
    ])
  })
})

describe.each(nodes)('under %s', (node) => {
  const works = {
    exports: ['LLMEvalClient', 'LLMEvalError', 'LLMEvalStreamClient', 'TraceLogger'],
    traceIds: ['t1'],
    batch: 'Processed 250 of 250 traces',
    logged: true,
    receipt: { sent: 3, duplicates: 0, conflicts: 0, invalid: 0, dropped: 0, pending: 0 },
    frame: 'trace_updates',
    error: 'unreachable',
    experiments: experimentNames,
    result: { is_correct: true, pass: true },
    sameError: true,
  }

  it.each(['consumer.mjs', 'consumer.cjs'])('%s sends, logs, buffers, signs and follows', async (file) => {
    const { stdout, stderr } = await run(node, [join(app, file), server.url])
    expect(JSON.parse(stdout)).toEqual(works)
    expect(stderr).toBe('')
  })

  it('evaluators are run on a real server, alone and many at once', async () => {
    await using real = await startRealServer()
    const program = `import { Evaluator, Experiment } from 'llm-eval-sdk/experiments'
      const inputSchemaMapping = { answer: '4', expected: '4' }
      const { result } = await Evaluator.run({ evaluatorSlug: 'accuracy', inputSchemaMapping, waitForResult: true })
      const cases = [{ response: 'a', reference: 'a' }, { response: 'a', reference: 'b' }]
      const results = await new Experiment({ evaluators: ['exact-match'] }).run(cases)
      await new Promise((callback) => Evaluator.run({ evaluatorSlug: 'accuracy', inputSchemaMapping, callback }))
      console.log(JSON.stringify([result, ...results.map(({ score }) => score.value)]))`
    const env = { ...process.env, TRACELOOP_BASE_URL: real.url }
    const { stdout } = await run(node, ['--input-type=module', '--eval', program], { cwd: app, env })
    expect(JSON.parse(stdout)).toEqual([{ match: true, pass: true }, 1, 0])
  })

  it.each([
    [
      'module',
      `import { ConversationRecorder } from 'llm-eval-sdk/recorder'\nimport { generateEval, parseEngineLog } from 'llm-eval-sdk/logs'`,
    ],
    [
      'commonjs',
      `const { ConversationRecorder } = require('llm-eval-sdk/recorder'), { generateEval, parseEngineLog } = require('llm-eval-sdk/logs')`,
    ],
  ])('a conversation is recorded, and one is read from a log, by a program that is a %s', async (kind, imports) => {
    const program = `${imports}
      const recorder = new ConversationRecorder({ threadId: 't' })
      recorder.attach({ subscribe: ({ onRunInitialized, onEvent, onRunFinalized }) => {
        onRunInitialized({ input: { threadId: 't', runId: 'r', messages: [{ id: 'u', role: 'user', content: 'Hi' }] } })
        onEvent({ event: { type: 'RUN_STARTED', threadId: 't', runId: 'r' } })
        onEvent({ event: { type: 'TEXT_MESSAGE_CHUNK', messageId: 'm', delta: 'Hello!' } })
        onEvent({ event: { type: 'RUN_FINISHED', threadId: 't', runId: 'r' } })
        onRunFinalized({})
        return { unsubscribe() {} }
      } })
      const { conversation: [told] } = recorder.exportToEvalFormat()
      const content = { role: 'model', parts: [{ text: 'Hello!' }] }
      const event = { id: 'e', invocation_id: 'e-1', author: 'root_agent', timestamp: 1, content }
      parseEngineLog([JSON.stringify({ session_id: 's', raw: event })]).then((log) => {
        const { text } = generateEval('s', { engine: [log] }, { format: 'evalcase' }) ?? { text: '{"conversation":[{}]}' }
        const [read] = JSON.parse(text).conversation
        console.log(JSON.stringify([told.invocation_id, told.final_response, read.invocation_id, read.final_response]))
      })`
    const { stdout, stderr } = await run(node, [`--input-type=${kind}`, '--eval', program], { cwd: app })
    const said = { parts: [{ text: 'Hello!' }], role: 'model' }
    expect(JSON.parse(stdout)).toEqual(['e-r', said, 'e-1', said])
    expect(stderr).toBe('')
  })

  it.each([
    ['module', `import { Evaluator } from 'llm-eval-sdk/evaluation'\nimport { LLMEvalError } from 'llm-eval-sdk'`],
    [
      'commonjs',
      `const { Evaluator } = require('llm-eval-sdk/evaluation'), { LLMEvalError } = require('llm-eval-sdk')`,
    ],
  ])('a task is evaluated by a program that is a %s', async (kind, imports) => {
    await using runs = await startRunServer()
    const program = `${imports}
      const dataset = [{ input: 'a', expected: 'A' }, { input: 'b', expected: 'B' }, { input: 'c', expected: 'x' }]
      const task = async (input) => ({ output: input.toUpperCase(), cost: 0 })
      const short = async ({ output }) => output.length === 1
      const pattern = { name: 'pattern', evaluator: 'regex-validator', config: { regex: '^[AB]$' } }
      const metrics = ['accuracy', 'latency', short, pattern]
      const options = { task, dataset, metrics, baseUrl: ${JSON.stringify(runs.url)} }
      new Evaluator({ ...options, runId: 'packed' }).run().then(async (result) => {
        const means = Object.fromEntries(Object.entries(result.metrics).map(([name, { mean, n }]) => [name, [mean, n]]))
        const error = await new Evaluator({ ...options, runId: 'packed', name: 'other' }).run().catch((error) => error)
        console.log(JSON.stringify([result.status, means, error instanceof LLMEvalError && error.failure]))
      })`
    const { stdout } = await run(node, [`--input-type=${kind}`, '--eval', program], { cwd: app })
    expect(JSON.parse(stdout)).toEqual([
      'completed',
      {
        accuracy: [expect.closeTo(2 / 3, 9), 3],
        latency: [expect.any(Number), 3],
        short: [1, 3],
        pattern: [expect.closeTo(2 / 3, 9), 3],
      },
      'run_conflict',
    ])
    expect(runs.runs.get('packed')?.run.status).toBe('completed')
  })

  it.each([
    ['module', `import { createServer } from 'node:http'\nimport * as kit from 'llm-eval-sdk/agent'`],
    ['commonjs', `const { createServer } = require('node:http'), kit = require('llm-eval-sdk/agent')`],
  ])('an agent streams what it does from a program that is a %s', async (kind, imports) => {
    const program = `${imports}
      const work = async (stream) => {
        await stream.tool('double', { n: 2 }, () => 4)
        const { result } = await kit.refine({
          start: async () => 1,
          improve: async (best) => best + 1,
          isBetter: (candidate, best) => candidate > best,
          onStatus: (text) => stream.status(text),
          maxIterations: 1,
        })
        return String(result)
      }
      const types = (text) => text.trim().split('\\n').map((line) => JSON.parse(line).type)
      const server = createServer(async (request, response) => {
        const stream = kit.agentStream(response)
        await stream.complete(await work(stream))
        await stream.close()
      })
      server.listen(0, async () => {
        const served = await (await fetch('http://localhost:' + server.address().port)).text()
        const answered = await kit.agentResponse(work).text()
        server.close()
        console.log(JSON.stringify([Object.keys(kit).sort(), types(served), types(answered)]))
      })`
    const { stdout } = await run(node, [`--input-type=${kind}`, '--eval', program], { cwd: app })
    const types = ['tool_call', 'tool_result', 'status', 'message_complete']
    expect(JSON.parse(stdout)).toEqual([agentNames, types, types])
  })

  it('a program may end while traces are still waiting for company', async () => {
    const program = `import { LLMEvalClient } from 'llm-eval-sdk'
      const sender = new LLMEvalClient(${JSON.stringify(server.url)}).buffered({ flushIntervalMs: 3_600_000 })
      sender.send({ modelName: 'm', userQuery: 'q', aiResponse: 'a' })
      console.log(sender.receipt().pending)`
    const { stdout } = await run(node, ['--input-type=module', '--eval', program], { cwd: app })
    expect(stdout).toBe('1\n')
  })
})

describe('where Symbol.asyncDispose is unknown', () => {
  it('the package loads and disposes under the name that polyfills use', async () => {
    const older = Object.create(Symbol, { asyncDispose: { value: undefined } }) as unknown
    const load = (file: string): Partial<typeof source> => {
      const code = readFileSync(join(app, 'node_modules/llm-eval-sdk/dist', file), 'utf8')
      const module: { exports: Partial<typeof source> } = { exports: {} }
      // oxlint-disable-next-line typescript/no-implied-eval -- the only way to hand a module another Symbol
      const run = new Function('Symbol', 'exports', 'module', 'require', code) as (...args: unknown[]) => void
      run(older, module.exports, module, load)
      return module.exports
    }
    const { LLMEvalClient } = load('index.cjs')
    if (!LLMEvalClient) throw new Error('no export')
    const sender = new LLMEvalClient(server.url).buffered()
    sender.send({ modelName: 'm', userQuery: 'q', aiResponse: 'a' })
    const dispose = Reflect.get(sender, Symbol.for('Symbol.asyncDispose')) as () => Promise<void>
    await dispose.call(sender)
    expect(sender.receipt()).toMatchObject({ sent: 1, pending: 0 })
  })
})

describe.each(compilers)('for users of %s', (tsc) => {
  /** What the compiler says about one file; nothing is good. */
  async function check(file: string, options: Record<string, unknown>): Promise<string> {
    const strict = { noEmit: true, strict: true, exactOptionalPropertyTypes: true, target: 'es2022' }
    const config = join(app, `tsconfig.${file}.json`)
    await writeFile(config, JSON.stringify({ compilerOptions: { ...strict, ...options }, files: [file] }))
    const { stdout } = await run(process.execPath, [tsc, '-p', config]).catch((error: { stdout: string }) => error)
    return stdout
  }

  it.each([
    ['an ES module under Node', 'typed.mts', { module: 'nodenext', types: ['node'], lib: ['es2022'] }],
    ['a CommonJS module under Node', 'typed.cts', { module: 'nodenext', types: ['node'], lib: ['es2022'] }],
    [
      'an ES module in a browser',
      'typed.mts',
      { module: 'esnext', moduleResolution: 'bundler', types: [], lib: ['es2022', 'dom'] },
    ],
  ])('%s type-checks', async (_, file, options) => {
    const types = join(app, 'node_modules/@types')
    if (!existsSync(types)) await symlink(join(root, 'node_modules/@types'), types)
    expect(await check(file, options)).toBe('')
  })

  it('a mistake is found', async () => {
    const mistake = `import { LLMEvalClient } from 'llm-eval-sdk'\nawait new LLMEvalClient().sendTrace({ modelNam: 'x' })\n`
    await writeFile(join(app, 'mistaken.mts'), mistake)
    expect(await check('mistaken.mts', { module: 'nodenext', types: [], lib: ['es2022', 'dom'] })).toContain('modelNam')
  })
})
