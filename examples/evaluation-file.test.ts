import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run as runShape } from '@llm-eval/protocol/run-schemas'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const command = join(import.meta.dirname, '../packages/cli/src/main.ts')
const file = join(import.meta.dirname, 'evaluation/eval.ts')

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'llm-eval-example-'))
})
afterAll(() => rm(home, { recursive: true, force: true }))

/** Runs the command line as people do, with a data directory of its own. */
function llmEval(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const all = ['--conditions=llm-eval-source', '--no-warnings', command, ...args, '--data', join(home, 'data')]
    execFile(process.execPath, all, { cwd: home }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

describe('the example of an evaluation in a file', () => {
  it('passes its gate, and leaves a run, a report and a summary', async () => {
    const reports = ['--html', 'report.html', '--junit', 'report.xml', '--markdown', 'summary.md']
    const { code, out, err } = await llmEval('run', file, '--local', '--json', ...reports)
    expect([code, err]).toEqual([0, expect.stringContaining('Wrote ')])
    const told = JSON.parse(out) as { run: unknown; verdict: string; url: unknown }
    // There is no server that it could be seen on.
    expect(told.url).toBe(null)
    expect(told.verdict).toMatch(
      /^Passed the gate: 12 items, 100 % without an error; right-team 0\.9167, known-team 1, /,
    )
    const run = runShape.parse(told.run)
    expect(run).toMatchObject({
      name: 'support-routing',
      dataset_name: 'messages.jsonl',
      config: { router: 'keywords' },
    })
    expect(await readFile(join(home, 'report.html'), 'utf8')).toContain('support-routing')
    expect(await readFile(join(home, 'summary.md'), 'utf8')).toMatch(/^### ✅ support-routing\n/)
    expect((await llmEval('runs', 'items', run.run_id, '--below', 'right-team=1')).out).toMatch(
      /\n +11 +twice +success /,
    )
  })

  it('fails a gate that asks for more', async () => {
    const { code, out } = await llmEval('run', file, '--local', '--min', 'right-team=0.95')
    expect([code, out]).toEqual([1, expect.stringContaining('Failed the gate: 12 items')])
  })
})
