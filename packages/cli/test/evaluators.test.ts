import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Asked, fails, type Provider, type Reply, says, startProvider } from '../../engine/test/provider.ts'
import { answering, folder, llmEval, serve, sharedServer, trace } from './stage.ts'

const server = sharedServer()
const options = (cwd = folder()) => ({ cwd, env: { LLM_EVAL_URL: server.url(), NO_COLOR: '1' } })
const run = (...args: string[]) => llmEval(['evaluators', 'run', ...args], options())

/** A server whose judges ask a provider of this test. */
async function judging(answer: (asked: Asked) => Reply | Promise<Reply>): Promise<{ url: string; provider: Provider }> {
  const provider = await startProvider({ answer })
  onTestFinished(() => provider.close())
  const { url } = await serve({
    providers: { local: { api: 'openai', base_url: provider.base('openai'), api_key: 'none', models: [] } },
    default_model: 'local/judge',
    prices: { 'local/*': { input: 1, output: 2 } },
  })
  return { url, provider }
}

describe('llm-eval evaluators list', () => {
  test('shows what there is, filtered by kind, category, source and words', async () => {
    const all = await llmEval(['evaluators', 'list'], options())
    expect(all.code).toBe(0)
    expect(all.out).toMatch(/^EVALUATOR +KIND +CATEGORY +NEEDS +WHAT IT IS\n/)
    expect(all.out).toMatch(/\nrouge-l +code +text +response, reference +The longest sequence/)
    expect(all.out).toMatch(/\nfaithfulness +judge +quality +/)
    const judges = await llmEval(['evaluators', 'list', '--kind', 'judge', '--category', 'safety'], options())
    expect(judges.out).toContain('\nrefusal ')
    expect(judges.out).not.toContain('\nrouge-l ')
    expect(judges.out).not.toContain('\npii-detector ')
    const found = await llmEval(['evaluators', 'list', '--search', 'json schema', '--json'], options())
    const lines = found.out.trimEnd().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { slug: string }).slug)).toContain('json-schema')
    const none = await llmEval(['evaluators', 'list', '--source', 'custom'], options())
    expect([none.code, none.out, none.err]).toEqual([0, '', 'No evaluator fits.\n'])
    expect((await llmEval(['evaluators', 'list', '--kind', 'magic'], options())).code).toBe(2)
  })

  test('keeps to the width of a terminal', async () => {
    const { out } = await llmEval(['evaluators', 'list'], { ...options(), columns: 90 })
    for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(90)
  })
})

