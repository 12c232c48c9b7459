/** Reports of agent tests as zod schemas: what their routes accept and answer. */
import * as z from 'zod'
import {
  type ArgumentDifference,
  type Assertion,
  attemptOutcomes,
  type AttemptResult,
  type CaseResult,
  type Change,
  checkStates,
  type PartScore,
  releaseVerdicts,
  type ToolStep,
  variantPattern,
} from './agent-result.ts'
import { agentTraceSchema, baselineSchema } from './agent-schemas.ts'
import {
  type AgentBaseline,
  type AgentCase,
  type AgentCaseDetail,
  agentCommands,
  type AgentFlakiness,
  type AgentOutcome,
  type AgentQuarantine,
  type AgentReport,
  type AgentReportInput,
  type AgentSuite,
  type AgentSuiteDetail,
  type CaseCheck,
} from './agent-tests.ts'
import { limits } from './limits.ts'
import { name, parseTime } from './schemas.ts'

// What both ways know.

const finite = z.number()
const whole = z.int().nonnegative()
const share = z.number().min(0).max(1)
const score = z.number().min(0).max(100).nullable()
const sentence = z.string().max(limits.textChars)
const isStorable = (text: string) => text.isWellFormed() && !text.includes('\0')
const label = (most: number) =>
  z
    .string()
    .min(1)
    .max(most, `may hold at most ${most} characters`)
    .refine(isStorable, 'must be well-formed Unicode without NUL')
const time = z.iso.datetime({ offset: true, error: 'must be an RFC 3339 time such as 2025-01-27T12:00:00Z' })

const partScore = z.union([
  z.object({ outcome: z.literal('scored'), value: share, detail: sentence }),
  z.object({ outcome: z.literal('not_expected') }),
  z.object({ outcome: z.literal('skipped'), reason: z.enum(['no_judge', 'not_captured', 'fault']), detail: sentence }),
  z.object({ outcome: z.literal('errored'), detail: sentence }),
]) satisfies z.ZodType<PartScore>

const assertion = z.object({
  kind: z.string().max(200),
  turn: whole.nullable(),
  outcome: z.enum(['passed', 'failed', 'unknown']),
  expected: z.unknown(),
  actual: z.unknown(),
  message: sentence,
}) satisfies z.ZodType<Assertion>

const attempt = z.object({
  outcome: z.enum(attemptOutcomes),
  score,
  complete: z.boolean(),
  parts: z.object({ tool_accuracy: partScore, output_quality: partScore, sequence_correctness: partScore }),
  assertions: z.array(assertion).max(10_000),
  trace: agentTraceSchema,
  judged: z
    .array(
      z.object({
        evaluator: z.string().max(200),
        value: finite.nullable(),
        explanation: sentence.nullable(),
        cost: z.number().min(0).nullable(),
      }),
    )
    .max(1_000),
}) satisfies z.ZodType<AttemptResult>

const powers = z.array(z.object({ k: z.int().min(1), value: share })).max(1_000)

const caseResult = z.object({
  case_id: name,
  name: label(limits.nameChars),
  suite: z.string().max(limits.nameChars),
  outcome: z.enum(attemptOutcomes),
  attempts: z.array(attempt).min(1).max(1_000),
  repeated: z
    .object({
      n: whole,
      passed: whole,
      pass_rate: z.object({ estimate: share, low: finite, high: finite, level: share }),
      pass_at_k: powers,
      pass_hat_k: powers,
      mean_score: score,
      standard_deviation: z.number().min(0).nullable(),
      flaky: z.boolean(),
      flaky_p: finite,
    })
    .nullable(),
}) satisfies z.ZodType<CaseResult>

const change = z.object({
  before: finite.nullable(),
  after: finite.nullable(),
  interval: z.object({ low: finite, high: finite, level: share }).nullable(),
  detectable: z.boolean().nullable(),
}) satisfies z.ZodType<Change>

const difference = z.object({
  path: z.string(),
  kind: z.enum(['missing', 'added', 'type', 'value']),
  before: z.unknown(),
  after: z.unknown(),
}) satisfies z.ZodType<ArgumentDifference>

