// What the tests of `llm-eval run` stand on: evaluation files, and what is told of them.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run as runAnswer, runItemPage } from '@llm-eval/protocol/run-schemas'
import * as z from 'zod'
import { type Ended, folder } from './stage.ts'

/** A folder with these files, and what a command needs to work in it. */
export function place(files: Record<string, string>, url?: string) {
  const cwd = folder()
  for (const [name, content] of Object.entries(files)) writeFileSync(join(cwd, name), content)
  const env: NodeJS.ProcessEnv = url === undefined ? {} : { LLM_EVAL_URL: url }
  return { cwd, env }
}

let names = 0
/** A name that no other test has: earlier runs are found by it. */
export const fresh = () => `evaluation ${process.pid} ${++names}`

/** An evaluation file over so many cases, each answered by what its input is, unless said. */
export function file(name: string, { cases = 3, task = '(input) => input', more = '' } = {}): string {
  return `export default {
    name: ${JSON.stringify(name)},
    dataset: Array.from({ length: ${cases} }, (_, at) => ({ id: 'c' + at, input: 'in ' + at, expected: 'in ' + at })),
    task: ${task},
    metrics: ['exact-match'],
    ${more}
  }`
}

/** What `--json` tells of one evaluation. */
export const told = z.object({
  exit_code: z.number(),
  verdict: z.string(),
  run: runAnswer,
  previous_run_id: z.string().nullable(),
  gate: z.object({ outcome: z.string(), reasons: z.array(z.object({ message: z.string() })) }).nullable(),
  comparison: z.unknown(),
})

export const read = ({ out }: Ended) => told.parse(JSON.parse(out))

export async function itemsOf(url: string, runId: string) {
  const answer = await fetch(`${url}/api/v1/runs/${encodeURIComponent(runId)}/items?limit=200`)
  return runItemPage.parse(await answer.json()).items
}
