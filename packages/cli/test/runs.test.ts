import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run as runAnswer } from '@llm-eval/protocol/run-schemas'
import { beforeAll, describe, expect, test } from 'vitest'
import { answering, folder, llmEval, sharedServer } from './stage.ts'

const server = sharedServer({ allow_private_evaluators: true })

const options = (cwd = folder()) => ({ cwd, env: { LLM_EVAL_URL: server.url() } })

/** Adds a dataset. */
async function makeDataset(slug: string, rows: object[]): Promise<void> {
  const input = rows.map((row) => JSON.stringify(row)).join('\n')
  const args = ['datasets', 'import', '-', '--dataset', slug, '--format', 'jsonl']
  const { code, err } = await llmEval(args, { ...options(import.meta.dirname), input })
  if (code !== 0) throw new Error(err)
}

/** Starts a run of the answers in a column, and stays until it is over. */
async function finish(dataset: string, column: string, ...more: string[]) {
  const args = ['runs', 'start', '--dataset', dataset, '--outputs', column, ...more, '--watch', '--json']
  const { code, out, err } = await llmEval(args, options())
  if (code !== 0) throw new Error(err)
  return runAnswer.parse(JSON.parse(out))
}

const cases = ['one', 'two', 'three', 'four'].map((input) => ({
  input,
  expected: input,
  right: input,
  half: input.length === 3 ? input : 'wrong',
}))

beforeAll(() => makeDataset('numbers', cases))

