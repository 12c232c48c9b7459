import type { RunApproval, RunStatus, RunStop, ScoreOutcome, TaskFault } from '@llm-eval/protocol'

// Runs, and what came of each of their cases. A run is named by the id that its client gave it, and by a ref that no other
// run ever gets. Items are written once: the first that comes for a place stays. What a run is to do, inputs and outputs
// are JSON texts here; what is in them is their owners' business.

/** Who works a run off: the server takes it when it is free; a client holds it, and is given up when it is not heard of. */
export const runWorkers = ['server', 'client'] as const
export type RunWorker = (typeof runWorkers)[number]

/** What a run is to be called. */
interface RunTitle {
  name: string
  description: string | null
  tags: string[]
  /** JSON. */
  metadata: string
  modelName: string | null
  modelVersion: string | null
  taskType: string | null
  environment: string | null
}

/** A run to be stored. */
export interface NewRun extends RunTitle {
  id: string
  /** Of all that makes it this run: decides whether one of the same id is the same. */
  hash: string
  worker: RunWorker
  datasetId: string | null
  datasetName: string
  datasetVersion: string | null
  /** JSON. */
  task: string
  settings: string
  /** What was evaluated, in its owner's words. */
  config: string
  /** JSON of the metrics, and their names in the order in which items carry them. */
  metrics: string
  metricNames: string[]
  createdBy: string | null
  /** Items; null while nobody knows. */
  total: number | null
}

/** The numbers of a run at one moment. They add up from its items alone, in whatever order those came. */
export interface RunNumbers {
  status: RunStatus
  stoppedBy: RunStop | null
  total: number | null
  completed: number
  /** Finished without an error of the task. */
  successful: number
  /** Items that went with the traces they were made of; they are in no other number. */
  erased: number
  costNano: number
  /** Items that hold a cost which nobody knows. */
  unknownCosts: number
  /** Milliseconds of the times before this one. */
  workedMs: number
  /** `metricSize` numbers for each metric, in their order: see `run-totals.ts`. */
  totals: number[]
}

/** A run as it is kept. */
export interface StoredRun extends NewRun, RunNumbers {
  /** Names it in events. */
  ref: number
  owner: string | null
  /** Times that the server took it. */
  attempt: number
  error: { code: string; message: string } | null
  approval: RunApproval | null
  createdAt: number
  updatedAt: number
  startedAt: number | null
  /** Since when it is worked on this time; null while it is not. */
  beganAt: number | null
  endedAt: number | null
}

/** What counts of a score. */
export interface ItemScore {
  outcome: ScoreOutcome
  value: number | null
  passed: boolean | null
}

/** The numbers of an item. */
interface ItemNumbers {
  responseMs: number | null
  /** Of the task; null is unknown. */
  costNano: number | null
  tokens: number | null
  attempts: number
  startedAt: number | null
  completedAt: number
  /** In the order of the run's metrics; null where one gave none. */
  scores: (ItemScore | null)[]
}

interface ItemCase {
  /** From 0, in the order of the dataset. */
  itemIndex: number
  caseId: string
  /** From 1. */
  repetition: number
  status: 'success' | 'failed'
}

/** A finished item. */
export interface NewRunItem extends ItemCase, ItemNumbers {
  /** Of the item as it was sent; decides between duplicate and conflict. */
  hash: string
  /** What task and judges cost together as far as it is known, and whether there is more. */
  spent: { costNano: number; unknown: boolean }
  /** First characters of the output. */
  preview: string | null
  error: { code: TaskFault; message: string } | null
  /** The trace of the answer. */
  traceId: string | null
  /** The trace that the case was made of. */
  sourceTraceId: string | null
  body: ItemBody
}

/** The part of an item that only its own page needs. JSON. */
export interface ItemBody {
  input: string
  expected: string | null
  output: string | null
  /** The whole scores by metric. */
  scores: string
}

/** An item as lists and events show it. */
export interface StoredRunItem extends ItemCase, ItemNumbers {
  preview: string | null
  error: { code: TaskFault; message: string } | null
  traceId: string | null
  /** Only where it was asked for. */
  body: ItemBody | null
}

/**
 * What became of an item. `duplicate`: it is there; `conflict`: another one is; `run_over`: the run ended without it;
 * `erased`: a trace that it was made of was deleted.
 */
