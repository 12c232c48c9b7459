import * as z from 'zod'
import type { Described } from './described-server.ts'

/** Datasets as Traceloop's SDKs know them. */
export async function askAboutTraceloopDatasets({ ask }: Described): Promise<void> {
  const one = (method: string, rest: string, at = rest) => ({
    of: `${method} /v2/datasets/{dataset}${rest}`,
    at: `/v2/datasets/tl${at}`,
  })
  const columns = [
    { name: 'Question', slug: 'question', type: 'string', description: 'What is asked.' },
    { name: 'When', type: 'date' },
    { name: 'File', type: 'file' },
  ]
  const make = { of: 'POST /v2/datasets' }
  await ask({ ...make, body: { slug: 'tl', name: 'TL', columns, rows: [{ Question: 'a' }] }, status: 201 })
  await ask({ ...make, body: { slug: 'tl', name: 'TL' }, status: 409 })
  await ask({ ...make, body: { name: '' }, status: 422 })
  await ask({ of: 'GET /v2/datasets' })
  await ask(one('GET', ''))
  await ask({ ...one('GET', ''), at: '/v2/datasets/none', status: 404 })
  await ask({ ...one('PUT', ''), body: { name: 'Renamed', description: null } })

  await ask({ ...one('POST', '/columns'), body: { name: 'Score', type: 'number' } })
  await ask({ ...one('PUT', '/columns/{column}', '/columns/score'), body: { name: 'Points' } })
  await ask(one('DELETE', '/columns/{column}', '/columns/score'))
  await ask({ ...one('DELETE', '/columns/{column}', '/columns/score'), status: 404 })
  await askAboutRows(ask, one)

  await ask({ ...one('POST', '/publish'), body: {} })
  await ask(one('GET', '/versions'))
  const version = one('GET', '/versions/{version}', '/versions/v1')
  await ask(version)
  const node = { 'user-agent': 'node', 'x-traceloop-sdk-version': '0.27.0' }
  await ask({ ...version, headers: node })
  await ask(one('GET', '/versions/{version}/jsonl', '/versions/v1/jsonl'))
  await ask({ ...one('GET', '/versions/{version}/jsonl', '/versions/v9/jsonl'), status: 404 })
  const other = { columns: [{ name: 'Other' }], rows: [{ other: 'b' }] }
  await ask({ ...one('POST', '/override'), body: other })
  await ask({ ...one('DELETE', ''), status: 204 })
  await ask({ ...one('DELETE', ''), status: 404 })
}

async function askAboutRows(
  ask: Described['ask'],
  one: (method: string, rest: string, at?: string) => { of: string; at: string },
): Promise<void> {
  const rows = { rows: [{ question: 'b', when: '2025-01-27' }, { Question: null }] }
  const added = await ask({ ...one('POST', '/rows'), body: rows, status: 201 })
  const [first, second] = z.object({ rows: z.array(z.object({ id: z.string() })) }).parse(added).rows
  await ask({ ...one('POST', '/rows'), body: { rows: [{ nothing: 1 }] }, status: 422 })
  await ask(one('GET', '/rows'))
  await ask(one('GET', '/rows', '/rows?limit=1&offset=1'))
  const row = `/rows/${first?.id}`
  await ask({ ...one('PUT', '/rows/{row_id}', row), body: { values: { question: 'c' } } })
  const cell = (method: string, rest: string) =>
    one(method, `/rows/{row_id}/cells/{column}/${rest}`, `${row}/cells/file/${rest}`)
  const file = { type: 'image', url: 'https://example.com/a.png' }
  await ask({ ...cell('POST', 'external-url'), body: file })
  await ask({ ...cell('POST', 'external-url'), body: { type: 'image' }, status: 422 })
  await ask(one('GET', ''))
  // Files are not kept here: that is all these two have to say.
  await ask({ ...cell('POST', 'upload-url'), body: { type: 'image' }, status: 501 })
  await ask({ ...cell('PUT', 'upload-status'), body: { status: 'success' }, status: 501 })
  await ask({ ...one('DELETE', '/rows/{row_id}', `/rows/${second?.id}`), status: 204 })
  await ask({ ...one('DELETE', '/rows/{row_id}', `/rows/${second?.id}`), status: 404 })
}
