/** Rows of the tables that `0002-evaluation.ts` makes. */
// oxlint-disable-next-line typescript/no-empty-interface -- filled by the step
export interface EvaluationTables {}
