import {
  formatCursor,
  type RunFrameType,
  type RunProgressData,
  type RunStatus,
  type RunStatusUpdate,
} from '@llm-eval/protocol'
import type { ItemScore, RunEvent, RunNumbers, Store, StoredRun, StoredRunItem } from '@llm-eval/store'
import { progressOfRun, readSettings } from '../running/wire.ts'
import type { Told, ToldFrame } from './view.ts'

/** What never changes of a run. */
export interface RunShape {
  ref: number
  runId: string
  names: readonly string[]
  repetitions: number
}

export function shapeOf(run: Pick<StoredRun, 'ref' | 'id' | 'metricNames' | 'settings'>): RunShape {
  return {
    ref: run.ref,
    runId: run.id,
    names: run.metricNames,
    repetitions: readSettings(run.settings).repetitions,
  }
}

/** The numbers of a run as frames show them. */
export function progressData(numbers: RunNumbers, shape: RunShape): RunProgressData {
  const { completed, total, status } = numbers
  const isDone = status === 'completed' || (total !== null && completed >= total)
  const state = completed === 0 ? 'started' : isDone ? 'processing_complete' : 'processing'
  return { ...progressOfRun(numbers, shape), status: state }
}

/** What a frame is made of, beside its data. */
interface Frame {
  type: RunFrameType
  runId: string | null
  at: number
  /** Undefined where nothing can be resumed after it. */
  seq: string | undefined
}

/** The text of a frame. */
function frameText({ type, runId, at, seq }: Frame, data: unknown): string {
  const timestamp = new Date(at).toISOString()
  return JSON.stringify({
    run_id: runId,
    event_type: type,
    type,
    timestamp,
    ...(seq === undefined ? {} : { seq }),
    data,
  })
}

/** How things stand right after an event. Nothing is resumed after it: whoever comes back gets a newer one. */
export function progressFrame({ at, data }: Pick<RunEvent, 'at' | 'data'>, shape: RunShape): ToldFrame {
  const frame = { type: 'progress', runId: shape.runId, at, seq: undefined } as const
  return { type: 'progress', text: frameText(frame, progressData(data, shape)), item: null }
}

/** Ids that are remembered beyond the deletion of their runs. */
const mostIds = 10_000

/** Makes frames of the events of one project. */
export class FrameMaker {
  readonly #store: Store
  readonly #projectId: number
  readonly #epoch: string
  /** Of runs that were told of lately: whoever knows them hears which one is deleted. */
  readonly #ids = new Map<number, string>()

  constructor(store: Store, projectId: number, epoch: string) {
    this.#store = store
    this.#projectId = projectId
    this.#epoch = epoch
  }

  cursor(seq: number): string {
    return formatCursor({ epoch: this.#epoch, seq })
  }

  /**
   * The frames of a page of events. Only the last frame of an event carries its cursor: whoever is cut off between two of them
   * comes back before both.
   *
   * @param shape of the run that all of them are about; null where they are about any, and no single items are told
   */
  async tell(events: readonly RunEvent[], shape: RunShape | null): Promise<Told[]> {
    const told: Told[] = []
    for (const [index, event] of events.entries()) {
      const frames =
        event.kind === 'run_item'
          ? this.#ofItem(event, shape)
          : await this.#ofRun(event, { shape, page: events, index })
      told.push({ seq: event.seq, frames, ends: event.kind === 'run_ended', deletes: event.kind === 'run_deleted' })
    }
    return told
  }

  /** An item that is gone since leaves nothing to tell of. */
  #ofItem({ seq, at, item }: RunEvent, shape: RunShape | null): ToldFrame[] {
    if (item === null || shape === null) return []
    const type = item.status === 'failed' ? 'error' : 'result'
    const values = new Map(shape.names.map((name, i) => [name, numberOf(item.scores[i] ?? null)]))
    const failed = item.status === 'failed' || item.scores.some((score) => score?.passed === false)
    const frame = { type, runId: shape.runId, at, seq: this.cursor(seq) } as const
    return [{ type, text: frameText(frame, itemData(item, values)), item: { failed, values } }]
  }

  async #ofRun(
    event: RunEvent,
    { shape, page, index }: { shape: RunShape | null; page: readonly RunEvent[]; index: number },
  ): Promise<ToldFrame[]> {
    const updates = updatesOf(event, await this.#statusBefore(event, page.slice(0, index)))
    const runId = event.id ?? shape?.runId ?? this.#idOfDeleted(event)
    if (event.id !== null) this.remember(event.ref, event.id)
    const run = event.id === null ? null : await this.#store.read(this.#projectId, 'run', { id: event.id })
    const stored = run === 'deleted' ? null : run
    const frames: Omit<Frame & { data: unknown }, 'seq'>[] = updates.map((type) => ({
      type: 'status_update',
      runId,
      at: event.at,
      data: updateData(type, { event, stored, runId }),
    }))
    const known = shape ?? (stored && shapeOf(stored))
    if (event.kind === 'run_ended' && shape !== null && known) {
      // The last numbers, before everybody is told that they are the last.
      frames.unshift({ type: 'progress', runId, at: event.at, data: progressData(event.data, known) })
      if (event.data.status === 'completed')
        frames.push({ type: 'completed', runId, at: event.at, data: completedData(event.data, known) })
    }
    return frames.map(({ data, ...frame }, i) => {
      const seq = i === frames.length - 1 ? this.cursor(event.seq) : undefined
      return { type: frame.type, text: frameText({ ...frame, seq }, data), item: null }
    })
  }

  /** Somebody follows the run, or heard of it: they are told which one it was when it is deleted. */
  remember(ref: number, id: string): void {
    this.#ids.set(ref, id)
    const oldest = this.#ids.size > mostIds ? this.#ids.keys().next() : undefined
    if (oldest && !oldest.done) this.#ids.delete(oldest.value)
  }

  #idOfDeleted({ kind, ref }: RunEvent): string | null {
    return (kind === 'run_deleted' ? this.#ids.get(ref) : undefined) ?? null
  }

  /** The status of the run right before an event; null where nobody knows. */
  async #statusBefore(event: RunEvent, before: readonly RunEvent[]): Promise<RunStatus | null> {
    if (event.kind !== 'run_updated') return null
    const last = before.findLast(({ ref }) => ref === event.ref)
    if (last) return last.data.status
    return this.#store.read(this.#projectId, 'runStatusBefore', { ref: event.ref, seq: event.seq })
  }
}

