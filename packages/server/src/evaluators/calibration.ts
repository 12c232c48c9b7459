/** Evaluators against people: `/api/v1/evaluators/:slug/calibration`. */
import { type Calibration, evaluationRoutes, type EvaluatorInfo, Failure, limits } from '@llm-eval/protocol'
import { calibration } from '@llm-eval/protocol/evaluation-schemas'
import { name } from '@llm-eval/protocol/schemas'
import type { JudgedTrace, Store } from '@llm-eval/store'
import * as z from 'zod'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import { agreementOf } from './agreement.ts'

const bySlug = z.object({ slug: name })
/** What is kept: the calibration, and the models that gave the scores. */
const kept = z.object({ calibration, models: z.array(z.string()) })
/** The newest scores that tell which model answers now. */
const newest = 100

/** Serves the two routes of calibrations. */
export function registerCalibration(app: App, { judge, store, now }: Deps): void {
  mount(app, evaluationRoutes.calibrate, {
    schema: { params: bySlug, response: { 200: calibration } },
    handler: async ({ principal, params }) => {
      const { projectId } = principal
      const { info } = await judge.catalogue.find(projectId, params.slug)
      if (!info.pinned) throw new Failure('not_pinned', { values: { slug: info.slug } })
      const asked = { evaluator: info.slug, version: info.version }
      const traces = await store.read(projectId, 'judgedTraces', { ...asked, limit: limits.calibrationTraces })
      const at = now()
      const made: Calibration = {
        evaluator: info.slug,
        evaluator_version: info.version,
        state: 'current',
        made_at: new Date(at).toISOString(),
        ...agreementOf(traces),
      }
      const data = JSON.stringify({ calibration: made, models: modelsOf(traces) })
      await store.apply(projectId, { kind: 'putCalibration', ...asked, data, at })
      return made
    },
  })
  mount(app, evaluationRoutes.getCalibration, {
    schema: { params: bySlug, response: { 200: calibration } },
    handler: async ({ principal, params }) => {
      const { info } = await judge.catalogue.find(principal.projectId, params.slug)
      const stored = await store.read(principal.projectId, 'calibration', { evaluator: info.slug })
      if (stored === null) throw new Failure('calibration_not_found')
      const { calibration: made, models } = kept.parse(JSON.parse(stored.data))
      return { ...made, state: await stateOf(store, { projectId: principal.projectId, info, made, models }) }
    },
  })
}

interface Known {
  projectId: number
  info: EvaluatorInfo
  made: Calibration
  models: string[]
}

/** Whether what was measured still holds: for this version, and for the model that answers now. */
async function stateOf(store: Store, { projectId, info, made, models }: Known): Promise<Calibration['state']> {
  if (!info.pinned) return 'not_pinned'
  if (made.evaluator_version !== info.version) return 'expired'
  const asked = { evaluator: info.slug, version: info.version, limit: newest }
  const now = modelsOf(await store.read(projectId, 'judgedTraces', asked))
  return now.every((model) => models.includes(model)) ? 'current' : 'drifted'
}

/** The models that gave scores, as their provider names them. */
function modelsOf(traces: readonly JudgedTrace[]): string[] {
  return [...new Set(traces.flatMap(({ model }) => model ?? []))].sort()
}