describe('llm-eval runs start', () => {
  test('starts a run of flags, and shows it when it is over', async () => {
    const args = ['runs', 'start', '--dataset', 'numbers', '--outputs', 'half', '-m', 'exact-match', '--watch']
    const { code, out, err } = await llmEval([...args, '--id', 'flags', '--tag', 'a', '--tag', 'b'], options())
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/^Run +flags\nStatus +completed\nName +numbers\n/)
    expect(out).toMatch(/\nItems +4\/4, 100 % without an error\n/)
    expect(out).toMatch(/\nTags +a, b\n/)
    expect(out).toMatch(/METRIC +MEAN +95 % +N +SCORED +PASSED +SKIPPED +ERRORED\n/)
    expect(out).toMatch(/exact-match +0\.5 +0\.\d+ to 0\.\d+ +4 +100 % +50 % +0 +0\n/)
    expect(out).toMatch(/\nNext: llm-eval compare BASELINE flags --fail-on regression\n$/)
  })

  test('starts a run of a file, flags going over it', async () => {
    const given = options()
    const file = {
      name: 'of a file',
      dataset: 'numbers',
      task: { kind: 'outputs', column: 'right' },
      metrics_used: ['exact-match'],
      settings: { concurrency: 3, repetitions: 1 },
    }
    writeFileSync(join(given.cwd, 'run.json'), JSON.stringify(file))
    const { out } = await llmEval(
      ['runs', 'start', 'run.json', '--repetitions', '2', '-m', 'length=char-count', '--json'],
      given,
    )
    expect(JSON.parse(out)).toMatchObject({
      name: 'of a file',
      settings: { concurrency: 3, repetitions: 2 },
      total_items: 8,
      metrics_used: [{ name: 'length', evaluator: 'char-count' }],
    })
  })

  test('asks an endpoint with its headers, draws a bar, and groups what went wrong', async () => {
    const given = options()
    const endpoint = await answering((request, response, body) => {
      if (request.headers['x-key'] !== 'secret' || body.includes('three')) return response.writeHead(500).end('no')
      response.setHeader('content-type', 'application/json')
      response.end('{"a":{"b":"one"}}')
    })
    const asked = ['--endpoint', endpoint, '--header', 'X-Key: secret', '--output', 'a.b', '--timeout', '60s']
    const args = ['runs', 'start', '--dataset', 'numbers', ...asked, '-m', 'exact-match', '--id', 'asks', '--watch']
    const { code, out, err } = await llmEval(args, { ...given, columns: 100, env: { ...given.env, NO_COLOR: '1' } })
    expect([code, out]).toEqual([0, expect.stringContaining('4/4, 75 % without an error')])
    expect(err).toMatch(/waits for a worker|\d\/4 items/)
    expect(out).toMatch(/TIMES +ERROR +SUCH AS +WHAT IT SAYS\n +1 +execution_failed /)
    expect(out).not.toContain('secret')
    const items = await llmEval(['runs', 'items', 'asks', '--status', 'failed'], given)
    expect(items.out).toMatch(/ITEM +CASE +STATUS +LATENCY +exact-match +OUTPUT\n +2 .* failed .*execution_failed: /)
  })

  test('says how to go on when nobody waits, and that it goes on after Ctrl-C', async () => {
    const given = options()
    const { promise: asked, resolve } = Promise.withResolvers<void>()
    // It never answers.
    const endpoint = await answering(() => resolve())
    const args = ['runs', 'start', '--dataset', 'numbers', '--endpoint', endpoint, '-m', 'exact-match']
    const started = await llmEval([...args, '--id', 'first'], given)
    expect(started).toEqual({ code: 0, err: '', out: 'Started first.\n\nNext: llm-eval runs watch first\n' })
    const same = await llmEval([...args, '--id', 'first'], given)
    expect([same.code, same.out]).toEqual([0, expect.stringContaining('It is there already: first.')])
    const other = await llmEval([...args, '--id', 'first', '--retries', '1'], given)
    expect([other.code, other.err]).toEqual([2, expect.stringContaining('with other content')])
    await asked
    const told = (await llmEval(['runs', 'show', 'first', '--json'], given)).out
    const interrupting = new AbortController()
    let looks = 0
    const url = await answering((_request, response) => {
      if (++looks === 1) response.end(told)
      else interrupting.abort()
    })
    const watched = await llmEval(['runs', 'watch', 'first', '--url', url], { ...given, signal: interrupting.signal })
    expect([watched.code, watched.err]).toEqual([130, expect.stringContaining('Interrupted. The run goes on: ')])
    const cancelled = await llmEval(['runs', 'cancel', 'first'], given)
    expect([cancelled.code, cancelled.out]).toEqual([0, 'first is cancelled, with 0/4 items finished.\n'])
    const over = await llmEval(['runs', 'watch', 'first'], given)
    expect([over.code, over.out]).toEqual([1, expect.stringMatching(/Next: llm-eval runs resume first --watch\n$/)])
    const again = await llmEval(['runs', 'cancel', 'first'], given)
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('`llm-eval runs resume` goes on with it.')])
  })

  test.each([
    [[], 'Say what answers the cases'],
    [['--outputs', 'right', '--prompt', 'x', '-m', 'exact-match'], 'Only one of'],
    [['--outputs', 'right', '--model', 'x', '-m', 'exact-match'], '--system and --model belong to --prompt'],
    [['--outputs', 'right', '--header', 'a:b', '-m', 'exact-match'], 'belong to --endpoint'],
    [['--endpoint', 'http://127.0.0.1:9', '--header', 'secret', '-m', 'exact-match'], 'A header is given as'],
    [['--outputs', 'right'], 'metrics_used: is required'],
    [['--outputs', 'gone', '-m', 'exact-match'], 'task.column: is no column of the dataset'],
    [['--outputs', 'right', '-m', 'nobody'], 'metrics_used[0].evaluator: is not known'],
    [['--prompt', '@gone.txt', '-m', 'exact-match'], 'it is not there'],
    [['gone.json'], 'it is not there'],
  ])('%j is told with 2', async (args, words) => {
    const { code, err } = await llmEval(['runs', 'start', '--dataset', 'numbers', ...args], options())
    expect(code, err).toBe(2)
    expect(err).toContain(words)
    expect(err).not.toContain('secret')
  })
})

