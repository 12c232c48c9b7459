// Experiments of foreign clients: runs whose tasks the client executes itself, and people's feedback.

export interface StoredExperiment {
  id: string
  slug: string
  /** JSON. */
  metadata: string
  createdAt: number
  updatedAt: number
}

export interface StoredExperimentRun {
  id: string
  experimentId: string
  datasetId: string | null
  datasetVersion: string | null
  evaluators: string[]
  /** JSON. */
  metadata: string
  createdAt: number
}

export interface StoredTask {
  id: string
  runId: string
  /** JSON. */
  input: string
  /** JSON; null when the task failed. */
  output: string | null
  error: string | null
  createdAt: number
}

export interface ExperimentChanges {
  /** Makes the experiment when its slug is new, and always a new run. */
  startExperimentRun: {
    in: {
      experimentId: string
      slug: string
      metadata: string
      run: Omit<StoredExperimentRun, 'experimentId' | 'createdAt'>
      at: number
    }
    out: { experiment: StoredExperiment; run: StoredExperimentRun }
  }
  addTasks: {
    in: { tasks: Omit<StoredTask, 'createdAt'>[]; at: number }
    out: { result: 'ok' } | { result: 'run_not_found' }
  }
  addAnnotation: { in: { id: string; task: string; entity: string; data: string; at: number }; out: { stored: true } }
}

export interface ExperimentQueries {
  /** By slug or id. */
  experiment: { in: { key: string }; out: StoredExperiment | null }
  experimentRun: { in: { id: string }; out: StoredExperimentRun | null }
  task: { in: { id: string }; out: StoredTask | null }
  /** In the order of arrival, with every execution of each. */
  tasks: {
    in: { runId: string; limit: number; after: string | null }
    out: {
      task: StoredTask
      executions: { id: string; evaluator: string; status: string; score: string | null; error: string | null }[]
    }[]
  }
  annotations: {
    in: { task: string; entity: string | null; limit: number }
    out: { id: string; entity: string; data: string; at: number }[]
  }
}
