/** What is asked of runs in addresses, as zod schemas. */
import * as z from 'zod'
import { limits } from './limits.ts'
import { caseChanges, runStatuses, taskFaults } from './runs.ts'
import { name, parseTime, wholeText } from './schemas.ts'

const numberText = z
  .string()
  .regex(/^-?[0-9]{1,15}(\.[0-9]{1,15})?$/, 'must be a number')
  .transform(Number)
const timeText = z.iso
  .datetime({ offset: true, local: true, error: 'must be an RFC 3339 time such as 2025-01-27T12:00:00Z' })
  .transform((given) => parseTime(given))
const paged = {
  limit: wholeText(1, limits.pageRows).default(50).describe(`How many, 1 to ${limits.pageRows}; 50 if absent.`),
  cursor: z.string().max(1_000).optional().describe('`next_cursor` of the page before, with the same filters.'),
}
/** One value, or the same parameter several times. */
const several = z.union([z.string(), z.array(z.string())])

/** Tags of a run. */
export const runTags = z.array(name).max(limits.runTags, `may hold at most ${limits.runTags} tags`)

/** `GET /api/v1/runs`. */
export const runsQuery = z.strictObject({
  dataset_name: name.optional(),
  model_name: name.optional(),
  status: z.enum(runStatuses).optional(),
  created_by: name.optional(),
  tags: several
    .transform((given) => (typeof given === 'string' ? given.split(',') : given))
    .pipe(runTags)
    .optional()
    .describe('Tags that a run has, all of them; with commas between, or the parameter several times.'),
  min_success_rate: numberText
    .refine((rate) => rate >= 0 && rate <= 1, 'must lie between 0 and 1')
    .optional()
    .describe('Successful of completed items, 0 to 1.'),
  max_duration: numberText
    .refine((seconds) => seconds >= 0, 'must not be negative')
    .optional()
    .describe('Seconds.'),
  created_after: timeText.optional(),
  created_before: timeText.optional(),
  search: z.string().trim().max(limits.searchChars).optional().describe('Somewhere in name or description.'),
  order_by: z.enum(['created_at', 'name', 'status', 'success_rate', 'duration_seconds']).default('created_at'),
  descending: z.enum(['true', 'false']).default('true'),
  ...paged,
})

/** `GET /api/v1/runs/:run_id/items` and `/item-previews`. */
export const runItemsQuery = z
  .strictObject({
    status: z
      .enum(['success', 'failed', 'pending'])
      .optional()
      .describe('An item is kept once it is finished, so `pending` finds none: the run says how many there will be.'),
    metric: name.optional().describe('With `below` or `above`: the name of a metric of the run.'),
    below: numberText.optional().describe('Only items that are scored below this in `metric`.'),
    above: numberText.optional().describe('Only items that are scored above this in `metric`.'),
    errored: name.optional().describe('Only items on which the evaluator of this metric failed.'),
    error: z.enum(taskFaults).optional().describe('Only items whose task failed so.'),
    case_id: z.string().min(1).max(limits.nameChars).optional().describe('Somewhere in the id of the case.'),
    search: z
      .string()
      .min(1)
      .max(limits.searchChars)
      .optional()
      .describe(
        'Somewhere in the id of the case, its input, what was expected, the output or the error. `A` to `Z` count as `a` to `z`.',
      ),
    from: wholeText(0, limits.runItems)
      .optional()
      .describe('The `item_index` to begin at; a `cursor` goes on from its own.'),
    ...paged,
  })
  .refine(({ metric: one, below, above }) => (one === undefined) === (below === undefined && above === undefined), {
    path: ['below'],
    message: 'and metric must be given together',
  })

/** `metric:number`, once or several times. The name may hold colons. */
const bounds = several
  .transform((given) => (typeof given === 'string' ? [given] : given))
  .pipe(
    z
      .array(
        z
          .string()
          .regex(
            /^[\s\S]{1,200}:-?[0-9]{1,15}(\.[0-9]{1,20})?(e[-+]?[0-9]{1,2})?$/,
            'must be a metric and a number, such as rouge-l:0.9',
          )
          .transform((given) => {
            const at = given.lastIndexOf(':')
            return [given.slice(0, at), Number(given.slice(at + 1))] as const
          }),
      )
      .max(limits.gateBounds, `may be given at most ${limits.gateBounds} times`)
      .refine((given) => new Set(given.map(([metric]) => metric)).size === given.length, 'must name each metric once')
      .transform((given) => Object.fromEntries(given)),
  )
  .optional()

const comparedIds = several
  .transform((given) => (typeof given === 'string' ? given.split(',') : given))
  .pipe(z.array(name).max(limits.comparedRuns, `must be at most ${limits.comparedRuns}`))
  .refine((ids) => new Set(ids).size === ids.length, 'must differ')

/** `GET /api/v1/runs/:run_id/export`. */
export const runExportQuery = z.strictObject({ format: z.enum(['csv', 'jsonl']).default('jsonl') })

/** `GET /api/v1/comparisons`. */
export const comparisonQuery = z
  .strictObject({
    run_ids: comparedIds
      .optional()
      .describe(
        'Two to ten, with commas between, or the parameter several times; the first is held against. One is enough where `min` or `max` is given.',
      ),
    run1: name.optional().describe('The first of two runs, with `run2`; in place of `run_ids`.'),
    run2: name.optional().describe('The other.'),
    cases: wholeText(0, limits.comparedCases).default(100).describe('Cases that are listed, the worst first.'),
    change: z
      .enum(caseChanges)
      .default('all')
      .describe('Those that are listed: `regressed`, `improved` (and worse in no metric), or `unchanged`.'),
    points: wholeText(0, limits.comparedPoints)
      .default(0)
      .describe('Cases of a sample to draw; fewer where runs and metrics are many.'),
    sort_by: name.optional().describe('The metric that says which cases are the worst; all unless said.'),
    level: numberText
      .refine((level) => level > 0 && level < 1, 'must lie between 0 and 1')
      .default(0.95)
      .describe('Of intervals and verdicts.'),
    fail_on: z.enum(['regression']).optional().describe('The gate: no metric may be worse than that of the first run.'),
    min: bounds.describe('The gate: `metric:number`, as often as you like; the mean must be at least this.'),
    max: bounds.describe('The gate: `metric:number`, as often as you like; the mean must be at most this.'),
    allow_partial: z
      .enum(['true', 'false'])
      .default('false')
      .describe('Whether runs that are not complete are held to what is there of them; else the gate does not pass.'),
  })
  .superRefine(({ run_ids: ids, run1, run2, fail_on: failOn, min, max }, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    const two = [run1, run2].filter((id) => id !== undefined)
    if (ids !== undefined && two.length > 0) refuse('run1', 'and run2 stand in place of run_ids')
    else if (two.length === 2 && run1 === run2) refuse('run2', 'must differ from run1')
    const least = failOn === undefined && min === undefined && max === undefined ? 2 : 1
    if ((ids ?? two).length < least) refuse('run_ids', 'must be at least 2, or one that is held against min and max')
  })
