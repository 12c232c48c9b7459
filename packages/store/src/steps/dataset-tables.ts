/** Rows of the tables that `0003-datasets.ts` makes. */
// oxlint-disable-next-line typescript/no-empty-interface -- filled by the step
export interface DatasetTables {}
