// The reference page of the evaluators, made from the catalogue of the engine.
import type { EvaluatorInfo, Field } from '@llm-eval/protocol'
import { createEngine, createJudges } from '@llm-eval/engine'
import * as z from 'zod'

const titles: Record<EvaluatorInfo['category'], string> = {
  text: 'Text',
  format: 'Format',
  safety: 'Safety',
  usage: 'Usage',
  tools: 'Tool calls',
  quality: 'Quality',
  agent: 'Agents',
  custom: 'Custom',
}

/** Everything that is built in: code and judges. */
function catalogue(): EvaluatorInfo[] {
  return createEngine({ evaluators: createJudges({ models: undefined, secret: 'the page asks nobody' }) }).catalogue()
}

/** The page, below its note. */
export function evaluatorsText(): string {
  const all = catalogue()
  const sections = Object.entries(titles).flatMap(([category, title]) => {
    const own = all.filter((info) => info.category === category)
    return own.length === 0 ? [] : [`## ${title}\n\n${own.map(section).join('\n')}`]
  })
  return `# Evaluators

${all.length} evaluators are built in. Each is found by its slug or another name, \`_\` and \`-\` being the same. A field of the input is
found under its name in any spelling (\`groundTruth\`, \`ground-truth\`), then under a synonym: \`response\`, \`answer\`, \`completion\`,
\`output\`, \`text\` are one, and so are \`reference\`, \`expected\`, \`ground_truth\`, \`context\`, and \`question\`, \`query\`, \`prompt\`,
\`instructions\`, \`input\`. Lists and objects may come as JSON in a string, null counts as absent, unknown fields are ignored; unknown
members of a configuration are refused.

A score is \`scored\`, \`skipped\` where evidence is missing, or \`errored\` where the evaluator failed; only scored ones have a value. What
may be slow runs in threads of its own and is ended after 10 seconds. Evaluators of the kind \`judge\` ask a language model, those that
say so an embedding model; everything else needs nothing and gives the same score each time. Text metrics are those of their
references: \`rouge_score\`, \`sacrebleu\`, \`autoevals\`.

${sections.join('\n')}`
}

function section(info: EvaluatorInfo): string {
  const { slug, name, description, kind, aliases, provider, needs, range, direction, input_schema, output_schema } =
    info
  const facts = [
    kind === 'judge' ? 'A language model judges.' : '',
    provider === 'embedding' ? 'Asks an embedding model.' : '',
    aliases.length > 0 ? `Also \`${aliases.join('`, `')}\`.` : '',
    `Value ${rangeText(range)}${direction === null ? '' : direction === 'higher' ? ', more is better' : ', less is better'}.`,
    needs.length > 0 ? `Of a trace it needs: ${needs.join(', ')}.` : '',
  ]
  const rows = [
    ...input_schema.map((field) => fieldRow('input', field)),
    ...configRows(info.config_schema),
    ...output_schema.map((field) => fieldRow('output', field)),
  ]
  return `### ${slug}

**${name}.** ${description} ${facts.filter((fact) => fact !== '').join(' ')}

| | name | type | what it is |
|---|---|---|---|
${rows.join('\n')}
${exampleText(info)}`
}

function rangeText({ min, max }: EvaluatorInfo['range']): string {
  if (min === null && max === null) return 'without bounds'
  return max === null ? `from ${min}` : min === null ? `up to ${max}` : `${min} to ${max}`
}

function fieldRow(part: string, { name, type, description, required, enum_values }: Field): string {
  const types = type === 'enum' ? (enum_values ?? []).join(', ') : type
  return row([part, `\`${name}\`${required ? '' : ', optional'}`, types, description])
}

const property = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.looseObject({ type: z.string().optional() })).optional(),
  description: z.string().default(''),
  default: z.unknown().optional(),
})
const configSchema = z.looseObject({
  properties: z.record(z.string(), property).default({}),
  required: z.array(z.string()).default([]),
})

function configRows(schema: Record<string, unknown>): string[] {
  const { properties, required } = configSchema.parse(schema)
  return Object.entries(properties).map(([name, member]) => {
    const types = member.enum?.join(', ') ?? member.anyOf?.map(({ type }) => type ?? 'any').join(', ') ?? member.type
    const standard = member.default === undefined ? '' : ` Default: \`${JSON.stringify(member.default)}\`.`
    const must = required.includes(name) ? ', required' : ''
    return row(['config', `\`${name}\`${must}`, String(types ?? 'any'), `${member.description}${standard}`])
  })
}

function row(cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
}

function exampleText({ example }: EvaluatorInfo): string {
  if (!example) return ''
  const { input, config, value, passed } = example
  const shown = JSON.stringify({ input, ...(config === undefined ? {} : { config }) })
  const says = [
    value === null ? [] : `value ${Number(value.toFixed(6))}`,
    passed === null ? [] : passed ? 'passes' : 'does not pass',
  ].flat()
  return `
\`\`\`json
${shown}
\`\`\`

${says.length > 0 ? `gives ${says.join(', ')}.` : ''}
`
}
