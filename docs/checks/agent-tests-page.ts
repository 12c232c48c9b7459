// The reference of files of cases and of their settings, made from the schemas that read them.
import { caseFileSchema, settingsFileSchema } from '@llm-eval/formats'
import * as z from 'zod'

/** As much of a JSON Schema as the page needs. */
interface Field {
  type?: string | undefined
  description?: string | undefined
  enum?: unknown[] | undefined
  anyOf?: Field[] | undefined
  items?: Field | undefined
  properties?: Record<string, Field> | undefined
  additionalProperties?: boolean | Field | undefined
}

const field: z.ZodType<Field> = z.lazy(() =>
  z.object({
    type: z.union([z.string(), z.array(z.string()).transform((all) => all.find((one) => one !== 'null'))]).optional(),
    description: z.string().optional(),
    enum: z.array(z.unknown()).optional(),
    anyOf: z.array(field).optional(),
    items: field.optional(),
    properties: z.record(z.string(), field).optional(),
    additionalProperties: z.union([z.boolean(), field]).optional(),
  }),
)

/** Fields of a turn that are those of a case. */
const toldElsewhere = /^(turns\[\]\.expected)\./

/** The page below its note. */
export function agentTestsText(): string {
  const [oneCase] = field.parse(caseFileSchema()).anyOf ?? []
  const settings = field.parse(settingsFileSchema())
  return `# Files of agent tests

How they are used stands in [Test agents](../test-agents.md). Editors know them by a JSON Schema, [agent-cases.schema.json](agent-cases.schema.json),
which \`llm-eval test --schema\` prints too:

\`\`\`yaml
# yaml-language-server: $schema=https://example.com/where/you/keep/agent-cases.schema.json
\`\`\`

In all of them \`\${NAME}\` is the environment variable, \`\${NAME:-otherwise}\` has something else where that is not set, and \`$\${\` is \`\${\`.
A key that is not known is an error with the nearest one; in files of EvalView (those beside \`.evalview/config.yaml\`) it is a warning.

## Cases

\`.yaml\`, \`.yml\`, \`.toml\` or \`.json\`: one case, a list of them, several YAML documents, or \`{suite, defaults, cases: [...]}\`, where \`defaults\`
holds what all cases have in common. YAML's anchors work. A case needs a \`name\`, and a question: \`query\`, \`input.query\` or \`turns\`.

${tableOf(oneCase ?? {})}

## Settings

\`llm-eval.agent.yaml\` (or \`.yml\`, \`.toml\`, \`.json\`) where the commands are run; \`--agent-config\` names another. Nothing in it is needed:
\`--agent URL\` is enough. EvalView's \`.evalview/config.yaml\` is read where there is none.

${tableOf(settings)}

Bodies of your own may hold \`{{query}}\`, \`{{messages}}\`, \`{{history}}\`, \`{{context.NAME}}\`, \`{{session_id}}\`, \`{{turn}}\`, \`{{user_id}}\`, \`{{model}}\` and
\`{{env.NAME}}\`. A value that is one place and nothing else becomes what stands there, not text.
`
}

function tableOf(root: Field): string {
  const rows = rowsOf(root, '').filter(([path]) => !toldElsewhere.test(path))
  const cells = rows.map(([path, kind, words]) => `| \`${path}\` | ${kind} | ${words.replaceAll('|', '\\|')} |`)
  return ['| field | | |', '|---|---|---|', ...cells].join('\n')
}

function rowsOf(at: Field, path: string): [path: string, kind: string, words: string][] {
  const members = Object.entries(membersOf(at)).flatMap(([name, member]) => {
    const here = path === '' ? name : `${path}.${name}`
    const list = listOf(member)
    return [
      [here, kindOf(member), member.description ?? ''] satisfies [string, string, string],
      ...rowsOf(list ?? member, list ? `${here}[]` : here),
    ]
  })
  return members
}

/** A field and its other forms, of which null is none. */
function formsOf(at: Field): Field[] {
  const forms = at.anyOf === undefined ? [at] : at.anyOf.flatMap(formsOf)
  return forms.filter(({ type }) => type !== 'null')
}

function membersOf(at: Field): Record<string, Field> {
  return Object.assign({}, ...formsOf(at).map(({ properties = {} }) => properties)) as Record<string, Field>
}

/** The entries of a list of objects. */
function listOf(at: Field): Field | undefined {
  return formsOf(at).find(({ items }) => items !== undefined && Object.keys(membersOf(items)).length > 0)?.items
}

function kindOf(at: Field): string {
  const kinds = formsOf(at).map((form) => {
    if (form.enum) return form.enum.map((value) => `\`${String(value)}\``).join(', ')
    if (form.items)
      return form.items.type === undefined ? 'list' : `list of ${plurals[form.items.type] ?? form.items.type}`
    return names[form.type ?? ''] ?? 'anything'
  })
  return [...new Set(kinds)].join(' or ')
}

const names: Record<string, string> = {
  string: 'text',
  number: 'number',
  integer: 'whole number',
  boolean: 'true or false',
  object: 'object',
}
const plurals: Record<string, string> = { string: 'texts', object: 'objects', array: 'lists' }
