import type { EvaluatorInfo } from '@llm-eval/protocol'
import type { Evaluator } from './evaluator.ts'
import { infoOf } from './info.ts'
import { slugOf } from './names.ts'

/** Evaluators by slug and alias. */
export interface Catalogue {
  find(slug: string): Evaluator | undefined
  info(evaluator: Evaluator): EvaluatorInfo
  all(): EvaluatorInfo[]
}

/** @throws {Error} when two evaluators claim a name: that is a mistake of whoever puts the engine together */
export function createCatalogue(evaluators: readonly Evaluator[]): Catalogue {
  const bySlug = new Map<string, Evaluator>()
  for (const evaluator of evaluators) claim(bySlug, evaluator.slug, evaluator)
  for (const evaluator of evaluators) for (const alias of evaluator.aliases ?? []) claim(bySlug, alias, evaluator)
  const infos = new Map<Evaluator, EvaluatorInfo>()
  const info = (evaluator: Evaluator): EvaluatorInfo => {
    const known = infos.get(evaluator) ?? frozen(structuredClone(infoOf(evaluator)))
    infos.set(evaluator, known)
    return { ...known }
  }
  return {
    find: (slug) => bySlug.get(slugOf(slug)),
    info,
    all: () => evaluators.map(info).sort((a, b) => (a.slug < b.slug ? -1 : 1)),
  }
}

/** What is handed out many times is shared, and nobody can change it for the others. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(frozen)
  }
  return value
}

function claim(bySlug: Map<string, Evaluator>, name: string, evaluator: Evaluator): void {
  const slug = slugOf(name)
  const other = bySlug.get(slug)
  if (other) throw new Error(`the evaluators ${other.slug} and ${evaluator.slug} both answer to ${slug}`)
  bySlug.set(slug, evaluator)
}
