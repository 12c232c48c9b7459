import type { Described } from './described-server.ts'

/** What is told of conversations, and what is made of it. */
export async function askAboutConversations({ ask }: Described): Promise<void> {
  const list = '/api/v1/conversations'
  const thread = `${list}/{thread}`
  const at = `${list}/told`
  const events = [
    { kind: 'run_start', run_id: 'r1', payload: {} },
    { kind: 'user_message', run_id: 'r1', event_id: 'm1', payload: { text: 'What is the weather?' } },
    { kind: 'thinking', run_id: 'r1', payload: { text: 'Hm.', usage: { thoughts: 3 } } },
    { kind: 'tool_call', run_id: 'r1', payload: { id: 'c1', name: 'weather', args: { city: 'Rome' } } },
    { kind: 'tool_result', run_id: 'r1', payload: { id: 'c1', result: { sky: 'clear' } } },
    {
      kind: 'adk_event',
      run_id: 'r1',
      payload: { id: 'x', author: 'root', invocationId: 'e-1', content: { parts: [{ text: 'Clear.' }] } },
    },
    { kind: 'run_end', run_id: 'r1', payload: { status: 'finished' } },
  ]
  await ask({ of: `POST ${thread}/events`, at: `${at}/events`, body: { events, app_name: 'guide', user_id: 'ada' } })
  await ask({ of: `POST ${thread}/events`, at: `${at}/events`, body: { events: [] }, status: 422 })
  await ask({ of: `GET ${list}` })
  await ask({ of: `GET ${list}`, at: `${list}?user_id=ada&state=finished&q=weather&limit=1` })
  await ask({ of: `GET ${list}`, at: `${list}?state=over`, status: 400 })
  await ask({ of: `GET ${thread}`, at })
  await ask({ of: `GET ${thread}`, at: `${list}/none`, status: 404 })
  await ask({ of: `GET ${thread}/events`, at: `${at}/events?after=1&limit=2` })
  await ask({ of: `GET ${thread}/turns`, at: `${at}/turns?limit=10` })
  await ask({ of: `GET ${thread}/turns`, at: `${at}/turns?before=1&after=1`, status: 400 })
  await ask({ of: 'POST /api/v1/datasets', body: { name: 'turns' }, status: 201 })
  await ask({ of: `POST ${thread}/rows`, at: `${at}/rows`, body: { dataset: 'turns', turns: [0] } })
  await ask({ of: `POST ${thread}/rows`, at: `${at}/rows`, body: { dataset: 'none' }, status: 404 })
  for (const format of ['evalset', 'evalcase', 'legacy', 'trace', 'jsonl'])
    await ask({ of: 'GET /export/{thread_id}', at: `/export/told?format=${format}` })
  await ask({ of: 'GET /export/{thread_id}', at: '/export/told?report=true' })
  await ask({ of: 'GET /export/{thread_id}', at: '/export/told?usage=true&thoughts=apart' })
  await ask({ of: 'GET /export/{thread_id}', at: '/export/none', status: 404 })
  await ask({ of: 'POST /export', body: { thread_ids: ['told'], eval_set_id: 'mine', usage: true } })
  await ask({ of: 'POST /export', body: { thread_ids: ['told'], report: true } })
  await ask({ of: 'POST /export', body: { thread_ids: [] }, status: 422 })
  await replay({ ask }, { thread, at })
  await bridge({ ask })
  await ask({ of: `DELETE ${thread}`, at })
  await ask({ of: `DELETE ${thread}`, at, status: 410 })
  await ask({ of: `POST ${thread}/events`, at: `${at}/events`, body: { events }, status: 410 })
}

async function replay({ ask }: Pick<Described, 'ask'>, { thread, at }: { thread: string; at: string }): Promise<void> {
  const said = { of: `POST ${thread}/replay`, at: `${at}/replay` }
  await ask({ ...said, body: { target: 'gone', thread_id: 'again' }, status: 202 })
  await ask({ ...said, body: { target: 'none' }, status: 404 })
  await ask({ ...said, body: {}, status: 422 })
  const compared = { of: `GET ${thread}/comparison`, at: `${at}/comparison` }
  await ask({ ...compared, at: `${compared.at}?with=again` })
  await ask({ ...compared, status: 400 })
}

async function bridge({ ask }: Pick<Described, 'ask'>): Promise<void> {
  const said = { of: 'POST /agui/{target}', at: '/agui/gone' }
  const messages = [{ id: 'u1', role: 'user', content: 'Hello?' }]
  await ask({ ...said, body: { threadId: 'bridged', runId: 'r1', messages, tools: [], context: [] } })
  await ask({ ...said, body: {}, status: 422 })
  await ask({ ...said, at: '/agui/none', body: { threadId: 'bridged', runId: 'r1', messages }, status: 404 })
  await ask({ of: 'GET /agui/{target}/capabilities', at: '/agui/gone/capabilities' })
}
