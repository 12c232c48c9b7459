import type { Route } from './routes.ts'

const read = { scope: 'read', limit: 'read', errors: 'problem' } as const
const write = { scope: 'write', limit: 'read', errors: 'problem' } as const

/** Runs: a task evaluated over a dataset, and how runs compare. */
export const runRoutes = {
  listRuns: {
    method: 'GET',
    path: '/api/v1/runs',
    ...read,
    summary: 'Runs, newest first unless asked otherwise.',
    details: 'All filters that are given must fit. `next_cursor` leads to the next page, and is null on the last.',
  },
  createRun: {
    method: 'POST',
    path: '/api/v1/runs',
    ...write,
    summary: 'Make a run.',
    details:
      'The server works it off by itself where its task is `http`, `prompt` or `outputs`; a run of the task `client` waits for its events. The same `run_id` again with the same content answers 200 with the run as it is, with other content 409.',
  },
  getRun: {
    method: 'GET',
    path: '/api/v1/runs/:run_id',
    ...read,
    summary: 'A run, with its progress.',
    details: 'Its numbers are those of the items that are finished at this moment.',
  },
  updateRun: {
    method: 'PATCH',
    path: '/api/v1/runs/:run_id',
    ...write,
    summary: 'Change what a run is called.',
    details: 'What is not given stays as it is. What the run does, and its numbers, cannot be changed.',
  },
  replaceRun: {
    method: 'PUT',
    path: '/api/v1/runs/:run_id',
    ...write,
    summary: 'The same as PATCH, for clients that know only this.',
  },
  deleteRun: {
    method: 'DELETE',
    path: '/api/v1/runs/:run_id',
    ...write,
    summary: 'Delete a run with all of its items, whether or not it is over.',
    details: 'Its id cannot be used again: 410.',
  },
  cancelRun: {
    method: 'POST',
    path: '/api/v1/runs/:run_id/cancel',
    ...write,
    summary: 'End a run that is not over.',
    details:
      'What is finished stays. Items that are being worked on are given up, and asked again if the run is resumed.',
  },
  resumeRun: {
    method: 'POST',
    path: '/api/v1/runs/:run_id/resume',
    ...write,
    summary: 'Go on with a run that is over.',
    details: 'Only what is missing is done. Its approval falls.',
  },
  approveRun: {
    method: 'POST',
    path: '/api/v1/runs/:run_id/approve',
    ...write,
    summary: 'Approve a run that is over.',
    details: 'The last word counts. The body, with a note, may be left out.',
  },
  rejectRun: {
    method: 'POST',
    path: '/api/v1/runs/:run_id/reject',
    ...write,
    summary: 'Reject a run that is over.',
    details: 'The last word counts. The body, with a note, may be left out.',
  },
  listRunItems: {
    method: 'GET',
    path: '/api/v1/runs/:run_id/items',
    ...read,
    summary: 'The finished items of a run, in the order of its dataset.',
    details:
      'A page may hold fewer items than asked for, and none at all, while `next_cursor` leads on: filters look through a part of the run at a time.',
  },
  listRunItemPreviews: {
    method: 'GET',
    path: '/api/v1/runs/:run_id/item-previews',
    ...read,
    summary: 'The same items in short, for tables.',
    details:
      'The beginnings of their texts, and their scores without explanations: a page stays small however large its items are.',
  },
  getRunErrors: {
    method: 'GET',
    path: '/api/v1/runs/:run_id/errors',
    ...read,
    summary: 'What went wrong in a run, in groups.',
    details:
      'Errors of the task and of evaluators, by their code and by what their messages have in common; the most frequent first.',
  },
  exportRun: {
    method: 'GET',
    path: '/api/v1/runs/:run_id/export',
    ...read,
    summary: 'All items of a run as a file.',
    details: 'JSON Lines has them whole; in CSV each metric has a column with its value and one with its outcome.',
  },
  getRunItem: {
    method: 'GET',
    path: '/api/v1/runs/:run_id/items/:item_index',
    ...read,
    summary: 'One finished item of a run.',
  },
  getRunMetrics: {
    method: 'GET',
    path: '/api/v1/runs/:run_id/metrics',
    ...read,
    summary: 'Each metric of a run: mean with its interval, percentiles, distribution.',
    details: 'Over items that are scored; what is skipped or errored is counted beside, and never as 0.',
  },
  sendRunEvents: {
    method: 'POST',
    path: '/api/v1/runs/:run_id/events',
    ...write,
    summary: 'Tell what happened in a run that a client works off.',
    details:
      'Send the same events again as often as you like: an item is stored once, by its `item_index`. Answers when they are stored, and scored in those metrics of which an item has no score. An event that cannot be used leaves the others alone. A run that is not heard of for long becomes `abandoned`, and goes on with the next event.',
  },
  compareRuns: {
    method: 'GET',
    path: '/api/v1/comparisons',
    ...read,
    summary: 'Two to ten runs, each held against the first, case by case.',
    details:
      'For each metric the difference with its interval, test and p (Holm over all of them), a verdict, and the cases that became worse; warnings of runs that are not complete; and with `fail_on`, `min` or `max` what the gate says, as `llm-eval compare` does. `If-None-Match` with the `ETag` of an earlier answer is answered 304 while nothing changed.',
  },
} as const satisfies Record<string, Route>