export type ItemFate = 'created' | 'duplicate' | 'conflict' | 'run_over' | 'erased'

type NoRun = { result: 'not_found' | 'deleted' }
/** Somebody else works it off. */
type Held = { result: 'held' }
type Over = { result: 'over'; status: RunStatus }

export interface RunChanges {
  /**
   * The same id with the same hash again is `exists`. With an owner it is running, held for `leaseMs`; without one it is
   * queued, for the server, or for a client that has so long to come.
   */
  createRun: {
    in: { run: NewRun; owner: string | null; at: number; leaseMs: number }
    out: { result: 'created' | 'exists'; run: StoredRun } | { result: 'conflict' | 'deleted' | 'too_many' }
  }
  /** Undefined members stay. An approval needs a run that is over. Statuses have changes of their own. */
  updateRun: {
    in: {
      id: string
      set: Partial<RunTitle> & { total?: number | null | undefined; approval?: RunApproval | null | undefined }
      at: number
    }
    out: { result: 'ok'; run: StoredRun } | { result: 'not_over' } | NoRun
  }
  /** Takes a run that is queued, or that nobody holds any more. */
  startRun: {
    in: { id: string; owner: string; at: number; leaseMs: number }
    out: { result: 'ok'; run: StoredRun } | Held | Over | NoRun
  }
  /** Takes runs of the server that nobody holds; those that ran out of attempts end as failed (`interrupted`). */
  takeRuns: {
    in: { owner: string; at: number; leaseMs: number; limit: number; maxAttempts: number }
    out: { runs: StoredRun[]; abandoned: number }
  }
  /** Keeps those of the runs that the owner holds for longer; the others are not its own any more. */
  holdRuns: { in: { refs: number[]; owner: string; at: number; leaseMs: number }; out: { held: number[] } }
  /** Lets go of all of the owner's runs, so that whoever comes next need not wait; attempts count as for executions. */
  releaseRuns: { in: { owner: string; after: 'stop' | 'death'; at: number }; out: { released: number } }
  /** Gives up runs of clients that were not heard of in time: they are `abandoned`, and go on if their worker does. */
  abandonRuns: { in: { at: number; limit: number }; out: { refs: number[] } }
  /**
   * Stores finished items, each with its event. What is there already is told so, also when the run is over; new ones are
   * taken while it is not. An abandoned run goes on with them, or with none under a lease, which is a
   * sign of life. `lease` keeps a client's run for longer. Tells who has the run.
   */
  addItems: {
    in: { id: string; items: NewRunItem[]; lease: { owner: string; leaseMs: number } | null; at: number }
    out: { result: 'ok'; fates: ItemFate[]; status: RunStatus; owner: string | null } | NoRun
  }
  /** The end of a run, told by who holds it, or by whom it was abandoned by. */
  endRun: {
    in: {
      id: string
      owner: string
      status: 'completed' | 'failed' | 'cancelled'
      stoppedBy: RunStop | null
      error: { code: string; message: string } | null
      /** Undefined where it is known already. */
      total?: number | undefined
      at: number
    }
    out: { result: 'ok'; run: StoredRun } | Held | Over | NoRun
  }
  /** Ends a run that is not over, or was abandoned, whoever works on it. What is finished stays. */
  cancelRun: { in: { id: string; at: number }; out: { result: 'ok'; run: StoredRun } | Over | NoRun }
  /**
   * Goes on with a run that is over, with what is missing; its approval falls. With an owner it is running, without one
   * queued. A client may take its own run from a worker of before.
   */
  resumeRun: {
    in: { id: string; owner: string | null; at: number; leaseMs: number }
    out: { result: 'ok'; run: StoredRun } | Held | NoRun
  }
  /** The run is gone with the first call; of its items each call removes up to `limit`, until `more` is false (`sweep` goes on with what is left). */
  deleteRun: { in: { id: string; at: number; limit: number }; out: { found: boolean; more: boolean } }
  /** Deletes up to `limit` runs that ended before `before` and are not approved, without tombstones, and up to `limit` items of deleted runs; call again until `more` is false. */
  expireRuns: { in: { before: number; at: number; limit: number }; out: { deleted: number; more: boolean } }
}
