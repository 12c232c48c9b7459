import type { Fault } from '@llm-eval/protocol'
import type { Definition, JudgeDefinition, RemoteDefinition } from './definition.ts'
import type { Evaluator } from './evaluator.ts'
import { judgeFaults, judgeOf } from './judges/from-definition.ts'
import type { Models } from './models/models.ts'
import { type Clock, systemClock } from './models/clock.ts'
import type { AddressCheck } from './remote/addresses.ts'
import { addressFault, guardedFetch } from './remote/guarded-fetch.ts'
import { remoteEvaluator } from './remote/remote.ts'

export interface DefinitionParts {
  models: Models | undefined
  /** Makes the marks around untrusted text hard to guess; new in each process. */
  secret: string
  /** Where remote evaluators may be. */
  allows: AddressCheck
  /** How they are asked; by default a `guardedFetch` that goes where `allows` says. */
  fetch?: typeof globalThis.fetch
  clock?: Clock
}

/** Makes evaluators of the definitions of projects: judges and remote ones. Presets need none but their base. */
export function createFromDefinition(
  parts: DefinitionParts,
): (slug: string, definition: JudgeDefinition | RemoteDefinition) => { evaluator: Evaluator } | { faults: Fault[] } {
  const { allows, clock = systemClock, fetch = guardedFetch({ allows }) } = parts
  return (slug, definition) => {
    const faults = faultsOf(definition, parts)
    if (faults.length > 0) return { faults }
    return {
      evaluator:
        definition.kind === 'judge'
          ? judgeOf(slug, definition, parts)
          : remoteEvaluator(slug, definition, { fetch, clock }),
    }
  }
}

function faultsOf(definition: Exclude<Definition, { kind: 'preset' }>, parts: DefinitionParts): Fault[] {
  if (definition.kind === 'judge') return judgeFaults(definition, parts)
  const fault = addressFault(definition.url, parts.allows)
  return fault === undefined ? [] : [{ path: 'url', message: fault }]
}
