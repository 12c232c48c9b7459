import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What the reporter counts for some test files, in a Vitest of their own. */
async function tallyOf(files: Record<string, string>): Promise<unknown> {
  // Inside the repository, so that the files find Vitest.
  mkdirSync(join(root, '.cache'), { recursive: true })
  const folder = mkdtempSync(join(root, '.cache/tally-'))
  try {
    writeFileSync(join(folder, 'vitest.config.mjs'), 'export default {}')
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(folder, name), `import { beforeAll, describe, expect, test } from 'vitest'\n${text}`)
    }
    const tally = join(folder, 'tally.json')
    const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder]
    const reporter = `--reporter=${join(root, 'scripts/tally.reporter.mjs')}`
    await new Promise((resolve) => {
      execFile(process.execPath, [...args, reporter], { env: { ...process.env, LLM_EVAL_TALLY: tally } }, resolve)
    })
    return JSON.parse(readFileSync(tally, 'utf8'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('tests that pass and tests that fail are counted', async () => {
  const text = "test('a', () => {})\ntest('b', () => {})\ntest('c', () => expect(1).toBe(2))"
  expect(await tallyOf({ 'a.test.js': text })).toEqual({ passed: 2, failed: 1 })
})

test('whatever did not pass is a failure: skipped tests, broken files and suites, errors nobody handled', async () => {
  expect(
    await tallyOf({
      'skipped.test.js': "test.skip('a', () => {})\ntest.todo('b')",
      'broken.test.js': "throw new Error('at import')",
      'suite.test.js': "describe('s', () => {\n  beforeAll(() => { throw new Error('x') })\n  test('a', () => {})\n})",
      'unhandled.test.js': "test('a', () => { void Promise.reject(new Error('late')) })",
    }),
  ).toEqual({ passed: 1, failed: 2 + 1 + 2 + 1 })
})

test('a run without any test is a failure', async () => {
  expect(await tallyOf({})).toEqual({ passed: 0, failed: 1 })
})
