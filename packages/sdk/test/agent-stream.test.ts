import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type AgentStream, agentResponse, agentStream } from '../src/agent/index.ts'

/** A real server whose agent does this. */
async function served(agent: (stream: AgentStream) => Promise<void>): Promise<string> {
  return serve(async (_request, response) => {
    await using stream = agentStream(response)
    await agent(stream)
  })
}

async function serve(listener: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Promise<string> {
  const server = createServer((request, response) => void listener(request, response).catch(() => undefined))
  const listening = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', listening.resolve)
  await listening.promise
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

function events(body: string): { type: string; data: Record<string, unknown> }[] {
  return body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; data: Record<string, unknown> })
}

async function told(agent: (stream: AgentStream) => Promise<void>) {
  return events(await (await fetch(await served(agent))).text())
}

describe('a stream of an agent', () => {
  it('tells all that the source document names, one event a line', async () => {
    const url = await served(async (stream) => {
      await stream.status('Thinking')
      await stream.narrate('Analyzing stock fundamentals', 'analyzeStock')
      await stream.toolCall('analyzeStock', { symbol: 'AAPL' }, { id: 'c' })
      await stream.toolResult({ id: 'c', result: 'up' })
      await stream.usage({ input_tokens: 1000, output_tokens: 500, cached_tokens: 100, model: 'gpt-4' })
      await stream.token('Fi')
      await stream.complete('Final response...', { session_id: 's' })
    })
    const answer = await fetch(url)
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8')
    expect(events(await answer.text())).toEqual([
      { type: 'status', data: { text: 'Thinking' } },
      { type: 'step_narration', data: { text: 'Analyzing stock fundamentals', toolName: 'analyzeStock' } },
      { type: 'tool_call', data: { id: 'c', name: 'analyzeStock', args: { symbol: 'AAPL' } } },
      { type: 'tool_result', data: { id: 'c', result: 'up', success: true, error: null } },
      { type: 'usage', data: { input_tokens: 1000, output_tokens: 500, cached_tokens: 100, model: 'gpt-4' } },
      { type: 'token', data: { token: 'Fi' } },
      { type: 'message_complete', data: { content: 'Final response...', session_id: 's' } },
    ])
  })

  it('runs a tool, and tells its result or its failure, which goes on to the agent', async () => {
    const found = await told(async (stream) => {
      expect(await stream.tool('sum', { a: 1 }, () => 3)).toBe(3)
      await expect(stream.tool('fetch', {}, () => Promise.reject(new Error('offline')))).rejects.toThrow('offline')
      await stream.complete('x')
    })
    expect(found.slice(0, 4).map(({ data }) => data)).toEqual([
      { id: 'call-1', name: 'sum', args: { a: 1 } },
      { id: 'call-1', result: 3, success: true, error: null },
      { id: 'call-2', name: 'fetch', args: {} },
      { id: 'call-2', result: null, success: false, error: 'offline' },
    ])
  })

  it('that nobody completed says that it broke off', async () => {
    expect(await told((stream) => stream.status('x'))).toEqual([
      { type: 'status', data: { text: 'x' } },
      { type: 'error', data: { message: 'The agent ended without an answer.' } },
    ])
  })

  it('ends once: what is completed cannot fail, what is closed says nothing more', async () => {
    const found = await told(async (stream) => {
      await stream.complete('x')
      await stream.fail(new Error('late'))
      await stream.complete('y')
      await stream.usage({ input_tokens: 1, output_tokens: 1 })
      await stream.close()
      await stream.status('z')
      await stream.close()
    })
    expect(found.map(({ type }) => type)).toEqual(['message_complete', 'usage'])
  })

  it('tells what a tool gave that is no JSON, and goes on', async () => {
    const ring: Record<string, unknown> = { n: 1n }
    ring['self'] = ring
    const found = await told(async (stream) => {
      expect(await stream.tool('odd', {}, () => ring)).toBe(ring)
      await stream.complete('x')
    })
    expect(found[1]?.data).toEqual({ id: 'call-1', result: '[not JSON]', success: true, error: null })
    expect(found.at(-1)?.type).toBe('message_complete')
  })

  it('shows its head before the first event', async () => {
    const go = Promise.withResolvers<void>()
    const url = await served(async (stream) => {
      await go.promise
      await stream.complete('x')
    })
    const answer = await fetch(url)
    expect(answer.status).toBe(200)
    go.resolve()
    expect(await answer.text()).toContain('message_complete')
  })

  it('tells the agent when its reader is gone, and throws at nobody', async () => {
    const gone = Promise.withResolvers<unknown>()
    const url = await served(async (stream) => {
      stream.signal.addEventListener('abort', () => gone.resolve(stream.signal.reason))
      await stream.status('x')
      await gone.promise
      await stream.status('y')
      await stream.complete('z')
    })
    const request = get(url, (answer) => answer.once('data', () => request.destroy()))
    request.on('error', () => undefined)
    expect(await gone.promise).toBeInstanceOf(Error)
  })

  it('writes no faster than it is read', async () => {
    let written = 0
    const url = await served(async (stream) => {
      for (; written < 1_000 && !stream.signal.aborted; written++) await stream.token('x'.repeat(100_000))
      await stream.complete('done')
    })
    const answer = await new Promise<IncomingMessage>((resolve) => get(url, resolve))
    // As long as nobody reads, only what fits into buffers is written: 100 MB do not.
    let before = -1
    while (before !== written) {
      before = written
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    expect(written).toBeLessThan(1_000)
    expect((await text(answer)).length).toBeGreaterThan(100_000_000)
  })
})

describe('a web response of an agent', () => {
  it('is completed with what the handler returns', async () => {
    const answer = agentResponse(async (stream) => {
      await stream.tool('sum', { a: 1 }, () => 3)
      return 'three'
    })
    expect(answer.headers.get('content-type')).toContain('x-ndjson')
    expect(events(await answer.text()).at(-1)).toEqual({ type: 'message_complete', data: { content: 'three' } })
  })

  it('says with its message alone why the handler failed', async () => {
    const failing = agentResponse(() => Promise.reject(new Error('no model')))
    expect(events(await failing.text())).toEqual([{ type: 'error', data: { message: 'no model' } }])
  })

  it('tells the handler when its reader is gone', async () => {
    const gone = Promise.withResolvers<void>()
    const answer = agentResponse(async (stream) => {
      stream.signal.addEventListener('abort', () => gone.resolve())
      while (!stream.signal.aborted) await stream.token('x')
    })
    const reader = answer.body?.getReader()
    await reader?.read()
    await reader?.cancel()
    await gone.promise
  })
})
