import { Document, isScalar, Scalar, visit } from 'yaml'
import { withoutPlaces } from './environment.ts'

/** What may be expected of a turn that is written down. */
interface ExpectedToWrite {
  tools?: readonly string[] | undefined
  tool_sequence?: readonly string[] | undefined
  output?: { contains: readonly string[] } | undefined
}

interface TurnToWrite {
  query: string
  context?: Readonly<Record<string, unknown>> | undefined
  expected?: ExpectedToWrite | undefined
}

/** A case as it is written, with the names of the format. */
export interface CaseToWrite {
  name: string
  tags?: readonly string[] | undefined
  meta?: Readonly<Record<string, unknown>> | undefined
  input?: Pick<TurnToWrite, 'query' | 'context'> | undefined
  turns?: readonly TurnToWrite[] | undefined
  expected?: ExpectedToWrite | undefined
}

/** Writes cases as YAML, so that reading them gives the same again: what looks like an environment variable is none. */
export function writeCases(cases: readonly CaseToWrite[], comment: string): string {
  const document = new Document({ cases: withoutVariables(cases) }, { aliasDuplicateObjects: false })
  // Written plainly, this key would be an order to merge.
  visit(document, {
    Pair: (_key, { key }) => void (isScalar(key) && key.value === '<<' && (key.type = Scalar.QUOTE_DOUBLE)),
  })
  document.commentBefore = comment
    .split('\n')
    .map((line) => ` ${line}`)
    .join('\n')
  return document.toString({ lineWidth: 120 })
}

function withoutVariables(value: unknown): unknown {
  if (typeof value === 'string') return withoutPlaces(value.toWellFormed())
  if (Array.isArray(value)) return value.map(withoutVariables)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) =>
      one === undefined ? [] : [[key.toWellFormed(), withoutVariables(one)]],
    ),
  )
}
