import type { Route } from './routes.ts'

const read = { scope: 'read', limit: 'read', errors: 'problem' } as const
const write = { scope: 'write', limit: 'read', errors: 'problem' } as const

/** Datasets: our own routes. `:dataset` is a slug or an id. */
export const datasetRoutes = {
  listDatasets: { method: 'GET', path: '/api/v1/datasets', ...read, summary: 'List the datasets.' },
  createDataset: { method: 'POST', path: '/api/v1/datasets', ...write, summary: 'Make a dataset.' },
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
  addRows: { method: 'POST', path: '/api/v1/datasets/:dataset/rows', ...write, summary: 'Add rows to the draft.' },
  addTraceRow: {
    method: 'POST',
    path: '/api/v1/datasets/:dataset/rows/from-trace',
    ...write,
    summary: 'Add a stored trace as a row.',
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
  },
  publishDataset: {
    method: 'POST',
    path: '/api/v1/datasets/:dataset/publish',
    ...write,
    summary: 'Make the draft a version that never changes.',
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