describe('llm-eval runs', () => {
  test('list filters, orders and pages', async () => {
    await makeDataset('listed', cases)
    for (const id of ['l1', 'l2', 'l3'])
      await finish('listed', 'right', '-m', 'exact-match', '--id', id, '--name', `run ${id}`, '--tag', 'listed')
    const list = (...args: string[]) => llmEval(['runs', 'list', '--tag', 'listed', ...args], options())
    const all = await list('--order', 'name', '--ascending')
    expect(all.out).toMatch(/^MADE +RUN +STATUS +DONE +SUCCESS +COST +TOOK +DATASET +NAME\n/)
    expect(all.out.match(/ l\d /g)).toEqual([' l1 ', ' l2 ', ' l3 '])
    expect(all.out).toMatch(/ l1 +completed +4\/4 +100 % +\$0\.0000 +.* listed +run l1\n/)
    const page = await list('--order', 'name', '--limit', '2', '--json')
    expect(page.out.match(/"run_id":"l\d"/g)).toEqual(['"run_id":"l3"', '"run_id":"l2"'])
    const cursor = /--cursor (\S+)/.exec(page.err)?.[1] ?? ''
    expect((await list('--order', 'name', '--limit', '2', '--cursor', cursor)).out).toContain('run l1')
    const narrow = ['--dataset', 'listed', '--status', 'completed', '--min-success', '1', '--max-duration', '1h']
    expect((await list(...narrow, '--after', '1h', '--search', 'L2', '--json')).out).toMatch(/^\{"run_id":"l2".*\}\n$/)
    expect(await list('--before', '1h')).toEqual({ code: 0, out: '', err: 'No run fits.\n' })
  })

  test('show, items, approve, reject, resume and delete work on one', async () => {
    const { run_id: id } = await finish('numbers', 'half', '-m', 'exact-match')
    const given = options()
    const json = runAnswer.parse(JSON.parse((await llmEval(['runs', 'show', id, '--json'], given)).out))
    expect(json).toMatchObject({ run_id: id, metrics: { 'exact-match': { mean: 0.5, n: 4 } } })
    const below = await llmEval(['runs', 'items', id, '--below', 'exact-match=0.5', '--limit', '1'], given)
    expect(below.out).toMatch(/exact-match +OUTPUT\n +2 .* success .* 0 +wrong\n$/)
    expect(below.err).toBe('There is more: --limit 10\n')
    const none = await llmEval(['runs', 'items', id, '--status', 'failed'], given)
    expect(none).toEqual({ code: 0, out: '', err: 'No finished item fits.\n' })
    expect((await llmEval(['runs', 'approve', id, '--note', 'good', '--by', 'ada'], given)).out).toBe(
      `${id} is approved.\n`,
    )
    expect((await llmEval(['runs', 'show', id], given)).out).toMatch(/\nDecided +approved by ada “good”\n/)
    expect((await llmEval(['runs', 'reject', id], given)).out).toBe(`${id} is rejected.\n`)
    const resumed = await llmEval(['runs', 'resume', id, '--watch', '--json'], given)
    expect(JSON.parse(resumed.out)).toMatchObject({ status: 'completed', approval: null, completed_items: 4 })
    const asked = await llmEval(['runs', 'delete', id], given)
    expect([asked.code, asked.err]).toEqual([2, expect.stringContaining('add --yes')])
    expect((await llmEval(['runs', 'delete', id, '--yes'], given)).out).toBe(`${id} is deleted.\n`)
    expect((await llmEval(['runs', 'show', id], given)).code).toBe(1)
  })

  test('items shows a metric without a score that is called like a member of objects', async () => {
    const metrics = ['-m', 'constructor=exact-match']
    const { run_id: id } = await finish('numbers', 'half', ...metrics)
    const given = options()
    expect((await llmEval(['runs', 'items', id, '--limit', '1'], given)).out).toMatch(
      /constructor +OUTPUT\n .* 1 +one\n$/,
    )
    const endpoint = await answering((_request, response) => response.writeHead(500).end('no'))
    const args = ['runs', 'start', '--dataset', 'numbers', '--endpoint', endpoint, '--id', 'unscored', ...metrics]
    await llmEval([...args, '--watch'], given)
    expect(await llmEval(['runs', 'items', 'unscored', '--limit', '1'], given)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/ failed .* - +execution_failed: /),
    })
  })

  test.each(['show', 'items', 'cancel', 'resume', 'approve', 'reject'])(
    '%s of one that is not there ends with 1',
    async (command) => {
      const { code, err } = await llmEval(['runs', command, 'nobody'], options())
      expect([code, err]).toEqual([1, expect.stringContaining('`llm-eval runs list` shows what there is.')])
    },
  )

  test('watch of one that is not there ends with 2', async () => {
    expect((await llmEval(['runs', 'watch', 'nobody'], options())).code).toBe(2)
  })
})
