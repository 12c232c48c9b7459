/** What users thought: `/v2/annotation-tasks`. */
import { randomUUID } from 'node:crypto'
import { traceloopRoutes } from '@llm-eval/protocol'
import { name } from '@llm-eval/protocol/schemas'
import * as z from 'zod'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import { storedAnnotation } from './answers.ts'

const annotationInput = z.object({
  /** The value of an association property of what is annotated, such as a chat's id. */
  entity_instance_id: name,
  tags: z.record(z.string(), z.unknown()),
  source: z.string().nullish(),
  flow: z.string().nullish(),
  actor: z.object({ type: z.string().nullish(), id: z.string().nullish() }).nullish(),
})

/** Serves the route of annotations. */
export function registerAnnotations(app: App, { store, now }: Deps): void {
  mount(app, traceloopRoutes.annotate, {
    schema: { params: z.object({ task: name }), body: annotationInput, response: { 200: storedAnnotation } },
    handler: async (request) => {
      const { entity_instance_id: entity, ...rest } = request.body
      const id = `ann_${randomUUID().replaceAll('-', '')}`
      const { task } = request.params
      const { projectId } = request.principal
      await store.apply(projectId, { kind: 'addAnnotation', id, task, entity, data: JSON.stringify(rest), at: now() })
      return { id, annotation_task: task, entity_instance_id: entity }
    },
  })
}
