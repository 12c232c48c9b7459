import type { EvaluatorOptions } from 'llm-eval-sdk/evaluation'
import { Complaint } from '../complaint.ts'
import type { ToldRun } from '../commands/runs.ts'
import { newRunId } from '../run-id.ts'
import { caseFileOf, casesIn } from './case-files.ts'
import type { LoadedEvaluation } from './load.ts'
import type { RunOptions } from './options.ts'

/** What an evaluator is made of, but for where its run is kept and who listens. */
export type Wish = EvaluatorOptions & { runId: string; name: string }

/** How many cases a run was limited to stands in its metadata under this name: whoever resumes it must know. */
const limitField = 'case_limit'

/**
 * What is to be run: what the file says, with the flags over it. A run that goes on does so as it began.
 *
 * @param before the run that is resumed
 * @throws {Complaint} for a dataset without a case, or that cannot be read
 */
export async function wishOf(
  { file, definition }: LoadedEvaluation,
  options: RunOptions,
  { before, onFile }: { before: ToldRun | null; onFile?: ((path: string) => void) | undefined },
): Promise<Wish> {
  const { gate: _, ...described } = definition
  const wish = {
    ...described,
    name: options.name ?? described.name,
    ...(await datasetOf(definition.dataset, { file, onFile })),
  }
  if (before !== null) return { ...wish, ...continuing(before) }
  const { limit, tag } = options
  return {
    ...wish,
    runId: newRunId(wish.name),
    concurrency: options.concurrency ?? wish.concurrency,
    repetitions: options.repeat ?? wish.repetitions,
    timeoutMs: options.timeout ?? wish.timeoutMs,
    retries: options.retries ?? wish.retries,
    maxCases: limit,
    tags: [...new Set([...(wish.tags ?? []), ...(tag ?? [])])],
    metadata: { ...wish.metadata, ...(limit === undefined ? {} : { [limitField]: limit }) },
  }
}

async function datasetOf(
  dataset: EvaluatorOptions['dataset'],
  { file, onFile }: { file: string; onFile?: ((path: string) => void) | undefined },
): Promise<Pick<EvaluatorOptions, 'dataset' | 'datasetName'>> {
  const cases = typeof dataset === 'string' ? caseFileOf(dataset, file) : undefined
  if (cases !== undefined) onFile?.(cases.path)
  const read = cases === undefined ? dataset : await casesIn(cases)
  if (Array.isArray(read) && read.length === 0)
    throw new Complaint(
      `${cases === undefined ? 'The dataset' : `The dataset ${cases.path}`} holds no case: nothing can be evaluated.`,
    )
  return { dataset: read, ...(cases === undefined ? {} : { datasetName: cases.name }) }
}

/** A run is the same only if it is asked for in the same words. */
function continuing(run: ToldRun): Partial<Wish> & Pick<Wish, 'runId' | 'name'> {
  const { settings, metadata, config } = run
  const { cost, duration_ms: durationMs } = settings.limits
  const limit = metadata[limitField]
  return {
    runId: run.run_id,
    name: run.name,
    description: run.description ?? undefined,
    tags: run.tags,
    metadata,
    config,
    concurrency: settings.concurrency,
    repetitions: settings.repetitions,
    timeoutMs: settings.timeout_ms,
    retries: settings.retries,
    limits: { cost, durationMs },
    decision: settings.decision ?? undefined,
    maxCases: typeof limit === 'number' ? limit : undefined,
    ...(run.dataset_id === null || run.dataset_version === null ? {} : { datasetVersion: run.dataset_version }),
  }
}
