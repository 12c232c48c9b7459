import { adkResponseMatch, adkToolParameters, adkToolTrajectory } from './adk/evaluators.ts'
import type { Evaluator } from './evaluator.ts'
import { htmlComparison, htmlValid } from './format/html.ts'
import { jsonDiff, jsonSchema, jsonValidator } from './format/json.ts'
import { language } from './format/language.ts'
import { placeholderRegex, regexValidator } from './format/regex.ts'
import { sqlValidator } from './format/sql.ts'
import { piiDetector } from './safety/pii.ts'
import { profanityDetector } from './safety/profanity.ts'
import { secretsDetector } from './safety/secrets.ts'
import { bleu, chrfEvaluator } from './text/bleu.ts'
import { contains, endsWith, notContains, startsWith } from './text/contains.ts'
import { exactMatch } from './text/exact-match.ts'
import { levenshteinEvaluator } from './text/levenshtein.ts'
import { listContains } from './text/list-contains.ts'
import { numericCloseness } from './text/numeric-closeness.ts'
import { rouge1, rouge2, rougeLEvaluator, rougeLsumEvaluator } from './text/rouge.ts'
import { tokenF1 } from './text/token-f1.ts'
import { agentToolTrajectory } from './tools/agent-tool-trajectory.ts'
import { toolCallF1, toolCallMatch } from './tools/tool-call-match.ts'
import { forbiddenTools, toolCallCount } from './tools/tool-call-rules.ts'
import { charCount, charCountRatio, wordCount, wordCountRatio } from './usage/length.ts'
import { cost, latency, tokens } from './usage/limits-kept.ts'
import { perplexity } from './usage/perplexity.ts'

/** The deterministic evaluators. They need nothing but their input, so that a thread can score with them. */
export const builtinEvaluators: readonly Evaluator[] = [
  exactMatch,
  contains,
  notContains,
  startsWith,
  endsWith,
  levenshteinEvaluator,
  tokenF1,
  language,
  rouge1,
  rouge2,
  rougeLEvaluator,
  rougeLsumEvaluator,
  bleu,
  chrfEvaluator,
  listContains,
  numericCloseness,
  jsonValidator,
  jsonSchema,
  jsonDiff,
  sqlValidator,
  htmlValid,
  htmlComparison,
  regexValidator,
  placeholderRegex,
  piiDetector,
  secretsDetector,
  profanityDetector,
  latency,
  cost,
  tokens,
  charCount,
  wordCount,
  charCountRatio,
  wordCountRatio,
  perplexity,
  toolCallMatch,
  toolCallF1,
  toolCallCount,
  forbiddenTools,
  agentToolTrajectory,
  adkToolTrajectory,
  adkToolParameters,
  adkResponseMatch,
]
