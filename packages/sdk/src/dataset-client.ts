import { type ColumnType, type Dataset, type DatasetRow, datasetRoutes } from '@llm-eval/protocol'
import type { CallOptions, Connection } from './connection.ts'
import { toQuery } from './trace-data.ts'

/** A column to be made. */
export interface NewColumn {
  name: string
  /** Made of the name if absent. */
  slug?: string | undefined
  /** `string` if absent. */
  type?: ColumnType | undefined
  description?: string | undefined
}

/** A dataset to be made. */
export interface NewDataset {
  name: string
  /** Made of the name if absent. */
  slug?: string | undefined
  description?: string | undefined
  columns?: readonly NewColumn[] | undefined
}

/** Which rows. */
export interface RowQuery extends CallOptions {
  /** A published version; the draft if absent. */
  version?: string | undefined
  /** Rows of one page. */
  limit?: number | undefined
  /** `next_cursor` of the page before. */
  cursor?: string | undefined
}

/** One page of rows. */
export interface RowPage {
  items: DatasetRow[]
  /** Of the draft or the version. */
  total: number
  next_cursor: string | null
}

/** What publishing answers. */
export interface Published {
  version: string
  /** False: the draft had not changed since this version. */
  created: boolean
  dataset: Dataset
}

/** Reads and writes datasets. A dataset is named by its slug or its id. */
export class DatasetClient {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  async list(options: CallOptions = {}): Promise<Dataset[]> {
    const { items } = await this.#connection.ask<{ items: Dataset[] }>({
      route: datasetRoutes.listDatasets,
      signal: options.signal,
    })
    return items
  }

  async create(dataset: NewDataset, options: CallOptions = {}): Promise<Dataset> {
    const body = JSON.stringify(dataset)
    return await this.#connection.ask<Dataset>({ route: datasetRoutes.createDataset, body, signal: options.signal })
  }

  /** Adds rows to the draft; keys are slugs of columns. */
  async addRows(
    dataset: string,
    rows: readonly Record<string, unknown>[],
    options: CallOptions = {},
  ): Promise<DatasetRow[]> {
    const { items } = await this.#connection.ask<{ items: DatasetRow[] }>({
      route: datasetRoutes.addRows,
      values: { dataset },
      body: JSON.stringify({ rows }),
      signal: options.signal,
    })
    return items
  }

  /** Makes the draft a version that never changes: `v1`, `v2`, … unless you name it. */
  async publish(dataset: string, options: CallOptions & { version?: string | undefined } = {}): Promise<Published> {
    const { version, signal } = options
    const call = { route: datasetRoutes.publishDataset, values: { dataset }, body: JSON.stringify({ version }), signal }
    return await this.#connection.ask<Published>(call)
  }

  /** One page of rows, in their order. */
  async rows(dataset: string, { signal, ...query }: RowQuery = {}): Promise<RowPage> {
    const call = { route: datasetRoutes.listRows, values: { dataset }, query: toQuery(query), signal }
    return await this.#connection.ask<RowPage>(call)
  }
}
