import { describe, expect, it } from 'vitest'
import { type AnyTrace, LLMEvalClient, TraceLogger } from '../src/index.ts'
import { json, startFakeServer, store } from './fake-server.ts'
import { ManualClock } from './manual-clock.ts'

/** A logger whose traces end up in a list. */
function scene(options: { metadata?: Record<string, unknown>; fails?: boolean } = {}) {
  const clock = new ManualClock()
  const traces: Record<string, unknown>[] = []
  const errors: Error[] = []
  const sink = {
    async sendTrace(trace: AnyTrace) {
      await Promise.resolve()
      if (options.fails) throw new Error('server is down')
      traces.push({ ...trace })
      return 'stored'
    },
  }
  const { metadata } = options
  const logger = new TraceLogger(sink, 'gpt-4', { clock, metadata, onError: (error) => errors.push(error) })
  return { clock, traces, errors, logger }
}

describe('logTrace', () => {
  it('sends a trace with the time since start, when it began, and what it was told', async () => {
    const { clock, traces, logger } = scene()
    const started = new Date(clock.now()).toISOString()
    expect(logger.start()).toBe(logger)
    clock.advance(500.4)
    expect(
      await logger.logTrace('Explain', 'It is…', { tokensUsed: 150, cost: 0.001, sessionId: 's', userId: 'u' }),
    ).toBe('stored')
    expect(traces).toEqual([
      {
        trace_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        timestamp: started,
        model_name: 'gpt-4',
        user_query: 'Explain',
        ai_response: 'It is…',
        response_time_ms: 500,
        tokens_used: 150,
        cost: 0.001,
        session_id: 's',
        user_id: 'u',
        metadata: {},
      },
    ])
  })

  it('measures every call on its own: without a start of its own the time is unknown, not zero', async () => {
    const { clock, traces, logger } = scene()
    logger.start()
    clock.advance(100)
    await logger.logTrace('a', 'a')
    clock.advance(100)
    await logger.logTrace('b', 'b')
    logger.start()
    clock.advance(30)
    await logger.logTrace('c', 'c')
    expect(traces.map((trace) => trace['response_time_ms'])).toEqual([100, undefined, 30])
  })

  it('gives every trace an id of its own', async () => {
    const { traces, logger } = scene()
    await Promise.all(Array.from({ length: 100 }, () => logger.logTrace('q', 'a')))
    expect(new Set(traces.map((trace) => trace['trace_id'])).size).toBe(100)
  })

  it('lets details go before what it would say itself, in either spelling', async () => {
    const { traces, logger } = scene()
    await logger
      .start()
      .logTrace('q', 'a', { traceId: 'mine', modelName: 'other', responseTimeMs: 7, timestamp: '2025-01-01T00:00:00Z' })
    await logger.start().logTrace('q', 'a', {
      trace_id: 'mine',
      model_name: 'other',
      response_time_ms: 7,
      timestamp: '2025-01-01T00:00:00Z',
    })
    expect(traces[0]).toMatchObject({
      trace_id: 'mine',
      model_name: 'other',
      response_time_ms: 7,
      timestamp: '2025-01-01T00:00:00Z',
    })
    expect(traces[1]).toEqual(traces[0])
  })

  it('adds the metadata of the logger to that of the trace, which wins', async () => {
    const { traces, logger } = scene({ metadata: { app: 'x', temperature: 0 } })
    logger.addMetadata('userTier', 'pro').addMetadata({ temperature: 0.5 })
    await logger.logTrace('q', 'a', { metadata: { temperature: 1, topP: 2 } })
    await logger.logTrace('q', 'a')
    expect(traces.map((trace) => trace['metadata'])).toEqual([
      { app: 'x', userTier: 'pro', temperature: 1, topP: 2 },
      { app: 'x', userTier: 'pro', temperature: 0.5 },
    ])
  })

  it('rejects when the trace could not be sent; nobody has to look for that to keep the process alive', async () => {
    const { errors, logger } = scene({ fails: true })
    await expect(logger.logTrace('q', 'a')).rejects.toThrow('server is down')
    void logger.logTrace('nobody', 'looks')
    await logger.flush()
    expect(errors.map((error) => error.message)).toEqual(['server is down', 'server is down'])
  })
})

