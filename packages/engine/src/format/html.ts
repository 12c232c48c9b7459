import * as z from 'zod'
import { evaluator } from '../evaluator.ts'
import { textField, textOf } from '../text/comparison.ts'
import { lcsLength } from '../text/lcs.ts'
import { Vocabulary } from '../text/vocabulary.ts'
import { htmlFaults, htmlTokens } from './html-tokens.ts'

/** Whether a text is HTML as the standard wants it. */
export const htmlValid = evaluator({
  slug: 'html-valid',
  name: 'Valid HTML',
  description:
    '1 when the text parses without a fault of the HTML standard, and closes every tag that it opens (but those that the standard lets be, such as p and li), and no other.',
  kind: 'code',
  category: 'format',
  aliases: ['html-validator'],
  needs: ['response'],
  input: [textField('text', 'The text that should be HTML.')],
  output: [
    { name: 'is_valid_html', type: 'boolean', description: 'Whether it parses without a fault.', required: true },
    { name: 'errors', type: 'array', description: 'Name and place of what is wrong, at most twenty.', required: true },
  ],
  config: z.strictObject({
    document: z
      .boolean()
      .default(false)
      .describe('It must be a whole document, with its doctype, and not a part of one.'),
  }),
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: { input: { text: '<p>Hello <b>world</p>' }, value: 0, passed: false },
  runs: 'thread',
  async score({ text }, { config }) {
    const errors = await htmlFaults(textOf(text), config)
    const valid = errors.length === 0
    return {
      value: valid ? 1 : 0,
      passed: valid,
      explanation: errors[0] ?? null,
      output: { is_valid_html: valid, errors },
    }
  },
})

/** How near two pieces of HTML are. */
export const htmlComparison = evaluator({
  slug: 'html-comparison',
  name: 'HTML comparison',
  description:
    'Share of the tags, attributes and words that two pieces of HTML have in the same order. Layout, case of tags and order of attributes say nothing.',
  kind: 'code',
  category: 'format',
  needs: [],
  input: [textField('html1', 'One piece of HTML.'), textField('html2', 'The other one.')],
  output: [{ name: 'similarity_score', type: 'number', description: 'The share.', required: true }],
  config: z.strictObject({
    threshold: z.number().min(0).max(1).default(0.8).describe('Values from here on pass.'),
  }),
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: {
    input: { html1: '<p class="a" id="b">One two</p>', html2: '<P id=b class=a>\n  One two\n</P>' },
    value: 1,
    passed: true,
  },
  runs: 'thread',
  async score({ html1, html2 }, { config }) {
    const vocabulary = new Vocabulary()
    const a = vocabulary.number(await htmlTokens(textOf(html1)))
    const b = vocabulary.number(await htmlTokens(textOf(html2)))
    const size = a.length + b.length
    const value = size === 0 ? 1 : (2 * lcsLength(a, b, vocabulary.size)) / size
    return { value, passed: value >= config.threshold, output: { similarity_score: value } }
  },
})
