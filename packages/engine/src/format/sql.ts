import * as z from 'zod'
import { evaluator } from '../evaluator.ts'
import { textField, textOf } from '../text/comparison.ts'
import { sqlDialects, sqlFault } from './sql-parser.ts'

/** Whether a text is SQL. */
export const sqlValidator = evaluator({
  slug: 'sql-validator',
  name: 'Valid SQL',
  description:
    '1 when the text is SQL that parses, in the dialect of the configuration or in any. Nothing is executed. What the parser does not know, such as MERGE and FETCH FIRST, does not pass.',
  kind: 'code',
  category: 'format',
  aliases: ['sql-valid', 'sql'],
  needs: ['response'],
  input: [textField('text', 'The text that should be SQL.')],
  output: [
    { name: 'is_valid_sql', type: 'boolean', description: 'Whether it parses.', required: true },
    {
      name: 'dialect',
      type: 'string',
      description: 'The first dialect in which it parses; null where there is none.',
      required: true,
    },
  ],
  config: z.strictObject({
    dialect: z
      .enum(['any', ...sqlDialects])
      .default('any')
      .describe('The dialect that it must be.'),
  }),
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: { input: { text: "SELECT name FROM users WHERE city = 'Paris';" }, value: 1, passed: true },
  // A thousand brackets keep the parser busy for ever.
  runs: 'thread',
  async score({ text }, { config }) {
    const dialects = config.dialect === 'any' ? sqlDialects : [config.dialect]
    let explanation: string | null = null
    for (const dialect of dialects) {
      const fault = await sqlFault(textOf(text), dialect)
      if (fault === null) return { value: 1, passed: true, output: { is_valid_sql: true, dialect } }
      explanation ??= fault
    }
    return { value: 0, passed: false, explanation, output: { is_valid_sql: false, dialect: null } }
  },
})
