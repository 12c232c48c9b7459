import type { AgentPart, AgentTrace } from '@llm-eval/protocol'
import { type Agent, type RequestShape, requestShapes } from './agent.ts'
import { ask, type AskOptions } from './ask.ts'
import { advice, type Finding, problem, well } from './finding.ts'

/** What an agent exposes, and what can be tested of it. */
export interface Examination {
  /** The shape of requests that it answers; null when none, or when the agent has a body of its own. */
  shape: RequestShape | null
  trace: AgentTrace
  findings: Finding[]
}

export interface ExamineOptions extends AskOptions {
  /** What the agent is asked. */
  query?: string | undefined
}

/** Milliseconds after which an answer is slow enough to say so. */
const slowMs = 60_000

/** Refinements of one answer that look like a loop. */
const refinementsMax = 5

/** A stream whose first token comes this late, as a share of its whole time, was likely held back on the way. */
const heldBack = 0.9

/**
 * Asks an agent once, and looks at how it answers. Where it does not understand the request, requests in the shapes of other
 * kinds of agents are tried, one after another.
 *
 * @throws the signal's reason when it is aborted
 */
export async function examine(agent: Agent, options: ExamineOptions): Promise<Examination> {
  const questions = [{ query: options.query ?? 'Hello! What can you do?' }]
  const shapes: (RequestShape | null)[] = agent.request === undefined ? [...requestShapes] : [null]
  let first: Examination | undefined
  for (const shape of shapes) {
    const trace = await ask(shape === null ? agent : { ...agent, request: shape }, questions, options)
    const examined = { shape, trace, findings: findingsOf(trace, shape) }
    if (!isMisunderstood(trace)) return examined
    first ??= examined
  }
  // Nothing else helped: what came of the usual request says most.
  return first ?? { shape: null, trace: await ask(agent, questions, options), findings: [] }
}

/** Whether the agent is there, but not for such a request. */
function isMisunderstood({ fault }: AgentTrace): boolean {
  if (!fault) return false
  const status = fault.status ?? 0
  return (
    fault.code === 'unreadable' || (fault.code === 'http_status' && status >= 400 && status < 500 && status !== 429)
  )
}

function findingsOf(trace: AgentTrace, shape: RequestShape | null): Finding[] {
  if (trace.fault && trace.dialect === null) return [problem('answer', trace.fault.message, null)]
  return [
    answered(trace, shape),
    ...(trace.fault
      ? [problem(trace.fault.code === 'cut_off' ? 'end' : 'failure', trace.fault.message, endOf(trace))]
      : []),
    speed(trace),
    ...refinements(trace),
    ...streaming(trace),
    ...parts(trace),
    ...trace.warnings.map((warning) => advice('stream', warning, null)),
  ]
}

function answered({ dialect, level }: AgentTrace, shape: RequestShape | null): Finding {
  const names = {
    json: 'one JSON document',
    events: 'a stream of events',
    openai_chat: 'chat completions of OpenAI',
    openai_responses: 'Responses of OpenAI',
    ai_sdk: 'the UI stream of the Vercel AI SDK',
    ag_ui: 'events of AG-UI',
    mapped: 'a shape of its own',
  }
  const asked = shape === null || shape === 'seed' ? '' : `, when it is asked as ${shape}`
  return well(
    'answer',
    `It answers with ${dialect === null ? 'something' : names[dialect]}${asked}: level ${level} of 3.`,
  )
}

function endOf({ dialect, fault }: AgentTrace): string | null {
  return dialect === 'events' && fault?.code === 'cut_off'
    ? '{"type": "message_complete", "data": {"content": "the whole answer"}}'
    : null
}

function speed({ latency_ms: ms, fault }: AgentTrace): Finding {
  const seconds = `${(ms / 1_000).toFixed(1)} s`
  if (fault?.code === 'timeout')
    return problem('time', `It did not end within ${seconds}. Bound what it refines.`, null)
  if (ms > slowMs)
    return advice('time', `It took ${seconds}: tests of it will be slow. 10 to 30 s suit simple questions.`, null)
  return well('time', `It took ${seconds}.`)
}

