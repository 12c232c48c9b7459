import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { answering, folder, intake, lines, llmEval, serve, start, trace } from './stage.ts'

async function totalAt(url: string): Promise<number> {
  const answer = await fetch(`${url}/webhook/stats`)
  const stats = (await answer.json()) as { total_traces: number }
  return stats.total_traces
}

function file(content: string, name = 'traces.jsonl'): { cwd: string; path: string } {
  const cwd = folder()
  writeFileSync(join(cwd, name), content)
  return { cwd, path: join(cwd, name) }
}

const resumeFile = (path: string) => `${path}.llm-eval-resume`

describe('llm-eval send', () => {
  test('stores JSON Lines, an array and a single trace, from files and from standard input', async () => {
    const { url } = await serve()
    const cwd = folder()
    writeFileSync(join(cwd, 'lines.jsonl'), lines(250))
    writeFileSync(join(cwd, 'array.json'), JSON.stringify([trace('a1'), trace('a2')], null, 2))
    writeFileSync(join(cwd, 'one.json'), JSON.stringify(trace('o1'), null, 2))
    const env = { LLM_EVAL_URL: url }
    const fromLines = await llmEval(['send', 'lines.jsonl'], { cwd, env })
    expect(fromLines.code).toBe(0)
    expect(fromLines.out).toMatch(/^250 traces sent to http/)
    expect(fromLines.out).toMatch(/created +250\n/)
    expect((await llmEval(['send', 'array.json'], { cwd, env })).out).toMatch(/created +2\n/)
    expect((await llmEval(['send', 'one.json'], { cwd, env })).out).toMatch(/created +1\n/)
    const again = await llmEval(['send', '-', '--json'], { cwd, env, input: lines(250) })
    expect(JSON.parse(again.out)).toMatchObject({ traces: 250, created: 0, duplicates: 250, complete: true })
    expect(await totalAt(url)).toBe(253)
  })

  test('names the fate and the line of what was refused, and exits with 1', async () => {
    const server = await serve()
    const { url } = server
    await server.post(trace('known'))
    const { cwd } = file(
      [
        JSON.stringify(trace('good')),
        'nonsense',
        JSON.stringify(trace('known', { user_query: 'another one' })),
        JSON.stringify(trace('bad', { cost: 'cheap' })),
        '',
      ].join('\n'),
    )
    const { code, out, err } = await llmEval(['send', 'traces.jsonl', '--url', url], { cwd })
    expect(code).toBe(1)
    expect(out).toMatch(/created +1\n +duplicates +0\n +conflicts +1\n +invalid +2\n/)
    expect(out).toMatch(/line 2: it is not JSON/)
    expect(out).toMatch(/line 3: known A trace with this trace_id exists already/)
    expect(out).toMatch(/line 4: bad cost: /)
    expect(err).not.toMatch(/ {4}at /)
  })

  test('shows the first 20 refused lines and counts the rest; --errors has them all, in order', async () => {
    const { url } = await intake()
    const { cwd } = file('{"a":1}\n'.repeat(45))
    const { code, out } = await llmEval(['send', 'traces.jsonl', '--url', url, '--errors', 'refused.jsonl'], { cwd })
    expect(code).toBe(1)
    expect(out.match(/line \d+:/g)).toHaveLength(20)
    expect(out).toContain('and 25 more; all are in refused.jsonl')
    const refused = readFileSync(join(cwd, 'refused.jsonl'), 'utf8').trim().split('\n')
    expect(refused.map((line) => (JSON.parse(line) as { line: number }).line)).toEqual(
      Array.from({ length: 45 }, (_, index) => index + 1),
    )
  })

  test('one trace that the server refuses with its whole request does not take the others with it', async () => {
    let requests = 0
    const url = await answering((request, response, body) => {
      if (request.url === '/webhook/health') return response.end('{"status":"healthy"}')
      requests++
      const { traces } = JSON.parse(body) as { traces: { trace_id: string }[] }
      const ids = traces.map(({ trace_id }) => trace_id)
      if (ids.includes('t13')) {
        response.statusCode = 413
        return response.end(
          JSON.stringify({ success: false, message: 'The body is too large.', errors: [], trace_ids: [] }),
        )
      }
      const results = ids.map((trace_id) => ({ trace_id, status: 'created' }))
      response.end(JSON.stringify({ success: true, message: '', errors: null, trace_ids: ids, results }))
    })
    const { cwd } = file(lines(40))
    const { code, out } = await llmEval(['send', 'traces.jsonl', '--url', url], { cwd })
    expect(code).toBe(1)
    expect(out).toMatch(/created +39\n/)
    expect(out).toContain('line 14: t13 The body is too large.')
    expect(requests).toBeLessThan(20)
  })

  test('a server that is busy is asked again, and everything arrives', async () => {
    let refusals = 3
    const url = await answering((request, response, body) => {
      if (request.url === '/webhook/health') return response.end('{"status":"healthy"}')
      if (refusals-- > 0) {
        response.writeHead(503, { 'retry-after': '0', 'content-type': 'application/json' })
        return response.end(
          JSON.stringify({ success: false, message: 'busy', errors: [], trace_ids: [], code: 'overloaded' }),
        )
      }
      const ids = (JSON.parse(body) as { traces: { trace_id: string }[] }).traces.map(({ trace_id }) => trace_id)
      response.end(
        JSON.stringify({ success: true, message: '', errors: null, trace_ids: ids, processed_count: ids.length }),
      )
    })
    const { cwd } = file(lines(200))
    const { code, out } = await llmEval(['send', 'traces.jsonl', '--url', url], { cwd })
    expect(out).toMatch(/created +200\n/)
    expect(code).toBe(0)
  })

  test('killed in the middle, it goes on with --resume where it stopped, and the summary counts both runs', async () => {
    const server = await intake(4)
    const { cwd, path } = file(lines(1_000))
    const args = ['send', 'traces.jsonl', '--url', server.url, '--resume', '--concurrency', '1']
    const first = start(args, { cwd })
    await server.hung
    expect(existsSync(resumeFile(path))).toBe(true)
    first.child.kill('SIGKILL')
    await first.ended
    server.hangsAt = Number.POSITIVE_INFINITY
    const before = server.batches.length
    const { code, out, err } = await llmEval(args, { cwd })
    expect(code).toBe(0)
    expect(err).toMatch(/Going on at line \d+/)
    expect(server.batches[before]?.[0]).not.toBe('t0')
    expect(new Set(server.batches.flat()).size).toBe(1_000)
    expect(out).toMatch(/created +1,000\n/)
    expect(out).toMatch(/more in an earlier run\)/)
    expect(existsSync(resumeFile(path))).toBe(false)
  })

  test('Ctrl-C ends it with 130, keeps the place to the line, and says how to go on', async () => {
    const server = await intake(4)
    const { cwd, path } = file(lines(1_000))
    const args = ['send', 'traces.jsonl', '--url', server.url, '--resume', '--concurrency', '1']
    const first = start(args, { cwd })
    await server.hung
    first.child.kill('SIGINT')
    const { code, out, err } = await first.ended
    expect(code).toBe(130)
    expect(out).toMatch(/^300 traces sent/)
    expect(err).toContain('Interrupted. Run the same command again')
    expect(JSON.parse(readFileSync(resumeFile(path), 'utf8'))).toMatchObject({ line: 301, totals: { created: 300 } })
    // More may have been appended meanwhile: what was sent of the file is the same.
    writeFileSync(path, lines(1_200))
    server.hangsAt = Number.POSITIVE_INFINITY
    const second = await llmEval(args, { cwd })
    expect(second.code).toBe(0)
    expect(server.batches.flat()).toEqual(Array.from({ length: 1_200 }, (_, index) => `t${index}`))
  })

  test('a file that changed since is sent from its beginning', async () => {
    const server = await intake(4)
    const { cwd, path } = file(lines(1_000))
    const args = ['send', 'traces.jsonl', '--url', server.url, '--resume', '--concurrency', '1']
    const first = start(args, { cwd })
    await server.hung
    first.child.kill('SIGINT')
    await first.ended
    server.hangsAt = Number.POSITIVE_INFINITY
    server.batches.length = 0
    writeFileSync(path, lines(500, { model_name: 'another' }))
    const { err, out } = await llmEval(args, { cwd })
    expect(err).toContain('starting from the beginning')
    expect(out).toMatch(/^500 traces sent/)
    expect(server.batches.flat()).toHaveLength(500)
  })

  test('with nobody there it says so at once and exits with 2', async () => {
    const { cwd } = file(lines(1))
    const { code, out, err } = await llmEval(['send', 'traces.jsonl', '--url', 'http://127.0.0.1:9'], { cwd })
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err).toMatch(/^error: Cannot reach http:\/\/127\.0\.0\.1:9/)
    expect(err).toContain('llm-eval serve')
  })

  test('a server that goes away in the middle ends it with 2, with what was done until then', async () => {
    const server = await intake()
    let seen = 0
    const url = await answering((request, response, body) => {
      if (request.url !== '/webhook/health' && ++seen > 2) return request.socket.destroy()
      void fetch(server.url + request.url, { method: request.method ?? 'GET', ...(body ? { body } : {}) })
        .then((answer) => answer.text())
        .then((text) => response.end(text))
    })
    const { cwd } = file(lines(1_000))
    const { code, out, err } = await llmEval(
      ['send', 'traces.jsonl', '--url', url, '--retries', '0', '--concurrency', '1'],
      { cwd },
    )
    expect(code).toBe(2)
    expect(out).toMatch(/created +200\n/)
    expect(err).toContain('Not everything was sent.')
  })

  test('missing files, directories and unusable options are told in a sentence, with 2', async () => {
    const cwd = folder()
    const env = { LLM_EVAL_URL: (await intake()).url }
    const say = async (...args: string[]) => {
      const { code, err } = await llmEval(['send', ...args], { cwd, env })
      expect(code).toBe(2)
      expect(err).not.toMatch(/ {4}at /)
      return err
    }
    expect(await say('nowhere.jsonl')).toMatch(/nowhere\.jsonl cannot be read: it is not there\./)
    expect(await say('.')).toContain('is a directory')
    expect(await say('-', '--resume')).toContain('Standard input cannot be resumed')
    expect(await say('x', '--batch-size', '101')).toContain('1 to 100')
    expect(await say()).toContain("missing required argument 'file'")
  })

  test('on a terminal it draws a progress bar and takes it away; elsewhere there is none', async () => {
    const { url } = await intake()
    const { cwd } = file(lines(300))
    const seen = await llmEval(['send', 'traces.jsonl', '--url', url], { cwd, columns: 80 })
    expect(seen.err).toContain('0 traces, 0/s')
    expect(seen.err.endsWith('\u001b[2K')).toBe(true)
    const piped = await llmEval(['send', 'traces.jsonl', '--url', url], { cwd })
    expect(piped.err).toBe('')
    expect(piped.out).not.toContain('\u001b')
  })

  test('NO_COLOR takes the colours away on a terminal', async () => {
    const { url } = await intake()
    const { cwd } = file('{"a":1}\n')
    const plain = await llmEval(['send', 'traces.jsonl', '--url', url], { cwd, columns: 80, env: { NO_COLOR: '1' } })
    expect(plain.out).not.toContain('\u001b[')
    const coloured = await llmEval(['send', 'traces.jsonl', '--url', url], { cwd, columns: 80 })
    expect(coloured.out).toContain('\u001b[31m')
  })
})

test('an input that is larger than the memory is sent', { timeout: 120_000 }, async () => {
  const server = await answering((request, response, body) => {
    if (request.url === '/webhook/health') return response.end('{"status":"healthy"}')
    const ids = (JSON.parse(body) as { traces: { trace_id: string }[] }).traces.map(({ trace_id }) => trace_id)
    response.end(
      JSON.stringify({ success: true, message: '', errors: null, trace_ids: ids, processed_count: ids.length }),
    )
  })
  // 100 MB of traces through a heap of 48 MB: keeping what was sent would end the process.
  const env = { NODE_OPTIONS: '--max-old-space-size=48' }
  const sending = start(['send', '-', '--url', server, '--json'], { cwd: folder(), env })
  const text = 'x'.repeat(50_000)
  const count = 2_000
  for (let index = 0; index < count; index++) {
    const line = `${JSON.stringify(trace(`t${index}`, { ai_response: text }))}\n`
    if (!sending.child.stdin.write(line)) await once(sending.child.stdin, 'drain')
  }
  sending.child.stdin.end()
  const { out, code } = await sending.ended
  expect(code).toBe(0)
  expect(JSON.parse(out)).toMatchObject({ created: count })
})
