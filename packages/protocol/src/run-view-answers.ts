/** What is made of the items of runs for tables, as zod schemas. */
import * as z from 'zod'
import { scoreFaults } from './evaluation.ts'
import { runItem } from './run-answers.ts'
import type { RunErrors, RunItemPreview } from './run-views.ts'
import { taskFaults } from './runs.ts'

const whole = z.int().nonnegative()
const beginning = z.string().nullable().describe('Its beginning: a text as it is, all else as JSON.')
const { outcome, value, passed } = runItem.shape.scores.valueType.shape
const { input: _input, expected: _expected, output: _output, started_at: _started, ...kept } = runItem.shape

const preview = z.object({
  ...kept,
  input: beginning,
  expected: beginning,
  output: beginning,
  scores: z.record(z.string(), z.object({ outcome, value, passed })),
}) satisfies z.ZodType<RunItemPreview>

/** Answer of `GET /api/v1/runs/:run_id/item-previews`. */
export const runItemPreviewPage = z.object({
  items: z.array(preview),
  next_cursor: z.string().nullable(),
  searched_to: whole.nullable().describe('The index up to which the filters looked; null on the last page.'),
})

/** Answer of `GET /api/v1/runs/:run_id/errors`. */
export const runErrors = z.object({
  items: z.array(
    z.object({
      metric: z.string().nullable().describe('Whose evaluator failed; null where the task did.'),
      code: z.enum([...taskFaults, ...scoreFaults]),
      pattern: z.string().describe('What the messages have in common; numbers, ids and what stands in quotes are `…`.'),
      count: whole,
      examples: z.array(z.object({ item_index: whole, case_id: z.string(), message: z.string() })),
    }),
  ),
  others: whole.describe('Errors of further groups than are listed.'),
  examined: whole.describe('Errors that were looked at: the first, in the order of the dataset.'),
  complete: z.boolean().describe('Whether those are all.'),
}) satisfies z.ZodType<RunErrors>
