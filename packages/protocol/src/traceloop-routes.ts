import type { Route } from './routes.ts'

// Execution documents count as reads: an experiment opens one for each evaluator of each row.
const read = { scope: 'read', limit: 'read', errors: 'foreign' } as const
const write = { scope: 'write', limit: 'read', errors: 'foreign' } as const

/** What Traceloop's SDKs call. Their errors are `{"error": "<text>", "code": …}`; success is 200 wherever an SDK insists on it. */
export const traceloopRoutes = {
  startEvaluator: {
    method: 'POST',
    path: '/v2/evaluators/:slug/executions',
    ...write,
    summary: 'Start an evaluator; the answer names the execution and where its result is waited for.',
    details:
      'Each `source` is a value, or a path where `data` or `trace_id` is given. A body with `input` instead runs the evaluator and is answered as that is.',
  },
  startEvaluatorBySlug: {
    method: 'POST',
    path: '/v2/evaluators/slug/:slug/execute',
    ...write,
    summary: 'Start an evaluator, as clients before 0.58 do.',
  },
  runEvaluator: {
    method: 'POST',
    path: '/v2/evaluators/:slug/execute',
    ...write,
    summary: 'Run an evaluator and answer with its result fields.',
    details:
      'One level of result fields, with `pass` where there is a verdict. A result that there is not is an error.',
  },
  runEvaluatorOld: {
    method: 'POST',
    path: '/v2/evaluators/execute/:slug',
    ...write,
    summary: 'Run an evaluator, at the path of earlier documents.',
  },
  runGuard: {
    method: 'POST',
    path: '/v2/guardrails/:slug/execute',
    ...write,
    summary: 'Run an evaluator as a guard: its result fields and whether it passes.',
    details: 'An evaluator without a verdict lets pass; one that failed is an error, so that guards fail closed.',
  },
  runGuardOld: {
    method: 'POST',
    path: '/v2/guardrails/execute/:slug',
    ...write,
    summary: 'Run an evaluator as a guard, at the path of earlier drafts.',
  },
  awaitExecution: {
    method: 'GET',
    path: '/v2/executions/events/:execution_id',
    ...read,
    summary: 'Wait for the result of an execution: one JSON document, sent when it is over.',
    details:
      'For 20 seconds nothing is sent; then come the status and white space, until the document. It may be asked for again at any time. A failure is an error, or, once the status was sent, a document that is cut off.',
  },
  listTraceloopEvaluators: {
    method: 'GET',
    path: '/v2/evaluators',
    ...read,
    summary: 'The catalogue of evaluators, in the words of Traceloop.',
    details: '`source` narrows it to what is built in (`prebuilt`) or your own (`custom`).',
  },
  createTraceloopEvaluator: {
    method: 'POST',
    path: '/v2/evaluators',
    ...write,
    summary: 'Make a judge of your own.',
    details: '`provider` and `model` together name a model as the configuration of the server does.',
  },
  createTraceloopEvaluatorOld: {
    method: 'POST',
    path: '/v2/evaluators/custom-evaluator',
    ...write,
    summary: 'Make a judge of your own, at the path of earlier documents.',
  },
  getTraceloopEvaluator: {
    method: 'GET',
    path: '/v2/evaluators/:slug',
    ...read,
    summary: 'One evaluator, by slug or id.',
  },
  updateTraceloopEvaluator: {
    method: 'PATCH',
    path: '/v2/evaluators/:slug',
    ...write,
    summary: 'Change a judge of your own; what is not given stays.',
  },

  initializeExperiment: {
    method: 'PUT',
    path: '/v2/experiments/initialize',
    ...write,
    summary: 'Begin a run of an experiment, which is made when its slug is new.',
    details: 'Evaluators, dataset and version that do not exist are refused here, before any task runs.',
  },
  runInGithub: {
    method: 'POST',
    path: '/v2/experiments/run-in-github',
    ...write,
    summary: 'Take the task results of a pull request and evaluate them.',
    details: 'What could not be started is in `errors`; the rest is evaluated.',
  },
  createTask: {
    method: 'POST',
    path: '/v2/experiments/:experiment/runs/:run_id/tasks',
    ...write,
    summary: 'Add the input and output of one row.',
  },
  createTaskOld: {
    method: 'POST',
    path: '/v2/experiments/:experiment/runs/:run_id/task',
    ...write,
    summary: 'Add the input and output of one row, as clients before 0.58 do.',
  },
  evaluateTask: {
    method: 'POST',
    path: '/v2/experiments/:experiment/runs/:run_id/tasks/:task_id',
    ...write,
    summary: 'Start an evaluator on a task.',
  },
  exportRunCsv: {
    method: 'GET',
    path: '/v2/experiments/:experiment/runs/:run_id/export/csv',
    ...read,
    summary: 'The results of a run as CSV.',
    details: 'The columns are `task_id`, `input.…`, `output.…`, then the fields of each evaluator.',
  },
  exportRunJson: {
    method: 'GET',
    path: '/v2/experiments/:experiment/runs/:run_id/export/json',
    ...read,
    summary: 'The results of a run as JSON.',
  },

  listTraceloopDatasets: { method: 'GET', path: '/v2/datasets', ...read, summary: 'List the datasets.' },
  createTraceloopDataset: {
    method: 'POST',
    path: '/v2/datasets',
    ...write,
    summary: 'Make a dataset, with columns and rows if they are given.',
  },
  getTraceloopDataset: {
    method: 'GET',
    path: '/v2/datasets/:dataset',
    ...read,
    summary: 'A dataset with its first rows.',
  },
  updateTraceloopDataset: {
    method: 'PUT',
    path: '/v2/datasets/:dataset',
    ...write,
    summary: 'Rename or describe a dataset.',
  },
  deleteTraceloopDataset: {
    method: 'DELETE',
    path: '/v2/datasets/:dataset',
    ...write,
    summary: 'Delete a dataset with all its versions.',
  },
  overrideTraceloopDataset: {
    method: 'POST',
    path: '/v2/datasets/:dataset/override',
    ...write,
    summary: 'Put other columns or rows in the place of those of the draft.',
  },
  addTraceloopColumn: {
    method: 'POST',
    path: '/v2/datasets/:dataset/columns',
    ...write,
    summary: 'Add a column.',
  },
  updateTraceloopColumn: {
    method: 'PUT',
    path: '/v2/datasets/:dataset/columns/:column',
    ...write,
    summary: 'Rename, retype or describe a column.',
  },
  deleteTraceloopColumn: {
    method: 'DELETE',
    path: '/v2/datasets/:dataset/columns/:column',
    ...write,
    summary: 'Take a column out of the draft.',
  },
  listTraceloopRows: {
    method: 'GET',
    path: '/v2/datasets/:dataset/rows',
    ...read,
    summary: 'Rows of the draft, by offset.',
  },
  addTraceloopRows: {
    method: 'POST',
    path: '/v2/datasets/:dataset/rows',
    ...write,
    summary: 'Add rows to the draft.',
  },
  updateTraceloopRow: {
    method: 'PUT',
    path: '/v2/datasets/:dataset/rows/:row_id',
    ...write,
    summary: 'Change values of a row.',
  },
  deleteTraceloopRow: {
    method: 'DELETE',
    path: '/v2/datasets/:dataset/rows/:row_id',
    ...write,
    summary: 'Take a row out of the draft.',
  },
  publishTraceloopDataset: {
    method: 'POST',
    path: '/v2/datasets/:dataset/publish',
    ...write,
    summary: 'Make the draft a version that never changes.',
    details: 'The answer is the dataset as it is then, and the name of the version.',
  },
  listTraceloopVersions: {
    method: 'GET',
    path: '/v2/datasets/:dataset/versions',
    ...read,
    summary: 'Published versions, newest first.',
  },
  getTraceloopVersion: {
    method: 'GET',
    path: '/v2/datasets/:dataset/versions/:version',
    ...read,
    summary: 'A version as CSV.',
    details: "Traceloop's SDK for Node gets it as one JSON string, since it takes nothing else.",
  },
  getTraceloopVersionJsonl: {
    method: 'GET',
    path: '/v2/datasets/:dataset/versions/:version/jsonl',
    ...read,
    summary: 'A version as JSON Lines; the first line names the columns.',
  },
  getUploadUrl: {
    method: 'POST',
    path: '/v2/datasets/:dataset/rows/:row_id/cells/:column/upload-url',
    ...write,
    summary: 'Where the file of a cell would be uploaded to; files are not kept here.',
  },
  confirmUpload: {
    method: 'PUT',
    path: '/v2/datasets/:dataset/rows/:row_id/cells/:column/upload-status',
    ...write,
    summary: 'How an upload went; files are not kept here.',
  },
  setExternalUrl: {
    method: 'POST',
    path: '/v2/datasets/:dataset/rows/:row_id/cells/:column/external-url',
    ...write,
    summary: 'Put the address of a file into a cell.',
  },

  annotate: {
    method: 'POST',
    path: '/v2/annotation-tasks/:task/annotations',
    ...write,
    summary: 'What a user thought of something.',
    details: 'Kept with its task and entity; it changes no trace.',
  },

  listPrompts: {
    method: 'GET',
    path: '/v1/traceloop/prompts',
    ...read,
    summary: 'The prompt registry of Traceloop, which is empty here.',
  },
  getAllowList: {
    method: 'GET',
    path: '/v1/traceloop/pii/tracing-allow-list',
    ...read,
    summary: 'Association properties that may be traced, of which there are none.',
  },
} as const satisfies Record<string, Route>
