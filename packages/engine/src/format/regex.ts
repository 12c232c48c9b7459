import * as z from 'zod'
import { evaluator, NoScore } from '../evaluator.ts'
import { mostSteps } from './regex-steps.ts'
import { textField, textOf } from '../text/comparison.ts'

const flags = {
  should_match: z.boolean().default(true).describe('Whether a match is what should be.'),
  case_sensitive: z.boolean().default(true).describe('Upper and lower case differ.'),
  dot_include_nl: z.boolean().default(false).describe('`.` also fits the end of a line.'),
  multi_line: z.boolean().default(false).describe('`^` and `$` fit at every line.'),
}
const regexConfig = z.strictObject({
  regex: z.string().min(1).max(10_000).describe('The regular expression, as JavaScript writes them.'),
  ...flags,
})
const placeholderConfig = z.strictObject(flags)
type Flags = z.output<typeof placeholderConfig>

const output = [
  { name: 'is_valid_regex', type: 'boolean', description: 'Whether the text is as it should be.', required: true },
  { name: 'matches', type: 'array', description: 'What fitted, at most ten.', required: true },
] as const

/** Whether a text fits a regular expression of the configuration. */
export const regexValidator = evaluator({
  slug: 'regex-validator',
  name: 'Regular expression',
  description: '1 when the text fits the regular expression (or, with `should_match: false`, when it does not).',
  kind: 'code',
  category: 'format',
  aliases: ['regex', 'matches'],
  needs: ['response'],
  input: [textField('text', 'The text that is searched.')],
  output,
  config: regexConfig,
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: { input: { text: 'Order 4711' }, config: { regex: '^Order \\d+$' }, value: 1, passed: true },
  runs: ({ text }, { regex }) => placeOf(regex, text),
  score: ({ text }, { config }) => search(config.regex, textOf(text), config),
})

/** Whether a text fits a regular expression that comes with the input. */
export const placeholderRegex = evaluator({
  slug: 'placeholder-regex',
  name: 'Regular expression of the input',
  description: '1 when the text fits the regular expression that comes with it in `placeholder_value`.',
  kind: 'code',
  category: 'format',
  needs: ['response'],
  input: [
    textField('placeholder_value', 'The regular expression.'),
    textField('text', 'The text that is searched.'),
    { name: 'placeholder_name', type: 'string', description: 'What the placeholder is called.', required: false },
  ],
  output,
  config: placeholderConfig,
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: { input: { placeholder_value: 'sku-\\d+', text: 'Article sku-12' }, value: 1, passed: true },
  runs: ({ placeholder_value: pattern, text }) => placeOf(pattern, text),
  score: (input, { config }) => search(textOf(input['placeholder_value']), textOf(input['text']), config),
})

/** Steps that are over in well under ten milliseconds. */
const fewSteps = 1_000_000

/** A pattern of ten characters can take for ever on a text of thirty: only what surely does not is searched for at once. */
function placeOf(pattern: unknown, text: unknown): 'inline' | 'thread' {
  return mostSteps(textOf(pattern), textOf(text).length) <= fewSteps ? 'inline' : 'thread'
}

function search(pattern: string, text: string, options: Flags) {
  const expression = compile(pattern, options)
  const matches = matchesOf(expression, text)
  const passed = matches.length > 0 === options.should_match
  return { value: passed ? 1 : 0, passed, output: { is_valid_regex: passed, matches } }
}

/** The first ten. @throws {NoScore} `refused_value` */
function matchesOf(expression: RegExp, text: string): string[] {
  const matches: string[] = []
  try {
    for (const [match] of text.matchAll(expression)) if (matches.push(match.slice(0, 200)) === 10) break
  } catch (error) {
    // Only with the first text does the engine find out that a pattern is larger than it can do.
    if (!(error instanceof SyntaxError)) throw error
    throw new NoScore('refused_value', 'The regular expression is too large.')
  }
  return matches
}

/** With the flag `u` where the pattern allows it, so that `.` and `\p{…}` see whole characters. */
function compile(pattern: string, options: Flags): RegExp {
  const given = `g${options.case_sensitive ? '' : 'i'}${options.dot_include_nl ? 's' : ''}${options.multi_line ? 'm' : ''}`
  for (const flagsToTry of [`${given}u`, given]) {
    try {
      return new RegExp(pattern, flagsToTry)
    } catch {
      // Patterns of other engines may be fine without `u`.
    }
  }
  throw new NoScore('refused_value', 'The regular expression is not valid.')
}
