import type { AgentReportInput, AgentTrace, AttemptResult, CaseCheck } from '@llm-eval/protocol'
import {
  agentReportOf,
  agentTrace,
  attemptResult,
  caseCheck,
  caseResult,
  toolCall,
} from '../../server/test/agent-reports.ts'
import type { Stage } from './stage.ts'

const day = 86_400_000

/** What the agent did before anybody changed it. */
export const before: AgentTrace = agentTrace({
  output: 'Apple stands at 189.84 dollars, up 1.2 % today.',
  tool_calls: [
    toolCall('get_quote', { symbol: 'AAPL', fields: ['price'] }, 0),
    toolCall('get_news', { symbol: 'AAPL' }, 1),
    toolCall('summarize', { words: 50 }, 2),
  ],
  turns: [
    {
      query: 'How is Apple doing today?',
      output: 'Apple stands at 189.84 dollars, up 1.2 % today.',
      latency_ms: 320,
      first_token_ms: 40,
      attempts: 1,
    },
  ],
  latency_ms: 320,
})

/** And now: other arguments, one call less, one more, another answer. */
export const after: AgentTrace = {
  ...before,
  output: 'Apple stands at 189.84 USD. I could not find any news of today.',
  tool_calls: [
    toolCall('get_quote', { symbol: 'AAPL', fields: ['price', 'volume'] }, 0),
    { ...toolCall('web_search', { query: 'AAPL news today' }, 1), succeeded: false, error: 'HTTP 503', result: null },
    toolCall('summarize', { words: 50 }, 3),
  ],
}

const failed: Partial<AttemptResult> = {
  outcome: 'failed',
  score: 55,
  parts: {
    tool_accuracy: { outcome: 'scored', value: 0.5, detail: 'Of 2 expected tools get_news was not called.' },
    output_quality: { outcome: 'skipped', reason: 'no_judge', detail: 'No judge is configured.' },
    sequence_correctness: { outcome: 'scored', value: 0.67, detail: 'get_quote, then summarize.' },
  },
  assertions: [
    {
      kind: 'output.contains',
      turn: null,
      outcome: 'passed',
      expected: '189.84',
      actual: null,
      message: 'The answer says “189.84”.',
    },
    {
      kind: 'tools.required',
      turn: null,
      outcome: 'failed',
      expected: ['get_news'],
      actual: ['get_quote', 'web_search', 'summarize'],
      message: 'get_news must be called, and was not.',
    },
    {
      kind: 'output.judge',
      turn: 1,
      outcome: 'unknown',
      expected: 'grounded',
      actual: null,
      message: 'Whether the answer is grounded cannot be told without a judge.',
    },
  ],
  trace: after,
}

function check(id: string, fields: Partial<CaseCheck>): CaseCheck {
  return caseCheck(id, { variant: 'default', ...fields })
}

/** One report of the suite `stocks`, so many days ago. */
export function reportOf(ago: number, fields: Partial<AgentReportInput> = {}): AgentReportInput {
  const turn = ago % 2 === 0
  const good = attemptResult({ score: 92 - ago, trace: { ...before, cost: ago === 4 ? null : 0.002 + ago / 1_000 } })
  return agentReportOf({
    report_id: `rep-${ago}`,
    at: new Date(Date.now() - ago * day - 60_000).toISOString(),
    commit: `c0ffee${ago}`,
    branch: 'main',
    by: 'ci',
    cases: [
      { result: caseResult('quote', { name: 'Quote of one company', attempts: [good] }), check: null },
      {
        result: caseResult('compare', {
          name: 'Compares two companies',
          attempts: [turn ? good : attemptResult({ outcome: 'failed', score: 48, trace: before })],
        }),
        check: null,
      },
      {
        result: caseResult('refuse', {
          name: 'Refuses_to_give_advice_that_nobody_should_give_even_when_asked_with_a_name_that_is_long',
          attempts: [attemptResult({ score: 100, trace: agentTrace({ tool_calls: [] }) })],
        }),
        check: null,
      },
    ],
    ...fields,
  })
}

/**
 * A suite with a week of reports, something accepted, something changed, and something quarantined. Their ids begin with
 * `ids`: those of a suite that was deleted are used up.
 */
export async function sendSuite(stage: Pick<Stage, 'call'>, ids = 'rep'): Promise<void> {
  const base = '/api/v1/agent-tests'
  for (let ago = 8; ago > 0; ago--)
    await stage.call('POST', `${base}/reports`, reportOf(ago, { report_id: `${ids}-${ago}` }))
  const one = `${base}/suites/stocks/cases/quote`
  await stage.call('PUT', `${one}/baselines/default`, { report_id: `${ids}-2`, note: 'as the product owner wants it' })
  await stage.call('PUT', `${one}/baselines/short`, { report_id: `${ids}-1` })
  const fault = { code: 'refused', message: 'The agent does not answer: nobody listens at localhost:3000.' } as const
  const lost = agentTrace({
    tool_calls: [],
    output: '',
    fault,
    cost: null,
    model: null,
    level: 1,
    captured: ['output'],
  })
  const cases: AgentReportInput['cases'] = [
    {
      result: caseResult('quote', {
        name: 'Quote of one company',
        attempts: [attemptResult(failed), attemptResult({ ...failed, score: 61 })],
        outcome: 'failed',
      }),
      check: check('quote', {
        state: 'REGRESSION',
        reasons: [
          'get_news must be called, and was not.',
          'The score fell by 35 points.',
          'Tools changed: other arguments of get_quote, added web_search, gone get_news.',
        ],
      }),
    },
    {
      result: caseResult('compare', { name: 'Compares two companies', attempts: [attemptResult({ trace: before })] }),
      check: check('compare', {
        state: 'NO_BASELINE',
        variant: null,
        reasons: ['Nothing was accepted of this case yet.'],
      }),
    },
    {
      result: caseResult('down', {
        name: 'Answers in German',
        attempts: [attemptResult({ outcome: 'faulted', score: null, assertions: [], trace: lost })],
      }),
      check: check('down', { state: 'NOT_EVALUATED', variant: null, reasons: [fault.message] }),
    },
  ]
  const report_id = `${ids}-0`
  const newest = reportOf(0, { report_id, command: 'check', verdict: 'BLOCK_RELEASE', exit_code: 1, cases })
  await stage.call('POST', `${base}/reports`, newest)
  await stage.call('PUT', `${base}/suites/stocks/cases/compare/quarantine`, {
    owner: 'ann',
    reason: 'The exchange rates are of last week.',
    expires_at: new Date(Date.now() + 20 * day).toISOString(),
  })
}