const toolStep = z.object({
  kind: z.enum(['same', 'arguments', 'moved', 'added', 'removed']),
  name: z.string(),
  before: whole.nullable(),
  after: whole.nullable(),
  differences: z.array(difference).max(10_000),
}) satisfies z.ZodType<ToolStep>

const caseCheck = z.object({
  case_id: name,
  name: z.string().max(limits.nameChars),
  suite: z.string().max(limits.nameChars),
  state: z.enum(checkStates),
  variant: z.string().max(60).nullable(),
  steps: z.array(toolStep).max(20_000),
  output_similarity: share.nullable(),
  score: change,
  cost: change,
  latency: change,
  model: z.object({ before: z.string().nullable(), after: z.string().nullable() }),
  forbidden_tools: z.array(z.string()).max(10_000),
  quarantine: z
    .object({ case_id: z.string(), owner: z.string(), reason: z.string(), expires_at: z.string() })
    .nullable(),
  reasons: z.array(sentence).max(1_000),
}) satisfies z.ZodType<CaseCheck>

// What is accepted.

/** Body of `POST /api/v1/agent-tests/reports`. */
export const agentReportInput = z.strictObject({
  report_id: name,
  suite: name,
  command: z.enum(agentCommands),
  at: time.describe('When the suite was asked; at most a day ahead of the clock of the server.'),
  by: label(limits.nameChars).nullable().default(null),
  commit: label(limits.nameChars).nullable().default(null),
  branch: label(limits.nameChars).nullable().default(null),
  note: label(limits.noteChars).nullable().default(null),
  verdict: z.enum(releaseVerdicts).nullable().default(null),
  exit_code: z.literal([0, 1, 2]),
  run_id: name.nullable().default(null),
  cases: z
    .array(
      z.strictObject({
        result: caseResult,
        check: caseCheck.nullable().default(null),
        shortened: z
          .boolean()
          .optional()
          .describe('That what is long was cut or left out, so that it could be sent: nothing can be accepted of it.'),
      }),
    )
    .max(limits.agentReportCases, `may hold at most ${limits.agentReportCases} cases`)
    .refine(
      (cases) => new Set(cases.map(({ result }) => result.case_id)).size === cases.length,
      'must hold each case once',
    ),
}) satisfies z.ZodType<AgentReportInput>

/** When what is replaced came about, so that nobody overwrites what they have not seen. */
const expected = time.transform(parseTime)

/** The name of an accepted way. */
export const variantName = z.string().regex(variantPattern, 'must be 1 to 60 letters, digits, _ and -')

/** Query of `GET /api/v1/agent-tests/suites/:suite/cases/:case_id`. */
export const agentCaseQuery = z.strictObject({
  report_id: name.optional().describe('Whose result is told; the newest unless given.'),
  variant: variantName.optional().describe('What it is held against.'),
  attempt: z.coerce
    .number()
    .pipe(z.int().min(0).max(999))
    .optional()
    .describe('From 0: the first that passed, else the first, unless given.'),
})

/** Body of `PUT …/baselines/:variant`. */
export const baselineInput = z.strictObject({
  report_id: name.describe('Whose result of the case is accepted.'),
  note: label(limits.noteChars).nullable().default(null).describe('Why.'),
  by: label(limits.nameChars).nullable().default(null).describe('Who accepts it; the name of the key unless given.'),
  expected_accepted_at: expected
    .nullable()
    .optional()
    .describe('`accepted_at` of what it replaces, null for a new variant: where that is another now it is refused.'),
})

/** Query of `DELETE …/baselines/:variant`. */
export const baselineRemoval = z.strictObject({
  expected_accepted_at: expected
    .optional()
    .describe('Its `accepted_at`: where somebody has accepted another since it is refused.'),
})

/** Body of `PUT …/quarantine`. */
export const quarantineInput = z.strictObject({
  owner: label(limits.nameChars).describe('Who sees to it.'),
  reason: label(limits.noteChars),
  expires_at: time
    .transform(parseTime)
    .describe(`Its end, RFC 3339: in the future, and at most ${limits.agentQuarantineDays} days ahead.`),
  expected_set_at: expected
    .nullable()
    .optional()
    .describe('`set_at` of the quarantine it replaces, null for a new one: where that is another now it is refused.'),
})

/** Query of `DELETE …/quarantine`. */
export const quarantineRemoval = z.strictObject({
  expected_set_at: expected.optional().describe('Its `set_at`: where somebody has changed it since it is refused.'),
})

