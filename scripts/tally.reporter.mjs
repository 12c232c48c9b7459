// A Vitest reporter that counts: what passed, and everything that is not a pass.
import { writeFileSync } from 'node:fs'

/** @typedef {{ passed: number, failed: number }} Tally */

/**
 * Writes a {@link Tally} to the file named by LLM_EVAL_TALLY. Failed counts, besides tests that failed: tests that did not
 * run or were skipped, files and suites that broke outside a test, errors nobody handled, and a run without any test.
 */
export default class TallyReporter {
  /**
   * @param {ReadonlyArray<import('vitest/node').TestModule>} modules
   * @param {ReadonlyArray<unknown>} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const passed = tests.filter((test) => test.result().state === 'passed').length
    const broken = modules
      .flatMap((module) => [module, ...module.children.allSuites()])
      .filter((part) => part.errors().length > 0)
    const empty = tests.length === 0 && broken.length === 0 ? 1 : 0
    const failed = tests.length - passed + broken.length + unhandledErrors.length + empty
    const path = process.env['LLM_EVAL_TALLY']
    if (path) writeFileSync(path, JSON.stringify({ passed, failed }))
  }
}