describe('llm-eval evaluators show', () => {
  test('tells what an evaluator needs, takes and gives, and an example that can be run as it stands', async () => {
    const { code, out } = await llmEval(['evaluators', 'show', 'regex'], options())
    expect(code).toBe(0)
    expect(out).toMatch(/^evaluator +regex-validator\n/)
    expect(out).toMatch(/\nneeds +response of a trace\n/)
    expect(out).toMatch(/\ncalibrated +never\n/)
    expect(out).toMatch(/\nINPUT .*\ntext +string +The text that is searched\./)
    expect(out).toMatch(/\nCONFIG .*\nregex +string +The regular expression/)
    expect(out).toMatch(/\nshould_match +boolean += true /)
    expect(out).toMatch(/\nOUTPUT .*\nis_valid_regex +boolean/)
    const example = /\n {2}llm-eval (evaluators run .*)\n/.exec(out)?.[1] ?? ''
    const words = [...example.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
    const ran = await llmEval(words, options())
    expect([ran.code, ran.err]).toEqual([0, ''])
  })

  test('wraps descriptions on a terminal, and gives everything as JSON', async () => {
    const wide = await llmEval(['evaluators', 'show', 'tool-call-match'], { ...options(), columns: 70 })
    expect(wide.out).toMatch(/\nmode +enum += "strict" +How the two lists must agree\. One of\n +strict, in_order,/)
    const { out } = await llmEval(['evaluators', 'show', 'tool-call-match', '--json'], options())
    expect(JSON.parse(out)).toMatchObject({
      slug: 'tool-call-match',
      calibration: null,
      versions: [{ created_at: null }],
      config_schema: { properties: { mode: { default: 'strict' } } },
    })
  })

  test('shows the definition, the versions and the calibration of an evaluator of one’s own', async () => {
    const headers = { 'content-type': 'application/json' }
    const post = async (path: string, body: object, method = 'POST') => {
      const answer = await fetch(`${server.url()}${path}`, { method, headers, body: JSON.stringify(body) })
      expect(answer.ok, await answer.clone().text()).toBe(true)
    }
    const definition = (max: number) => ({ kind: 'preset', base: 'word-count', config: { max } })
    await post('/api/v1/evaluators', { slug: 'brief', definition: definition(5) })
    await post('/api/v1/evaluators/brief', { definition: definition(3) }, 'PATCH')
    await server.post(trace('b1', { ai_response: 'Yes.' }), trace('b2', { ai_response: 'a b c d e f' }))
    for (const id of ['b1', 'b2']) {
      expect((await run('brief', '--trace', id)).code).toBe(id === 'b1' ? 0 : 1)
      await llmEval(
        ['review', id, id === 'b1' ? 'accept' : 'reject', '--reason', 'other'].slice(0, id === 'b1' ? 3 : 5),
        options(),
      )
    }
    await post('/api/v1/evaluators/brief/calibration', {})
    const { out } = await llmEval(['evaluators', 'show', 'brief'], options())
    expect(out).toMatch(/\ncalibrated +current, .*, 2 traces\n/)
    expect(out).toMatch(/\nagreement +1\.00 \(/)
    expect(out).toMatch(/\nVERSION +SINCE\n\w+ +\d{4}-.*\n\w+ +\d{4}-/)
    expect(out).toMatch(/\nDEFINITION\n {2}\{\n {4}"kind": "preset"/)
    await post('/api/v1/evaluators/brief', { definition: definition(4) }, 'PATCH')
    expect((await llmEval(['evaluators', 'show', 'brief'], options())).out).toMatch(/\ncalibrated +expired: /)
  })

  test('that is not there is told with 1', async () => {
    const { code, err } = await llmEval(['evaluators', 'show', 'nobody'], options())
    expect(code).toBe(1)
    expect(err).toBe('error: There is no evaluator nobody. `llm-eval evaluators list` shows what there is.\n')
  })
})

describe('llm-eval evaluators run', () => {
  test('ends with 0 when it passes, and with 1 when it does not', async () => {
    const good = await run('exact_match', '-i', 'response=Paris', '-i', 'reference=Paris')
    expect(good).toMatchObject({ code: 0, err: '' })
    expect(good.out).toMatch(/^Evaluator {2}exact-match \(version \w+\)\nOutcome +scored, passed\nValue +1\n/)
    expect(good.out).toMatch(/\nOutput +match true\nTook .*\nExecution +exe_\w+\n$/)
    const bad = await run('exact-match', '-i', 'response=Paris', '-i', 'reference=a=b', '--wait')
    expect(bad).toMatchObject({ code: 1, err: '' })
    expect(bad.out).toContain('scored, did not pass')
    expect((await run('latency', '-i', 'latency=12.5')).out).toMatch(/Outcome +scored\nValue +12\.5\n/)
  })

  test('takes its input from files, standard input and the command line, later ones going over earlier ones', async () => {
    const given = options()
    writeFileSync(join(given.cwd, 'case.json'), '\uFEFF{"response": "from the file", "reference": "x"}')
    const input = '{"reference": "from stdin"}'
    const args = ['evaluators', 'run', 'exact-match', '-i', '@case.json', '-i', '-', '--json']
    const { code, out } = await llmEval([...args, '--input', 'response=from stdin'], { ...given, input })
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      evaluator: 'exact-match',
      status: 'completed',
      score: { outcome: 'scored', passed: true, output: { match: true } },
    })
    const calls = await run('tool-call-count', '-i', 'tool_calls=["a", "b"]', '-s', 'max=2')
    expect(calls).toMatchObject({ code: 0, err: '' })
  })

  test('takes a configuration with values as its schema has them', async () => {
    const given = options()
    writeFileSync(join(given.cwd, 'config.json'), '{"values": ["Paris", "London"]}')
    const args = ['evaluators', 'run', 'contains', '-i', 'response=In Paris.', '-s', '@config.json']
    expect((await llmEval(args, given)).code).toBe(1)
    expect((await llmEval([...args, '-s', 'mode=any'], given)).code).toBe(0)
    expect((await run('regex-validator', '-i', 'text=4711', '--set', 'regex=4711')).code).toBe(0)
    const wrong = await run('contains', '-i', 'response=x', '-s', 'valeus=["x"]')
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('config.valeus: ')])
  })

  test('on a stored trace leaves the score there, and ends with 3 where evidence is missing', async () => {
    await server.post(trace('r1', { ai_response: 'four words are here' }))
    const scored = await run('word-count', '--trace', 'r1', '-s', 'max=4', '--json')
    expect(scored.code).toBe(0)
    expect(JSON.parse(scored.out)).toMatchObject({ trace_id: 'r1', score: { value: 4, passed: true } })
    const stored = await llmEval(['traces', 'show', 'r1', '--json'], options())
    expect(JSON.parse(stored.out)).toMatchObject({ scores: [{ evaluator: 'word-count', value: 4 }] })
    const skipped = await run('exact-match', '--trace', 'r1')
    expect(skipped.code).toBe(3)
    expect(skipped.out).toMatch(/\nTrace +r1\nOutcome +skipped \(missing_evidence\)\n/)
    expect(skipped.out).not.toMatch(/^Value/m)
    expect((await run('exact-match', '--trace', 'r1', '-i', 'reference=four words are here')).code).toBe(0)
  })

  test('shows what a judge says and costs, and ends with 4 when it fails', async () => {
    const usage = { input: 1_000, output: 500 }
    const { url, provider } = await judging(() =>
      says({ reason: 'It hangs\ntogether.', coherence_score: 0.9 }, { usage }),
    )
    const args = ['evaluators', 'run', 'coherence', '-i', 'text=First this, then that.', '--url', url]
    const judged = await llmEval(args)
    expect([judged.code, judged.err]).toEqual([0, ''])
    expect(judged.out).toMatch(/\nValue +0\.9\nReason +It hangs together\.\n/)
    expect(judged.out).toMatch(/\nCost +\$0\.0020 \(\S+, 1,000 \+ 500 tokens\)\n/)
    expect((await llmEval(args)).out).toContain('from the cache)')
    provider.next(...Array.from({ length: 10 }, () => fails(400, 'no such model')))
    const failed = await llmEval([...args, '-i', 'text=Something else.'])
    expect(failed.code).toBe(4)
    expect(failed.out).toMatch(/Outcome +errored \(\w+\)\nReason +/)
    expect(failed.out).not.toMatch(/^Value/m)
  })

  test('without a provider is errored, and never a 0', async () => {
    const { code, out } = await run('toxicity-detector', '-i', 'text=Thank you!')
    expect(code).toBe(4)
    expect(out).toMatch(/Outcome +errored \(no_provider\)/)
  })

  test('without waiting prints the id alone, which gives the score later', async () => {
    const started = await run('exact-match', '-i', 'response=a', '-i', 'reference=b', '--no-wait')
    expect(started).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^exe_\w+\n$/) as string })
    const { code, out } = await llmEval(['evaluators', 'result', started.out.trim()], options())
    expect(code).toBe(1)
    expect(out).toContain('scored, did not pass')
  })

  test('shows on a terminal how far it is, over a break of the connection', async () => {
    const execution = { execution_id: 'exe_1', evaluator: 'coherence', evaluator_version: 'v', trace_id: null }
    const running = { ...execution, status: 'running', score: null, error: null }
    const over = { ...execution, status: 'cancelled', score: null, error: { code: 'cancelled', message: 'It was.' } }
    const frame = (id: number, event_type: string, data: object) =>
      `id: 7.${id}\ndata: ${JSON.stringify({ event_type, data, timestamp: new Date(0).toISOString() })}\n\n`
    let opened = 0
    const url = await answering((request, response) => {
      if (!request.url?.includes('/events')) return response.end(JSON.stringify(opened < 2 ? running : over))
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const progress = { execution_id: 'exe_1', status: 'running', done: 2, total: 5 }
      response.end(++opened === 1 ? frame(1, 'progress', progress) : frame(2, 'error', over))
    })
    const { code, out, err } = await llmEval(['evaluators', 'result', 'exe_1', '--url', url], { columns: 100 })
    expect(err).toContain('coherence: running, 2 of 5 …')
    expect(err.endsWith('\r\u001b[2K')).toBe(true)
    expect([code, out]).toEqual([4, expect.stringContaining('cancelled: It was.')])
  })

  test('gives up after its time with 2, says where the score will be, and leaves the execution alone', async () => {
    const gate = Promise.withResolvers<void>()
    const { url, provider } = await judging(async () => {
      await gate.promise
      return fails(400, 'no such model')
    })
    const args = ['evaluators', 'run', 'toxicity-detector', '-i', 'text=x', '--url', url, '--timeout', '1s']
    const { code, out, err } = await llmEval(args)
    expect([code, out]).toEqual([2, ''])
    const id = /`llm-eval evaluators result (exe_\w+)` has its score\.\n$/.exec(err)?.[1] ?? ''
    await provider.came(1)
    gate.resolve()
    const later = await llmEval(['evaluators', 'result', id, '--url', url, '--json'])
    expect(later.code).toBe(4)
    expect(JSON.parse(later.out)).toMatchObject({ execution_id: id, status: 'failed' })
  })

  test('is left by Ctrl-C with 130, and says that the execution goes on', async () => {
    const stop = new AbortController()
    const execution = { execution_id: 'exe_1', evaluator: 'coherence', status: 'running', score: null, error: null }
    const url = await answering((request, response) => {
      if (!request.url?.includes('/events')) return response.end(JSON.stringify(execution))
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      stop.abort(new Error('ended by SIGINT'))
    })
    const args = ['evaluators', 'run', 'coherence', '-i', 'text=x', '--url', url]
    const { code, out, err } = await llmEval(args, { signal: stop.signal })
    expect([code, out]).toEqual([130, ''])
    expect(err).toContain('Interrupted. The execution goes on: `llm-eval evaluators result exe_1` has its score.')
  })

  test('complains about what it cannot know or read with 2, so that 1 is a verdict and nothing else', async () => {
    const given = options()
    writeFileSync(join(given.cwd, 'list.json'), '[1]')
    for (const [args, words] of [
      [['exact-match'], 'Give an input'],
      [['exact-match', '-i', 'response'], 'response is neither name=value nor @FILE'],
      [['exact-match', '-i', '@gone.json'], 'it is not there'],
      [['exact-match', '-i', '@list.json'], 'must hold a JSON object'],
      [['exact-match', '-i', '-'], 'standard input holds no JSON'],
      [['exact-match', '-i', 'response=x'], 'input.reference: is required'],
      [['nobody', '-i', 'response=x'], '`llm-eval evaluators list`'],
      [['exact-match', '--trace', 'nobody'], '`llm-eval traces list`'],
      [['exact-match', '--trace', 'x', '--timeout', '0'], 'from 1s to 7d'],
      [['exact-match', '-i', 'response=x', '--at', 'v9'], 'v9'],
    ] as const) {
      const { code, err, out } = await llmEval(['evaluators', 'run', ...args], given)
      expect([code, out], err).toEqual([2, ''])
      expect(err).toContain(words)
    }
    const gone = await llmEval(['evaluators', 'result', 'exe_gone'], given)
    expect([gone.code, gone.err]).toEqual([2, expect.stringContaining('No execution has this id.')])
    const nobody = await llmEval(['evaluators', 'list', '--url', 'http://127.0.0.1:9'])
    expect([nobody.code, nobody.err]).toEqual([2, expect.stringContaining('Cannot reach')])
  })
})
