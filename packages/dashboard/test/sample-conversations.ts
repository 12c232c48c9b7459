import type { Stage } from './stage.ts'

const start = Date.parse('2026-03-01T10:00:00Z')
const at = (ms: number) => new Date(start + ms).toISOString()
/** A turn begins this often, in milliseconds. */
const turnMs = 60_000

function adkEvent(turn: number, ms: number, event: Record<string, unknown>) {
  const time = turn * turnMs + ms
  return {
    kind: 'adk_event',
    at: at(time),
    run_id: `run-${turn}`,
    event_id: `event-${time}`,
    payload: { id: `event-${time}`, invocationId: `e-${turn}`, timestamp: (start + time) / 1000, ...event },
  }
}

const says = (text: string) => ({ role: 'model', parts: [{ text }] })

/** A request to the agent: it thinks, calls a tool, hands over, and another agent answers. */
export function turnOf(turn: number, question: string): Record<string, unknown>[] {
  const run_id = `run-${turn}`
  const time = (ms: number) => at(turn * turnMs + ms)
  const name = 'find_nth_prime'
  return [
    { kind: 'run_start', at: time(0), run_id, payload: { target: 'primes' } },
    { kind: 'user_message', at: time(1), run_id, payload: { id: `message-${turn}`, text: question } },
    adkEvent(turn, 300, {
      author: 'root_agent',
      content: { role: 'model', parts: [{ text: 'A tool knows primes.', thought: true }] },
    }),
    adkEvent(turn, 900, {
      author: 'root_agent',
      content: {
        role: 'model',
        parts: [{ functionCall: { id: `call-${turn}`, name, args: { n: 10 + turn } }, thoughtSignature: 'CrQCAd_-' }],
      },
      usageMetadata: { promptTokenCount: 210, candidatesTokenCount: 18, thoughtsTokenCount: 42, totalTokenCount: 270 },
      modelVersion: 'gemini-2.5-flash',
    }),
    adkEvent(turn, 1_400, {
      author: 'root_agent',
      content: {
        role: 'user',
        parts: [{ functionResponse: { id: `call-${turn}`, name, response: { result: 29 + turn } } }],
      },
    }),
    adkEvent(turn, 1_500, {
      author: 'root_agent',
      content: {
        role: 'model',
        parts: [{ functionCall: { id: `over-${turn}`, name: 'transfer_to_agent', args: { agent_name: 'geometer' } } }],
      },
      actions: { transferToAgent: 'geometer' },
    }),
    adkEvent(turn, 2_400, {
      author: 'geometer',
      content: says(`The answer is ${29 + turn}.`),
      usageMetadata: { promptTokenCount: 310, candidatesTokenCount: 48, totalTokenCount: 358 },
    }),
    { kind: 'run_end', at: time(2_450), run_id, payload: { status: 'finished' } },
  ]
}

/** A request whose answer broke off. */
export function brokenTurn(turn: number, question: string): Record<string, unknown>[] {
  const run_id = `run-${turn}`
  const time = (ms: number) => at(turn * turnMs + ms)
  return [
    { kind: 'run_start', at: time(0), run_id, payload: { target: 'primes' } },
    { kind: 'user_message', at: time(1), run_id, payload: { id: `message-${turn}`, text: question } },
    adkEvent(turn, 500, { author: 'geometer', partial: true, content: says('The eleventh is') }),
    {
      kind: 'run_end',
      at: time(900),
      run_id,
      payload: { status: 'truncated', code: 'UPSTREAM_TRUNCATED', message: 'The agent closed the connection.' },
    },
  ]
}

/** Tells a server what happened in a thread. */
export async function tell(stage: Stage, thread: string, events: readonly Record<string, unknown>[]): Promise<void> {
  const path = `/api/v1/conversations/${encodeURIComponent(thread)}/events`
  await stage.call('POST', path, { app_name: 'agent1', user_id: 'ana', events })
}
