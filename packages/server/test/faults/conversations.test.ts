import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startServerProcess } from './server-process.ts'

let data: string
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'llm-eval-conversations-'))
})
afterEach(() => rm(data, { recursive: true, force: true }))

const base = '/api/v1/conversations'

async function read(url: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(url)
  return { status: answer.status, text: await answer.text() }
}

describe('a conversation whose server is killed', () => {
  it('has all that was acknowledged, in its places, and goes on under the next one', { timeout: 180_000 }, async () => {
    const first = await startServerProcess({ data })
    const acknowledged = new Map<string, number>()
    /** Tells event by event until the server is gone. */
    async function speak(url: string, thread: string): Promise<void> {
      for (let i = 1; ; i++) {
        const events = [
          { kind: 'user_message', run_id: `${thread}-${i}`, event_id: `${thread}-${i}`, payload: { text: `Nr. ${i}` } },
        ]
        const headers = { 'content-type': 'application/json' }
        const answer = await fetch(`${url}${base}/${thread}/events`, {
          method: 'POST',
          headers,
          body: JSON.stringify({ events }),
        })
        await answer.arrayBuffer()
        if (answer.status !== 200) throw new Error(`it was answered ${answer.status}`)
        acknowledged.set(thread, i)
        if (i === 30) void first.kill()
      }
    }
    const threads = ['a', 'b', 'c', 'd']
    const ended = await Promise.allSettled(threads.map((thread) => speak(first.url, thread)))
    // Each was cut off, and none was refused.
    expect(ended.map(({ status }) => status)).toEqual(threads.map(() => 'rejected'))
    await first.kill()

    const second = await startServerProcess({ data })
    for (const thread of threads) {
      const there = acknowledged.get(thread) ?? 0
      const { text } = await read(`${second.url}/export/${thread}?format=jsonl`)
      const lines = text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { seq: number; event_id: string })
      // The one that was under way may be there too, and not half.
      expect([there, there + 1]).toContain(lines.length)
      expect(lines.map(({ seq, event_id }) => [seq, event_id])).toEqual(
        lines.map((_, i) => [i + 1, `${thread}-${i + 1}`]),
      )
      const file = await read(`${second.url}/export/${thread}`)
      expect(file.status).toBe(200)
      const set = JSON.parse(file.text) as { eval_cases: { conversation: object[] }[] }
      expect(set.eval_cases[0]?.conversation).toHaveLength(lines.length)
    }
    expect(Math.max(...acknowledged.values())).toBeGreaterThanOrEqual(30)
    expect(await second.stop()).toBe(0)
  })
})
