import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { answering, folder, intake, lines, llmEval, sharedServer, start, trace } from './stage.ts'

const server = sharedServer()

describe('llm-eval traces', () => {
  test('lists with filters, aligned by cells and not by characters, and goes on by cursor', async () => {
    await server.post(
      trace('one', {
        session_id: 'listed',
        user_query: 'plain',
        response_time_ms: 100,
        timestamp: '2025-01-01T00:00:00Z',
      }),
      trace('二', { session_id: 'listed', user_query: '你好', model_name: '模型', timestamp: '2025-01-02T00:00:00Z' }),
    )
    const env = { LLM_EVAL_URL: server.url() }
    const { out, code } = await llmEval(['traces', 'list', '--session', 'listed'], { env })
    expect(code).toBe(0)
    const [head = '', first = '', second = ''] = out.split('\n')
    expect(first).toMatch(/二 +模型 +pending/)
    // 二 takes two cells, 模型 four.
    expect(first.indexOf('pending') + 3).toBe(head.indexOf('STATUS'))
    expect(second.indexOf('pending')).toBe(head.indexOf('STATUS'))
    const filtered = await llmEval(['traces', 'list', '--min-latency', '50', '--session', 'listed', '--json'], { env })
    expect(JSON.parse(filtered.out)).toMatchObject({ trace_id: 'one' })
    const page = await llmEval(['traces', 'list', '--session', 'listed', '-n', '1', '--json'], { env })
    const cursor = /--cursor (\S+)/.exec(page.err)?.[1] ?? ''
    const next = await llmEval(['traces', 'list', '--session', 'listed', '-n', '1', '--json', '--cursor', cursor], {
      env,
    })
    expect(JSON.parse(next.out)).toMatchObject({ trace_id: 'one' })
    const none = await llmEval(['traces', 'list', '--model', 'nobody'], { env })
    expect([none.code, none.out, none.err]).toEqual([0, '', 'No trace fits.\n'])
  })

  test('on a terminal no line is wider than the screen', async () => {
    await server.post(trace('wide', { session_id: 'wide', user_query: '漢字'.repeat(40) }))
    const { out } = await llmEval(['traces', 'list', '--session', 'wide', '--url', server.url()], {
      columns: 90,
      env: { NO_COLOR: '1' },
    })
    const row = out.split('\n')[1] ?? ''
    expect(row.endsWith('…')).toBe(true)
    expect(
      Array.from(row).reduce((cells, character) => cells + (/[漢字]/.test(character) ? 2 : 1), 0),
    ).toBeLessThanOrEqual(90)
  })

  test('shows a trace without letting its text steer the terminal', async () => {
    await server.post(trace('evil', { ai_response: 'line one\nred \u001b[31m \u202eevil', metadata: { deep: [1] } }))
    const { out } = await llmEval(['traces', 'show', 'evil', '--url', server.url()])
    expect(out).toContain('  line one\n  red \\u001b[31m \\u202eevil')
    expect(out).not.toContain('\u001b')
    const json = await llmEval(['traces', 'show', 'evil', '--json', '--url', server.url()])
    expect(JSON.parse(json.out)).toMatchObject({ trace_id: 'evil', metadata: { deep: [1] } })
  })

  test('shows numbers with the digits they were sent with', async () => {
    const digits = '12345678901234567890'
    const exact = JSON.rawJSON(digits)
    await server.post(
      trace('exact', { metadata: { id: exact, near: 0.1 }, functions_called: [{ name: 'f', result: exact }] }),
    )
    const { out } = await llmEval(['traces', 'show', 'exact', '--url', server.url()])
    expect(out).toContain(`"result": ${digits}`)
    expect(out).toContain(`"id": ${digits},\n    "near": 0.1`)
    const json = await llmEval(['traces', 'show', 'exact', '--json', '--url', server.url()])
    expect(json.out.split(digits)).toHaveLength(3)
    const judged = await llmEval(['review', 'exact', 'accept', '--json', '--url', server.url()])
    expect(judged.out.split(digits)).toHaveLength(3)
  })

  test('a trace that is not there exits with 1 and says where to look', async () => {
    const { code, err } = await llmEval(['traces', 'show', 'nothing', '--url', server.url()])
    expect(code).toBe(1)
    expect(err).toBe('error: No trace has this trace_id. `llm-eval traces list` shows what there is.\n')
  })

  test('a verdict is recorded; a rejection without a usable reason is refused with the reasons', async () => {
    await server.post(trace('judged'))
    const env = { LLM_EVAL_URL: server.url() }
    expect((await llmEval(['review', 'judged', 'accept'], { env })).out).toBe('judged is accepted now (version 1).\n')
    const refused = await llmEval(['review', 'judged', 'reject'], { env })
    expect(refused.code).toBe(1)
    expect(refused.err).toContain('hallucinated')
    const rejected = await llmEval(
      ['review', 'judged', 'reject', '--reason', 'hallucinated', '--note', 'no', '--reviewer', 'Ada', '--json'],
      { env },
    )
    expect(JSON.parse(rejected.out)).toMatchObject({
      evaluation_status: 'rejected',
      review: { reason: 'hallucinated', note: 'no', reviewer: 'Ada' },
    })
    expect((await llmEval(['review', 'judged', 'maybe'], { env })).code).toBe(2)
  })

  test('deleting asks first, and where nobody can be asked wants --yes', async () => {
    await server.post(trace('doomed'))
    const env = { LLM_EVAL_URL: server.url() }
    const asked = await llmEval(['delete', 'doomed'], { env })
    expect(asked.code).toBe(2)
    expect(asked.err).toContain('--yes')
    expect((await llmEval(['delete', 'doomed', '--yes'], { env })).code).toBe(0)
    expect((await llmEval(['delete', 'doomed', '--yes'], { env })).code).toBe(1)
  })
})

