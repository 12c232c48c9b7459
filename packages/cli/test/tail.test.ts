import { describe, expect, test } from 'vitest'
import { answering, folder, llmEval, serve, sharedServer, start, trace } from './stage.ts'

const shared = sharedServer()

interface Frame {
  event: string
  cursor?: string
  data?: { trace_id?: string }
}

const frames = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Frame)

describe('llm-eval tail', () => {
  test('shows what there is, then what happens, in columns that stand still; Ctrl-C ends it with 130 and a cursor', async () => {
    const server = await serve()
    await server.post(trace('old', { user_query: 'before' }))
    const tail = start(['tail', '--url', server.url], { cwd: folder() })
    await tail.says('before')
    await server.post(trace('new', { user_query: '現在', response_time_ms: 850, cost: 0.0012 }))
    await tail.says('現在')
    await fetch(`${server.url}/api/v1/traces/new/review`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ status: 'rejected', reason: 'hallucinated', reviewer: 'Ada' }),
    })
    await tail.says('hallucinated')
    tail.child.kill('SIGINT')
    const { code, out, err } = await tail.ended
    expect(code).toBe(130)
    expect(err).toMatch(/To go on from here: llm-eval tail --since \w+\.3\n/)
    const [head = '', before = '', now = '', verdict = ''] = out.split('\n')
    expect(head).toMatch(/^TIME +WHAT +MODEL +LATENCY +COST +QUERY$/)
    expect(before).toMatch(/^\d\d:\d\d:\d\d +pending +gpt-4 +- +- +before$/)
    expect(now).toMatch(/^\d\d:\d\d:\d\d +new +gpt-4 +850 ms +\$0\.0012 +現在$/)
    expect(verdict).toMatch(/^\d\d:\d\d:\d\d +rejected +gpt-4 +new \(hallucinated\) by Ada$/)
    expect(before.indexOf('before')).toBe(head.indexOf('QUERY'))
    expect(verdict.indexOf('new (')).toBe(head.indexOf('QUERY'))
  })

  test('--since goes on exactly after a cursor', async () => {
    const cwd = folder()
    const first = start(['tail', '--json', '--limit', '0', '--url', shared.url()], { cwd })
    await first.says('"connected"')
    await shared.post(trace('one'))
    await first.says('"one"')
    first.child.kill('SIGINT')
    await first.ended
    await shared.post(trace('two'), trace('three'))
    const cursor = frames(first.out()).at(-1)?.cursor ?? ''
    const second = start(['tail', '--json', '--since', cursor, '--url', shared.url()], { cwd })
    await second.says('"three"')
    const seen = frames(second.out()).flatMap(({ event, data }) => (event === 'trace_updates' ? [data?.trace_id] : []))
    expect(seen).toEqual(['two', 'three'])
  })

  test('filters exclude', async () => {
    const tail = start(['tail', '--json', '--limit', '0', '--model', 'wanted', '--url', shared.url()], {
      cwd: folder(),
    })
    await tail.says('"connected"')
    await shared.post(trace('no'), trace('yes', { model_name: 'wanted' }))
    await tail.says('"yes"')
    expect(tail.out()).not.toContain('"no"')
  })

  test('a lost connection is told once, and resumed without gap or repeat when the server is back', async () => {
    const data = folder()
    const server = await serve({ data })
    const { port } = new URL(server.url)
    const tail = start(['tail', '--json', '--limit', '0', '--url', server.url], { cwd: folder() })
    await tail.says('"connected"')
    await server.post(trace('one'))
    await tail.says('"one"')
    await server.close()
    await tail.says('Trying again until it is back.')
    const again = await serve({ data, port: Number(port) })
    await again.post(trace('two'))
    await tail.says('"two"')
    await tail.says('again; nothing was missed')
    const seen = frames(tail.out()).flatMap(({ event, data }) => (event === 'trace_updates' ? [data?.trace_id] : []))
    expect(seen).toEqual(['one', 'two'])
    expect(tail.err().match(/Trying again/g)).toHaveLength(1)
  })

  test('a reader that has seen enough (| head) ends it quietly', async () => {
    const tail = start(['tail', '--json', '--limit', '0', '--url', shared.url()], { cwd: folder() })
    await tail.says('"connected"')
    tail.child.stdout.destroy()
    await shared.post(trace('a'))
    await shared.post(trace('b'))
    const { code, err } = await tail.ended
    expect([code, err]).toEqual([0, ''])
  })

  test('what no patience can mend ends it at once: a wrong key, another kind of server', async () => {
    const server = await serve()
    await llmEval(['keys', 'create', 'ops', '--scopes', 'admin', '--url', server.url])
    const refused = await llmEval(['tail', '--url', server.url, '--key', 'llmeval_wrong'])
    expect(refused.code).toBe(2)
    expect(refused.err).toContain('--key or LLM_EVAL_API_KEY')
    const other = await answering((_request, response) => response.end('<h1>Hello</h1>'))
    const foreign = await llmEval(['tail', '--url', other])
    expect(foreign.code).toBe(2)
    expect(foreign.err).toContain('Is the base URL right?')
  })
})
