import { createHash } from 'node:crypto'
import type { EvaluatorInfo } from '@llm-eval/protocol'
import * as z from 'zod'
import { readConfig } from './config.ts'
import type { Evaluator } from './evaluator.ts'

/** An evaluator as the catalogue shows it. */
export function infoOf(evaluator: Evaluator): EvaluatorInfo {
  const { slug, name, description, kind, category, input, output, range, direction, example } = evaluator
  return {
    slug,
    name,
    description,
    kind,
    category,
    source: kind === 'custom' ? 'custom' : 'builtin',
    version: versionOf(evaluator, null),
    pinned: evaluator.pinned ?? true,
    aliases: [...(evaluator.aliases ?? [])],
    needs: [...evaluator.needs],
    provider: evaluator.provider ?? 'none',
    input_schema: [...input],
    output_schema: [...output],
    config_schema: z.record(z.string(), z.unknown()).parse(z.toJSONSchema(evaluator.config, toJsonSchema)),
    range,
    direction,
    example,
    created_at: null,
    updated_at: null,
  }
}

const toJsonSchema = { io: 'input', unrepresentable: 'any' } as const

/** Hash of all that an evaluator's scores depend on, under a configuration that is laid over its own. */
export function versionOf(evaluator: Evaluator, config: Readonly<Record<string, unknown>> | null): string {
  const { slug, kind, revision = 1, depends = null } = evaluator
  const read = readConfig(evaluator, config)
  const effective = 'config' in read ? read.config : config
  const all = canonicalJson({ slug, kind, revision, depends, config: effective })
  return createHash('sha256').update(all).digest('hex').slice(0, 16)
}

/** JSON with the members of every object in the order of their names. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  )
}
