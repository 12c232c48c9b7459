import type { Route } from './routes.ts'

const read = { scope: 'read', limit: 'read', errors: 'problem' } as const
const write = { scope: 'write', limit: 'read', errors: 'problem' } as const

/** Datasets: our own routes. `:dataset` is a slug or an id. */
export const datasetRoutes = {
  listDatasets: { method: 'GET', path: '/api/v1/datasets', ...read, summary: 'List the datasets.' },
  createDataset: {
    method: 'POST',
    path: '/api/v1/datasets',
    ...write,
    summary: 'Make a dataset.',
    details: 'Its slug is made of its name unless you give one.',
  },
  getDataset: { method: 'GET', path: '/api/v1/datasets/:dataset', ...read, summary: 'One dataset.' },
  updateDataset: { method: 'PATCH', path: '/api/v1/datasets/:dataset', ...write, summary: 'Rename or describe it.' },
  deleteDataset: {
    method: 'DELETE',
    path: '/api/v1/datasets/:dataset',
    ...write,
    summary: 'Delete a dataset with all its versions.',
  },
  addColumn: { method: 'POST', path: '/api/v1/datasets/:dataset/columns', ...write, summary: 'Add a column.' },
  updateColumn: {
    method: 'PATCH',
    path: '/api/v1/datasets/:dataset/columns/:column',
    ...write,
    summary: 'Rename, retype or describe a column.',
    details: 'Values that are there stay as they are when the type changes.',
  },
  deleteColumn: {
    method: 'DELETE',
    path: '/api/v1/datasets/:dataset/columns/:column',
    ...write,
    summary: 'Take a column out of the draft.',
  },
  listRows: {
    method: 'GET',
    path: '/api/v1/datasets/:dataset/rows',
    ...read,
    summary: 'Rows of the draft or of a version.',
  },
  addRows: {
    method: 'POST',
    path: '/api/v1/datasets/:dataset/rows',
    ...write,
    summary: 'Add rows to the draft.',
    details: 'All of them or none.',
  },
  addTraceRow: {
    method: 'POST',
    path: '/api/v1/datasets/:dataset/rows/from-trace',
    ...write,
    summary: 'Add a stored trace as a row.',
    details:
      'Question, answer, system prompt, tool calls and metadata become values of columns, which are made where they are missing. A trace that is a row already is answered with that row.',
  },
  updateRow: {
    method: 'PATCH',
    path: '/api/v1/datasets/:dataset/rows/:row_id',
    ...write,
    summary: 'Change values of a row of the draft.',
  },
  deleteRow: {
    method: 'DELETE',
    path: '/api/v1/datasets/:dataset/rows/:row_id',
    ...write,
    summary: 'Take a row out of the draft.',
  },
  importRows: {
    method: 'POST',
    path: '/api/v1/datasets/:dataset/import',
    ...write,
    summary: 'Add rows from CSV, JSON Lines or JSON, of any size; bad rows are told with their lines.',
    details:
      'The file is read as it comes. A dataset without columns gets those of the file; rows that do not fit are left out, counted, and the first of them told with their lines.',
  },
  publishDataset: {
    method: 'POST',
    path: '/api/v1/datasets/:dataset/publish',
    ...write,
    summary: 'Make the draft a version that never changes.',
    details: 'When nothing changed since the last version there is no new one, and the answer is 200 instead of 201.',
  },
  listVersions: {
    method: 'GET',
    path: '/api/v1/datasets/:dataset/versions',
    ...read,
    summary: 'Published versions, newest first.',
  },
  exportDataset: {
    method: 'GET',
    path: '/api/v1/datasets/:dataset/export',
    ...read,
    summary: 'The draft or a version as CSV, JSON Lines or JSON.',
  },
} as const satisfies Record<string, Route>
