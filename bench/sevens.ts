import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Cases of which the answer is known: what is evaluated by all that is compared. */
export function sevens(count: number): { id: string; input: string; expected: string }[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `case-${index}`,
    input: `What is ${index} times seven? It is ${index * 7}`,
    expected: String(index * 7),
  }))
}

/** Metrics of the same, as runs name them. */
export const metrics = [
  { name: 'contains', evaluator: 'contains' },
  { name: 'regex', evaluator: 'regex-validator', config: { regex: '\\d+$' } },
  { name: 'levenshtein', evaluator: 'levenshtein' },
]

/** Writes an evaluation file whose task answers at once with its input, as promptfoo's `echo` does. Gives its path. */
export function writeEvaluation(directory: string, count: number): string {
  const path = join(directory, `sevens-${count}.eval.mjs`)
  const dataset = `Array.from({ length: ${count} }, (_, index) => ({
    id: \`case-\${index}\`,
    input: \`What is \${index} times seven? It is \${index * 7}\`,
    expected: String(index * 7),
  }))`
  writeFileSync(
    path,
    `export default {
  name: 'sevens ${count}',
  task: (input) => ({ output: input, cost: 0 }),
  dataset: ${dataset},
  metrics: ${JSON.stringify(metrics)},
  concurrency: 16,
}
`,
  )
  return path
}
