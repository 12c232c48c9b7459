import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { createDatabase } from '../../store/test/postgres.ts'
import { folder, llmEval, serve } from './stage.ts'

async function statusWith(url: string, key: string): Promise<number> {
  const answer = await fetch(`${url}/api/v1/keys`, { headers: { authorization: `Bearer ${key}` } })
  return answer.status
}

describe('llm-eval keys', () => {
  test('the very first admin key is made before any server runs, and opens the server that comes then', async () => {
    const data = folder()
    const made = await llmEval(['keys', 'create', 'ops', '--scopes', 'admin', '--quiet', '--data', data])
    expect(made.code).toBe(0)
    expect(made.err).toBe('')
    expect(made.out).toMatch(/^llmeval_\w+\n$/)
    const { url } = await serve({ data })
    expect(await statusWith(url, made.out.trim())).toBe(200)
    expect(await statusWith(url, 'llmeval_wrong')).toBe(401)
  })

  test('with a server running it goes through that server; the key is shown once and listed without itself', async () => {
    const { directory, url } = await serve()
    const cwd = folder()
    const first = await llmEval(['keys', 'create', 'ops', '--scopes', 'admin', '--json', '--data', directory], { cwd })
    const { key } = JSON.parse(first.out) as { key: string }
    const env = { LLM_EVAL_URL: url, LLM_EVAL_API_KEY: key }
    const made = await llmEval(['keys', 'create', 'ci', '--scopes', 'ingest,read', '--expires', '30d'], { cwd, env })
    expect(made.out).toMatch(/Key "ci" for project default: ingest, read; until \d{4}-/)
    expect(made.out).toContain('shown this once')
    const shown = /llmeval_\w+/.exec(made.out)?.[0] ?? ''
    const list = await llmEval(['keys', 'list'], { cwd, env })
    expect(list.out).toMatch(/ci +default +ingest,read/)
    expect(list.out).not.toContain(shown)
    const id = /key_\S+/.exec(made.out)?.[0].replace(/\.$/, '') ?? ''
    expect((await llmEval(['keys', 'revoke', id], { cwd, env })).out).toBe(`${id} is revoked.\n`)
    expect(await statusWith(url, shown)).toBe(401)
    expect((await llmEval(['keys', 'list'], { cwd, env })).out).not.toContain(id)
    expect((await llmEval(['keys', 'list', '--all'], { cwd, env })).out).toMatch(new RegExp(`${id}.*revoked`))
  })

  test('a first key that would lock everybody out is refused, with and without a server', async () => {
    const { directory } = await serve()
    for (const data of [directory, folder()]) {
      const { code, err } = await llmEval(['keys', 'create', 'app', '--data', data])
      expect(code).toBeGreaterThan(0)
      expect(err).toContain('--scopes admin')
    }
  })

  test('without a server keys are listed and revoked in the data directory', async () => {
    const data = folder()
    await llmEval(['keys', 'create', 'one', '--scopes', 'admin', '--data', data])
    const made = await llmEval(['keys', 'create', 'two', '--json', '--data', data])
    const { id } = JSON.parse(made.out) as { id: string }
    expect((await llmEval(['keys', 'revoke', id, '--data', data])).code).toBe(0)
    const list = await llmEval(['keys', 'list', '--json', '--data', data])
    expect((JSON.parse(list.out) as { name: string }[]).map(({ name }) => name)).toEqual(['one'])
    const unknown = await llmEval(['keys', 'revoke', 'key_unknown', '--data', data])
    expect(unknown.code).toBe(1)
    expect(unknown.err).toContain('No key has the id key_unknown')
  })

  test('with Postgres keys are made in the database itself, and every server on it knows them', async () => {
    await using database = await createDatabase(inject('postgresUrl'))
    const env = { DATABASE_URL: database.url }
    const made = await llmEval(['keys', 'create', 'ops', '--scopes', 'admin', '--quiet'], { env })
    expect(made.err).toBe('')
    const server = await serve({ database_url: database.url })
    try {
      expect(await statusWith(server.url, made.out.trim())).toBe(200)
      expect((await llmEval(['keys', 'list'], { env })).out).toContain('ops')
    } finally {
      await server.close()
    }
  })

  test('a database that does not answer is named with the reason, and 2', async () => {
    const env = { DATABASE_URL: 'postgresql://me:hidden@127.0.0.1:9/none' }
    for (const args of [
      ['keys', 'list'],
      ['serve', '--port', '0', '--log-level', 'silent'],
    ]) {
      const { code, err } = await llmEval(args, { env })
      expect(code).toBe(2)
      expect(err).toMatch(/^error: The database none at 127\.0\.0\.1:9 cannot be opened: .*ECONNREFUSED.*\.\n$/)
      expect(err).not.toContain('hidden')
    }
  })

  test('an unknown scope, an empty name and a past date are refused before anything is made', async () => {
    const cwd = folder()
    const say = async (...args: string[]) => {
      const { code, err } = await llmEval(['keys', 'create', ...args], { cwd })
      expect(code).toBe(2)
      return err
    }
    expect(await say('x', '--scopes', 'ingest,everything')).toContain('--scopes may hold ingest, read, write, admin')
    expect(await say('', '--scopes', 'admin')).toContain('The name must not be empty')
    expect(await say('x', '--expires', 'soon')).toContain('30d')
    expect(existsSync(join(cwd, '.llm-eval'))).toBe(false)
  })

  test('a server that wants a key says how to hand one over, with 2', async () => {
    const { directory, url } = await serve()
    await llmEval(['keys', 'create', 'ops', '--scopes', 'admin', '--data', directory])
    const { code, err } = await llmEval(['keys', 'list', '--url', url])
    expect(code).toBe(2)
    expect(err).toContain('--key or LLM_EVAL_API_KEY')
  })
})