/** What became of a run; of one that begins as it is made, both are told. */
function updatesOf({ kind, data: { status } }: RunEvent, before: RunStatus | null): RunStatusUpdate[] {
  if (kind === 'run_created') return status === 'running' ? ['run_created', 'run_started'] : ['run_created']
  if (kind === 'run_deleted') return ['run_deleted']
  if (kind === 'run_ended') return [endings[status]]
  if (before === null || before === status) return ['run_updated']
  if (status === 'running') return ['run_started']
  return [status === 'queued' ? 'run_updated' : endings[status]]
}

const endings: Record<RunStatus, RunStatusUpdate> = {
  queued: 'run_updated',
  running: 'run_updated',
  completed: 'run_completed',
  failed: 'run_failed',
  cancelled: 'run_cancelled',
  abandoned: 'run_abandoned',
}

function updateData(
  type: RunStatusUpdate,
  { event, stored, runId }: { event: RunEvent; stored: StoredRun | null; runId: string | null },
) {
  const { data, ref } = event
  const run_data = {
    ref,
    status: data.status,
    stopped_by: data.stoppedBy,
    name: stored?.name ?? null,
    dataset_name: stored?.datasetName ?? null,
    model_name: stored?.modelName ?? null,
    total_items: data.total === null ? null : Math.max(data.total, data.completed),
    completed_items: data.completed,
    successful_items: data.successful,
    success_rate: data.completed === 0 ? null : data.successful / data.completed,
  }
  const error = type === 'run_failed' ? { error_data: stored?.error ?? null } : {}
  return { type, run_id: runId, run_data, ...error }
}

function completedData(numbers: RunNumbers, shape: RunShape) {
  const progress = progressData(numbers, shape)
  const means = Object.entries(progress.metrics).map(([name, { mean }]) => [name, mean])
  return {
    ...progress,
    average_scores: Object.fromEntries(means),
    execution_time: numbers.workedMs / 1_000,
    stopped_by: numbers.stoppedBy,
    status: 'completed',
    message: numbers.stoppedBy === null ? 'Evaluation completed' : `Evaluation ended early: ${numbers.stoppedBy}`,
  }
}

function itemData(item: StoredRunItem, values: ReadonlyMap<string, number | null>) {
  const place = {
    item_index: item.itemIndex,
    case_id: item.caseId,
    repetition: item.repetition,
    execution_time: item.responseMs === null ? null : item.responseMs / 1_000,
  }
  const scores = Object.fromEntries(values)
  if (item.status === 'success') return { ...place, output: item.preview, scores, status: 'completed' }
  const { code, message } = item.error ?? { code: 'execution_failed', message: '' }
  return { ...place, error: code, message, scores, status: 'failed' }
}

/** The number of a score as it counts; null where nothing was scored. */
function numberOf(score: ItemScore | null): number | null {
  if (score?.outcome !== 'scored') return null
  if (score.value !== null) return score.value
  return score.passed === null ? null : Number(score.passed)
}
