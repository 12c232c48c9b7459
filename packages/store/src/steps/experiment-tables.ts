/** Rows of the tables that `0004-experiments.ts` makes. */
// oxlint-disable-next-line typescript/no-empty-interface -- filled by the step
export interface ExperimentTables {}