describe('llm-eval export', () => {
  test('writes what fits to standard output or into a file, which appears whole', async () => {
    await server.post(
      trace('e1', { source: 'exp', model_name: 'x' }),
      trace('e2', { source: 'exp', user_query: 'two\nlines, "quoted"' }),
    )
    const cwd = folder()
    const options = { cwd, env: { LLM_EVAL_URL: server.url() } }
    const printed = await llmEval(['export', '--model', 'x'], options)
    expect(JSON.parse(printed.out)).toMatchObject({ trace_id: 'e1' })
    const { code, err } = await llmEval(['export', '--source', 'exp', '--format', 'csv', '-o', 'all.csv'], options)
    expect(code).toBe(0)
    expect(err).toMatch(/^2 traces, .*all\.csv\n$/)
    expect(readFileSync(join(cwd, 'all.csv'), 'utf8')).toContain('"two\nlines, ""quoted"""')
    expect(readdirSync(cwd)).toEqual(['all.csv'])
  })

  test('overwrites a file only with --force', async () => {
    await server.post(trace('kept'))
    const cwd = folder()
    writeFileSync(join(cwd, 'mine.jsonl'), 'precious')
    const args = ['export', '-o', 'mine.jsonl', '--url', server.url()]
    const refused = await llmEval(args, { cwd })
    expect(refused.code).toBe(2)
    expect(refused.err).toContain('--force')
    expect(readFileSync(join(cwd, 'mine.jsonl'), 'utf8')).toBe('precious')
    expect((await llmEval([...args, '--force'], { cwd })).code).toBe(0)
    expect(readFileSync(join(cwd, 'mine.jsonl'), 'utf8')).toContain('"trace_id":"kept"')
  })

  test.each([
    ['broken off by the server', (socket: { destroy(): void }) => socket.destroy()],
    ['ended by a proxy in the middle of a trace', undefined],
  ])('an export that was %s fails with 1 and leaves no file, and the old one stays', async (_, cut) => {
    const url = await answering((request, response) => {
      response.writeHead(200, { 'content-type': 'application/jsonl' })
      response.write('{"trace_id":"a"}\n{"trace_id":', () => (cut ? cut(request.socket) : response.end()))
    })
    const cwd = folder()
    writeFileSync(join(cwd, 'old.jsonl'), 'old')
    const { code, err } = await llmEval(['export', '-o', 'old.jsonl', '--force', '--url', url], { cwd })
    expect(code).toBe(1)
    expect(err).toMatch(/^error: The export (broke off|is cut off) /)
    expect(readdirSync(cwd)).toEqual(['old.jsonl'])
    expect(readFileSync(join(cwd, 'old.jsonl'), 'utf8')).toBe('old')
  })

  test('Ctrl-C leaves no file and ends it with 130', async () => {
    const { promise: begun, resolve } = Promise.withResolvers<void>()
    const url = await answering((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/jsonl' })
      response.write('{"trace_id":"a"}\n', () => resolve())
    })
    const cwd = folder()
    const exporting = start(['export', '-o', 'new.jsonl', '--url', url], { cwd })
    await begun
    exporting.child.kill('SIGINT')
    const { code, err } = await exporting.ended
    expect(code).toBe(130)
    expect(err).toContain('No file was written.')
    expect(existsSync(join(cwd, 'new.jsonl'))).toBe(false)
  })

  test('a reader that has seen enough (| head) ends it quietly', async () => {
    const batch = Array.from({ length: 100 }, (_, index) => trace(`long${index}`, { ai_response: 'x'.repeat(20_000) }))
    await server.post(...batch)
    const exporting = start(['export', '--url', server.url()], { cwd: folder() })
    await exporting.says('trace_id')
    exporting.child.stdout.destroy()
    const { code, err } = await exporting.ended
    expect([code, err]).toEqual([0, ''])
  })

  test('what a server does not understand is told in its words', async () => {
    const { code, err } = await llmEval(['export', '--search', 'x'.repeat(500), '--url', server.url()])
    expect(code).toBe(1)
    expect(err).toMatch(/^error: .*q: may hold at most 200 characters/)
  })
})

test('an export can be sent to another server', async () => {
  await llmEval(['send', '-', '--source', 'moved', '--url', server.url()], { input: lines(3) })
  const { out } = await llmEval(['export', '--source', 'moved', '--url', server.url()])
  const other = await intake()
  expect((await llmEval(['send', '-', '--url', other.url], { input: out })).code).toBe(0)
  expect(other.batches.flat().sort()).toEqual(['t0', 't1', 't2'])
})
