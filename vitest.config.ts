import { defineConfig } from 'vitest/config'

// Tests run the source: the `llm-eval-source` export condition of our packages points at src/, so a stale dist/ cannot hide a fault.
export default defineConfig({
  ssr: {
    resolve: {
      conditions: ['llm-eval-source', 'node', 'development|production'],
      externalConditions: ['llm-eval-source'],
    },
  },
  test: {
    include: [
      'packages/*/{src,test}/**/*.test.ts',
      'examples/**/*.test.ts',
      'scripts/**/*.test.ts',
      'docs/**/*.test.ts',
      'conformance/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', '**/dist/**'],
    globalSetup: ['scripts/compiled.setup.ts', 'scripts/postgres.setup.ts'],
    pool: 'forks',
    execArgv: ['--conditions=llm-eval-source', '--no-warnings=ExperimentalWarning'],
    maxWorkers: 2,
    testTimeout: 90_000,
    hookTimeout: 120_000,
    slowTestThreshold: 2_000,
    // What a passing test prints is noise.
    silent: 'passed-only',
  },
})