function refinements({ notes }: AgentTrace): Finding[] {
  const count = notes.filter(({ text }) => /\brefin(e|ing|ement)|\bretry|\biteration\b/i.test(text)).length
  if (count <= refinementsMax) return []
  return [
    problem(
      'refinement',
      `It refined its answer ${count} times. Stop after 3 to 5, after 30 s, and when it gets no better.`,
      'while (quality < threshold && refinements < 3 && Date.now() - start < 30_000)',
    ),
  ]
}

function streaming({ first_token_ms: first, latency_ms: ms, dialect, turns }: AgentTrace): Finding[] {
  if (first === null || dialect === null || ms < 2_000 || (turns[0]?.output.length ?? 0) < 200) return []
  if (first / ms < heldBack) return [well('stream', `Its first words came after ${(first / 1_000).toFixed(1)} s.`)]
  const found = 'All of its words came at the end: something on the way holds the stream back.'
  return [advice('stream', found, 'res.flushHeaders(), and X-Accel-Buffering: no')]
}

interface Part {
  part: AgentPart
  topic: string
  seen: string
  missing: string
  add: { document: string; stream: string }
}

const wanted: readonly Part[] = [
  {
    part: 'tools',
    topic: 'tools',
    seen: 'It shows the tools that it calls.',
    missing: 'It does not show its tools, so neither they nor their order can be tested.',
    add: {
      document: '"metadata": {"steps": ["fetch_data", "analyze"]}',
      stream: '{"type": "tool_call", "data": {"name": "fetch_data", "args": {}}}',
    },
  },
  {
    part: 'tokens',
    topic: 'tokens',
    seen: 'It reports its tokens.',
    missing: 'It does not report its tokens.',
    add: {
      document: '"metadata": {"tokens": {"input": 100, "output": 500}}',
      stream: '{"type": "usage", "data": {"input_tokens": 100, "output_tokens": 500, "model": "gpt-4o"}}',
    },
  },
]

function parts(trace: AgentTrace): Finding[] {
  const isStream = trace.level === 3
  const shown = wanted.map(({ part, topic, seen, missing, add }) =>
    trace.captured.includes(part) ? well(topic, seen) : advice(topic, missing, isStream ? add.stream : add.document),
  )
  return [...shown, costOf(trace, isStream), ...deeper(trace)]
}

function costOf({ cost, cost_source: source, model, captured }: AgentTrace, isStream: boolean): Finding {
  if (cost !== null) {
    const from = source === 'reported' ? 'as it says' : `by the price of ${model ?? 'its model'}`
    return well('cost', `It cost ${cost.toFixed(6)} US dollars, ${from}.`)
  }
  if (captured.includes('tokens'))
    return advice(
      'cost',
      'Its cost is unknown: nobody says which model it is, or that has no price.',
      '"model": "gpt-4o"',
    )
  const add = isStream ? '{"type": "usage", "data": {"cost": 0.05, …}}' : '"metadata": {"cost": 0.05}'
  return advice('cost', 'Its cost is unknown, not zero: tests of cost cannot be told.', add)
}

/** What only a stream can show. */
function deeper({ level, captured, tool_calls: calls }: AgentTrace): Finding[] {
  if (level < 3) {
    const found = 'Arguments and results of tools, and when they were called, can be seen in a stream alone.'
    return [advice('level 3', found, 'await using stream = agentStream(res)   // llm-eval-sdk/agent')]
  }
  const silent = calls.filter(({ result, succeeded, error }) => result === null && succeeded === null && error === null)
  if (calls.length === 0 || silent.length === 0) return []
  if (!captured.includes('tool_results')) {
    const add = '{"type": "tool_result", "data": {"result": …, "success": true}}'
    return [advice('results', 'It shows calls of tools without their results.', add)]
  }
  return [advice('results', `${silent.length} of ${calls.length} calls have no result: give both the same id.`, null)]
}
