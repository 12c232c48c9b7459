import { routes } from '@llm-eval/protocol'
import * as z from 'zod'
import { Complaint, exitCodes } from '../complaint.ts'
import { count } from '../display/amounts.ts'
import { facts } from '../display/table.ts'
import { ask, readAnswer } from '../http.ts'
import { findTarget, type GlobalOptions } from '../target.ts'
import type { Terminal } from '../terminal.ts'

const health = z.object({ status: z.string(), version: z.string() })
const settings = z.object({
  node: z.string(),
  storage: z.enum(['sqlite', 'postgres']),
  webhook_secrets: z.number(),
  retention_days: z.number().nullable(),
  search_lag: z.number(),
  rollup_lag: z.number(),
})
const session = z.object({
  authenticated: z.boolean(),
  auth_required: z.boolean(),
  name: z.string().nullable(),
  project: z.string(),
  scopes: z.array(z.string()),
})
const stats = z.object({ total_traces: z.number(), today_traces: z.number(), pending_evaluation: z.number() })

/** `llm-eval status`: whether the server answers, and how it stands. */
export async function status(terminal: Terminal, options: GlobalOptions & { json?: boolean }): Promise<number> {
  const { out, signal } = terminal
  const target = await findTarget(terminal, options)
  const get = async <T>(name: 'health' | 'settings' | 'getSession' | 'webhookStats', schema: z.ZodType<T>) =>
    readAnswer(await ask(target, { route: routes[name], signal }), schema)
  const alive = await get('health', health)
  const ready = await ask(target, { route: routes.ready, signal }).then(
    () => 'ready',
    (error: unknown) => (error instanceof Complaint ? error.message : String(error)),
  )
  const caller = await get('getSession', session)
  const mayRead = !caller.auth_required || caller.scopes.some((scope) => scope === 'read' || scope === 'admin')
  const inside = mayRead ? { settings: await get('settings', settings), stats: await get('webhookStats', stats) } : null
  const exitCode = ready === 'ready' && mayRead ? exitCodes.ok : exitCodes.failed
  if (options.json) {
    const { settings: set = null, stats: traces = null } = inside ?? {}
    out.line(
      JSON.stringify({
        url: target.url,
        version: alive.version,
        ready: ready === 'ready',
        access: caller,
        settings: set,
        traces,
      }),
    )
    return exitCode
  }
  const lines: [string, string][] = [
    ['Server', `${target.url} (llm-eval ${alive.version}${inside ? `, Node ${inside.settings.node}` : ''})`],
    ['State', ready === 'ready' ? out.paint('green', ready) : out.paint('red', ready)],
    ['Access', accessWords(caller, mayRead)],
  ]
  if (inside) lines.push(...insideLines(inside))
  for (const line of facts(out, lines)) out.line(line)
  return exitCode
}

function accessWords({ auth_required, name, project, scopes }: z.infer<typeof session>, mayRead: boolean): string {
  if (!auth_required) return 'open: no key is needed'
  const who = scopes.length === 0 ? 'no key was given' : `key "${name}" of project ${project}: ${scopes.join(', ')}`
  return mayRead ? who : `${who}; the rest wants a key with the scope read (--key, LLM_EVAL_API_KEY)`
}

function insideLines(inside: { settings: z.infer<typeof settings>; stats: z.infer<typeof stats> }): [string, string][] {
  const { storage, search_lag, rollup_lag, retention_days, webhook_secrets } = inside.settings
  const { total_traces, today_traces, pending_evaluation } = inside.stats
  const lag = (events: number) => (events === 0 ? 'up to date' : `${count(events)} events behind`)
  return [
    [
      'Storage',
      `${storage}, ${retention_days === null ? 'traces are kept' : `traces are kept ${retention_days} days`}`,
    ],
    [
      'Traces',
      `${count(total_traces)}, ${count(today_traces)} of today, ${count(pending_evaluation)} without a verdict`,
    ],
    ['Search', lag(search_lag)],
    ['Plots', lag(rollup_lag)],
    ['Webhooks', webhook_secrets === 0 ? 'not signed' : `signed, ${webhook_secrets} active secrets`],
  ]
}
