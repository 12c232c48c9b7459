import { pathTo, runRoutes } from '@llm-eval/protocol'

export const exportFormats = [
  { format: 'csv', name: 'CSV' },
  { format: 'jsonl', name: 'JSON Lines' },
] as const

/** Where the items of a run are downloaded from, however many they are: the server streams them. */
export function runExportAddress(runId: string, format: (typeof exportFormats)[number]['format']): string {
  return `${pathTo(runRoutes.exportRun, { run_id: runId })}?format=${format}`
}
