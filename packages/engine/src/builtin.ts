import type { Evaluator } from './evaluator.ts'
import { placeholderRegex, regexValidator } from './format/regex.ts'
import { contains, endsWith, notContains, startsWith } from './text/contains.ts'
import { exactMatch } from './text/exact-match.ts'

/** The deterministic evaluators, in the order of the catalogue. They need nothing but their input. */
export const builtinEvaluators: readonly Evaluator[] = [
  exactMatch,
  contains,
  notContains,
  startsWith,
  endsWith,
  regexValidator,
  placeholderRegex,
]
