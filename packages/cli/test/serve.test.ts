import { connect, createServer } from 'node:net'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { folder, llmEval, serve, start, trace } from './stage.ts'

const urlIn = (text: string) => /http:\/\/[\w.]+:\d+/.exec(text)?.[0] ?? ''

describe('llm-eval serve', () => {
  test('says where it is and where the data lies, with a curl line that works; SIGTERM drains and ends it with 0', async () => {
    const cwd = folder()
    const server = start(['serve', '--port', '0', '--data', 'traces'], { cwd })
    await server.says('"cost": 0.0012')
    const url = urlIn(server.out())
    expect(server.out()).toContain(`Dashboard  ${url}\n`)
    expect(server.out()).toContain(`Data       ${join(cwd, 'traces')}\n`)
    expect(server.out()).not.toContain('Sign in')
    const body = /-d '([^']+)'/.exec(server.out())?.[1] ?? ''
    const sent = await fetch(`${url}/webhook/trace`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    expect(await sent.json()).toMatchObject({ success: true, trace_ids: ['unique_trace_id'] })
    server.child.kill('SIGTERM')
    expect((await server.ended).code).toBe(0)

    // What was acknowledged is there when it starts again.
    const again = start(['serve', '--port', '0', '--data', 'traces'], { cwd })
    await again.says('curl')
    const stats = await fetch(`${urlIn(again.out())}/webhook/stats`)
    expect(await stats.json()).toMatchObject({ total_traces: 1 })
  })

  test('whoever keeps pressing Ctrl-C does not wait for requests that do not end', async () => {
    const server = start(['serve', '--port', '0', '--log-level', 'silent'], { cwd: folder() })
    await server.says('curl')
    const { hostname, port } = new URL(urlIn(server.out()))
    const slow = connect(Number(port), hostname)
    onTestFinished(() => void slow.destroy())
    await once(slow, 'connect')
    slow.on('error', () => undefined)
    // Another answer shows that the server has seen what came before it.
    slow.write(
      'POST /webhook/trace HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
    )
    await fetch(`http://${hostname}:${port}/health`)
    const pressing = setInterval(() => server.child.kill('SIGINT'), 50)
    const { code } = await server.ended
    clearInterval(pressing)
    expect(code).toBe(130)
  })

  test('logs are JSON lines on standard error, away from the banner', async () => {
    const server = start(['serve', '--port', '0'], { cwd: folder() })
    await server.says('"msg":"listening"')
    await server.says('curl')
    for (const line of server.err().trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg')
    expect(server.out()).not.toContain('"msg"')
  })

  test('the data directory of a running server is refused with its URL, and 2', async () => {
    const { directory, url } = await serve()
    const { code, err } = await llmEval(['serve', '--port', '0', '--data', directory, '--log-level', 'silent'])
    expect(code).toBe(2)
    expect(err).toContain(`${directory} is in use by process ${process.pid} (${url})`)
    expect(err).not.toMatch(/ {4}at /)
  })

  test('a port that is taken is refused with who has it, and 2', async () => {
    const { url } = await serve()
    const { port } = new URL(url)
    const args = ['serve', '--data', 'data', '--log-level', 'silent', '--port']
    const ours = await llmEval([...args, port])
    expect(ours.code).toBe(2)
    expect(ours.err).toContain(`Port ${port} on 127.0.0.1 is in use by another llm-eval server (${url})`)

    const other = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
    onTestFinished(() => void other.close())
    await once(other, 'listening')
    const address = other.address()
    const taken = typeof address === 'object' && address !== null ? address.port : 0
    const theirs = await llmEval([...args, String(taken)])
    expect(theirs.code).toBe(2)
    expect(theirs.err).toContain(`in use by another program. Stop it, or choose another: --port ${taken + 1}`)
  })

  test('open to others without a key it makes one, with a sign-in link and a curl line that uses it', async () => {
    const cwd = folder()
    const server = start(['serve', '--port', '0', '--host', '0.0.0.0'], { cwd })
    await server.says('curl')
    expect(server.out()).toMatch(/Sign in {4}http:\/\/[\w.]+:\d+\/signin\?token=\S+ {2}\(once/)
    expect(server.out()).toContain('From other machines')
    const keyFile = join(cwd, '.llm-eval', 'admin.key')
    expect(server.out()).toContain(`x-api-key: $(cat '${keyFile}')`)
    expect(existsSync(keyFile)).toBe(true)
    // Whoever may read the data directory need not hand the key over.
    const { code, out } = await llmEval(['status'], { cwd })
    expect(out).toContain('key "admin.key"')
    expect(code).toBe(0)
  })

  test('unusable settings are told all at once, each with where it was said', async () => {
    const cwd = folder()
    writeFileSync(join(cwd, 'llm-eval.config.json'), '{"retention_day": 3}')
    const { code, err } = await llmEval(['serve', '--port', '70000'], { cwd, env: { LLM_EVAL_LOG_LEVEL: 'loud' } })
    expect(code).toBe(2)
    expect(err).toMatch(/port .*flag --port/)
    expect(err).toMatch(/log_level .*environment LLM_EVAL_LOG_LEVEL/)
    expect(err).toMatch(/retention_day .*did you mean retention_days/i)
  })

  test('a flag for clients is refused instead of ignored', async () => {
    const { code, err } = await llmEval(['serve', '--url', 'http://localhost:1'])
    expect(code).toBe(2)
    expect(err).toContain('--host and --port')
  })
})

describe('llm-eval config', () => {
  test('shows every setting with its origin, and masks secrets', async () => {
    const env = {
      PORT: '9001',
      LLM_EVAL_WEBHOOK_SECRETS: 'very-secret-text',
      DATABASE_URL: 'postgresql://me:hidden@db/x',
    }
    const { code, out } = await llmEval(['config', '--host', '127.0.0.2'], { env })
    expect(code).toBe(0)
    expect(out).toMatch(/^port +9001 +environment PORT$/m)
    expect(out).toMatch(/^host +"127\.0\.0\.2" +flag --host$/m)
    expect(out).toMatch(/^pool_size +10 +default$/m)
    expect(out).not.toMatch(/very-secret-text|hidden/)
    const json = await llmEval(['config', '--json'], { env })
    expect(JSON.parse(json.out)).toMatchObject({ port: { value: 9001, origin: 'environment PORT' } })
    expect(json.out).not.toMatch(/very-secret-text|hidden/)
  })
})

describe('llm-eval status', () => {
  test('finds the server of the data directory, and says how it stands', async () => {
    const { directory, url, post } = await serve().then((server) => ({
      ...server,
      post: (...traces: object[]) => server.post(...traces),
    }))
    await post(trace('a'), trace('b'))
    const { code, out } = await llmEval(['status', '--data', directory])
    expect(code).toBe(0)
    expect(out).toContain(`Server    ${url} (llm-eval`)
    expect(out).toMatch(/State +ready\n/)
    expect(out).toMatch(/Traces +2, 2 of today, 2 without a verdict/)
    const json = await llmEval(['status', '--json'], { env: { LLM_EVAL_URL: url } })
    expect(JSON.parse(json.out)).toMatchObject({ url, ready: true, settings: { storage: 'sqlite' } })
  })

  test('without a server it exits with 2 and says how to start one', async () => {
    const { code, err } = await llmEval(['status', '--url', 'http://127.0.0.1:9'])
    expect(code).toBe(2)
    expect(err).toMatch(/^error: Cannot reach http:\/\/127\.0\.0\.1:9: .*llm-eval serve/)
  })

  test('a URL without its scheme is told with the one that was meant', async () => {
    const { code, err } = await llmEval(['status', '--url', 'localhost:8000'])
    expect(code).toBe(2)
    expect(err).toContain('Did you mean http://localhost:8000?')
  })
})

describe('llm-eval backup', () => {
  test('copies the data while the server runs; the copy serves it all again, as another life of the journal', async () => {
    const server = await serve()
    await server.post(trace('a'), trace('b'))
    const cwd = folder()
    const { code, out } = await llmEval(['backup', 'copy.db', '--data', server.directory], { cwd })
    expect(code).toBe(0)
    expect(out).toContain(join(cwd, 'copy.db'))
    await server.post(trace('later'))

    const restored = folder()
    writeFileSync(join(restored, 'llm-eval.db'), readFileSync(join(cwd, 'copy.db')))
    const second = await serve({ data: restored })
    const list = await llmEval(['traces', 'list', '--json', '--url', second.url])
    expect(
      list.out
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { trace_id: string }).trace_id)
        .sort(),
    ).toEqual(['a', 'b'])
    const head = async (store: typeof server.store) => (await store.read(1, 'head', {})).epoch
    expect(await head(second.store)).not.toBe(await head(server.store))
  })

  test('overwrites nothing, and says what to do where it cannot help', async () => {
    const { directory } = await serve()
    const cwd = folder()
    writeFileSync(join(cwd, 'there.db'), 'mine')
    const say = async (...args: string[]) => {
      const { code, err } = await llmEval(['backup', ...args], { cwd })
      expect(code).toBe(2)
      return err
    }
    expect(await say('there.db', '--data', directory)).toContain('exists already')
    expect(readFileSync(join(cwd, 'there.db'), 'utf8')).toBe('mine')
    expect(await say('x.db', '--data', 'nothing')).toContain('There is no database in')
    expect(await say('no/such/x.db', '--data', directory)).toContain('cannot be written')
    const postgres = await llmEval(['backup', 'x.db'], { cwd, env: { DATABASE_URL: 'postgresql://localhost/x' } })
    expect(postgres.err).toContain('pg_dump')
  })
})