describe('run', () => {
  it('gives back what the call gives, and logs it with its time', async () => {
    const { clock, traces, logger } = scene()
    const result = await logger.run('What?', () => {
      clock.advance(40)
      return Promise.resolve('That.')
    })
    expect(result).toBe('That.')
    await logger.flush()
    expect(traces).toMatchObject([{ user_query: 'What?', ai_response: 'That.', response_time_ms: 40 }])
  })

  it('takes an object with aiResponse for response and details, or asks how to describe it', async () => {
    const { traces, logger } = scene()
    await logger.run('a', () => ({ aiResponse: 'A', tokensUsed: 3 }))
    const completion = { choices: [{ text: 'B' }], usage: { total: 5 } }
    const same = await logger.run(
      'b',
      () => completion,
      ({ choices, usage }) => ({ aiResponse: choices[0]?.text ?? '', tokensUsed: usage.total }),
    )
    await logger.run('c', () => completion)
    await logger.flush()
    expect(same).toBe(completion)
    expect(traces).toMatchObject([
      { ai_response: 'A', tokens_used: 3 },
      { ai_response: 'B', tokens_used: 5 },
      { ai_response: JSON.stringify(completion) },
    ])
  })

  it('logs what was thrown as metadata.error, and throws the very same', async () => {
    const { clock, traces, logger } = scene({ metadata: { app: 'x' } })
    const thrown = new RangeError('context too long')
    const running = logger.run('q', () => {
      clock.advance(12)
      throw thrown
    })
    await expect(running).rejects.toBe(thrown)
    await logger.flush()
    expect(traces).toMatchObject([
      {
        user_query: 'q',
        ai_response: '',
        response_time_ms: 12,
        metadata: { app: 'x', error: { name: 'RangeError', message: 'context too long' } },
      },
    ])
  })

  it('gives the result without waiting for the trace, and whether or not it can be sent', async () => {
    let release = () => {}
    const gate = new Promise<void>((resolve) => (release = resolve))
    const logger = new TraceLogger({ sendTrace: () => gate }, 'm')
    expect(await logger.run('q', () => 'a')).toBe('a')
    release()
    const broken = scene({ fails: true })
    expect(await broken.logger.run('q', () => 'a')).toBe('a')
    await expect(broken.logger.run('q', () => Promise.reject(new Error('model')))).rejects.toThrow('model')
    await broken.logger.flush()
    expect(broken.errors.map((error) => error.message)).toEqual(['server is down', 'server is down'])
  })

  it('gives the result also when describing it fails, or the one who is told does', async () => {
    const { errors, logger } = scene()
    const answer = await logger.run(
      'q',
      () => 'a',
      () => {
        throw new Error('cannot describe')
      },
    )
    expect(answer).toBe('a')
    expect(errors.map((error) => error.message)).toEqual(['cannot describe'])
    const careless = new TraceLogger({ sendTrace: () => Promise.reject(new Error('down')) }, 'm', {
      onError: () => {
        throw new Error('careless')
      },
    })
    expect(await careless.run('q', () => 'a')).toBe('a')
    await careless.flush()
  })

  it('may run several at once, each with its own time', async () => {
    const { clock, traces, logger } = scene()
    const gates = [Promise.withResolvers<string>(), Promise.withResolvers<string>()] as const
    const first = logger.run('1', () => gates[0].promise)
    clock.advance(10)
    const second = logger.run('2', () => gates[1].promise)
    clock.advance(10)
    gates[1].resolve('two')
    await second
    clock.advance(10)
    gates[0].resolve('one')
    await first
    await logger.flush()
    expect(traces.map((trace) => [trace['user_query'], trace['response_time_ms']])).toEqual([
      ['2', 10],
      ['1', 30],
    ])
  })
})

describe('await using', () => {
  it('waits for sends that nobody awaited', async () => {
    const { traces, logger } = scene()
    {
      await using inner = logger
      void inner.start().logTrace('q', 'a')
      expect(traces).toHaveLength(0)
    }
    expect(traces).toHaveLength(1)
  })

  it('records a call that was started and threw before it was logged, and lets the error through', async () => {
    const { clock, traces, logger } = scene()
    const block = async () => {
      await using inner = logger.start('Why?')
      clock.advance(5)
      await Promise.reject(new Error('model is down'))
      await inner.logTrace('Why?', 'never')
    }
    await expect(block()).rejects.toThrow('model is down')
    expect(traces).toMatchObject([
      { user_query: 'Why?', ai_response: '', response_time_ms: 5, metadata: { error: { name: 'Unfinished' } } },
    ])
  })

  it('records nothing for a call that was cancelled, or logged, or never started', async () => {
    const { traces, logger } = scene()
    {
      await using _ = logger
    }
    {
      await using cancelled = logger.start()
      cancelled.cancel()
    }
    {
      await using logged = logger.start()
      await logged.logTrace('q', 'a')
    }
    expect(traces).toHaveLength(1)
  })

  it('does not hide an error behind a trace that cannot be sent', async () => {
    const { errors, logger } = scene({ fails: true })
    const block = async () => {
      await using _ = logger.start()
      await Promise.reject(new Error('the real one'))
    }
    await expect(block()).rejects.toThrow('the real one')
    expect(errors).toHaveLength(1)
  })
})

describe('with a client', () => {
  it('reaches the server', async () => {
    await using server = await startFakeServer(store)
    const answer = await new TraceLogger(new LLMEvalClient(server.url), 'gpt-4').start().logTrace('q', 'a')
    const sent = JSON.parse(server.received[0]?.body ?? '') as { trace_id: string; response_time_ms: number }
    expect(answer.trace_ids).toEqual([sent.trace_id])
    expect(sent.response_time_ms).toBeGreaterThanOrEqual(0)
  })

  it('rejects with the error of the client', async () => {
    await using server = await startFakeServer(
      json(401, { success: false, message: 'no key', trace_ids: [], code: 'unauthenticated' }),
    )
    const logging = new TraceLogger(new LLMEvalClient(server.url), 'gpt-4').logTrace('q', 'a')
    await expect(logging).rejects.toMatchObject({ code: 'auth', failure: 'unauthenticated' })
  })
})