// What is answered.

const told = z.string().describe('RFC 3339, UTC')

/** A report in short. */
export const agentReport = z.object({
  report_id: z.string(),
  suite: z.string(),
  command: z.enum(agentCommands),
  at: told,
  by: z.string().nullable(),
  commit: z.string().nullable(),
  branch: z.string().nullable(),
  note: z.string().nullable(),
  verdict: z.enum(releaseVerdicts).nullable().describe('Of `check`; null of `test`.'),
  exit_code: z.literal([0, 1, 2]),
  run_id: z.string().nullable(),
  cases: whole,
  passed: whole,
  failed: whole,
  faulted: whole,
  unevaluated: whole,
}) satisfies z.ZodType<AgentReport>

const suiteSummary = z.object({
  suite: z.string(),
  reports: whole,
  updated_at: told,
  last: agentReport.nullable(),
}) satisfies z.ZodType<AgentSuite>

/** Answer of `GET /api/v1/agent-tests/suites`. */
export const agentSuiteList = z.object({ items: z.array(suiteSummary) })

const agentOutcome = z.object({
  report_id: z.string(),
  at: told,
  outcome: z.enum(attemptOutcomes),
  state: z.enum(checkStates).nullable(),
  score: z.number().nullable(),
  cost: z.number().nullable(),
  latency_ms: z.number().nullable(),
  model: z.string().nullable(),
  passed: whole,
  n: whole,
  commit: z.string().nullable(),
  branch: z.string().nullable(),
  run_id: z.string().nullable(),
}) satisfies z.ZodType<AgentOutcome>

const flakiness = z.object({
  flaky: z.boolean(),
  changes: whole,
  of: whole,
  p: z.number().nullable(),
}) satisfies z.ZodType<AgentFlakiness>

/** A quarantine as it is told. */
export const agentQuarantine = z.object({
  owner: z.string(),
  reason: z.string(),
  expires_at: told,
  expired: z.boolean(),
  set_at: told,
  set_by: z.string().nullable(),
}) satisfies z.ZodType<AgentQuarantine>

const agentCase = z.object({
  case_id: z.string(),
  name: z.string(),
  last: agentOutcome,
  current: z.boolean(),
  history: z.array(agentOutcome.pick({ report_id: true, at: true, outcome: true, state: true, score: true })),
  flakiness,
  quarantine: agentQuarantine.nullable(),
  variants: z.array(z.string()),
}) satisfies z.ZodType<AgentCase>

/** Answer of `GET /api/v1/agent-tests/suites/:suite`. */
export const agentSuiteDetail = z.object({
  suite: z.string(),
  reports: z.array(agentReport),
  cases: z.array(agentCase),
}) satisfies z.ZodType<AgentSuiteDetail>

/** What was accepted, without its traces. */
export const agentBaseline = z.object({
  variant: z.string(),
  accepted_at: told,
  accepted_by: z.string().nullable(),
  note: z.string().nullable(),
  model: z.string().nullable(),
  attempts: whole,
}) satisfies z.ZodType<AgentBaseline>

/** Answer of `GET …/cases/:case_id`. */
export const agentCaseDetail = z.object({
  suite: z.string(),
  case_id: z.string(),
  name: z.string(),
  history: z.array(agentOutcome),
  flakiness,
  quarantine: agentQuarantine.nullable(),
  baselines: z.array(agentBaseline),
  report: agentReport,
  result: caseResult.nullable().describe('Null where it was too large to be kept.'),
  check: caseCheck.nullable(),
  shortened: z.boolean().describe('Whether what is long was cut or left out of the result before it was sent.'),
  compared: z.object({ attempt: whole, baseline: baselineSchema, steps: z.array(toolStep) }).nullable(),
}) satisfies z.ZodType<AgentCaseDetail>

/** Answer of `GET …/baselines`. */
export const agentBaselineList = z.object({
  items: z.array(baselineSchema),
  quarantine: agentQuarantine.nullable().describe('Of the case; also one that is over.'),
})

/** The whole result of a case as a report holds it. */
export const keptResult = z.object({
  result: caseResult,
  check: caseCheck.nullable(),
  shortened: z.boolean().default(false),
})
