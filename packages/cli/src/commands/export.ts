import { routes } from '@llm-eval/protocol'
import { type OutputOptions, outputPath, RowCounter, saveAnswer } from '../download.ts'
import { type FilterOptions, queryOf } from '../filter.ts'
import { ask } from '../http.ts'
import { findTarget, type GlobalOptions } from '../target.ts'
import type { Terminal } from '../terminal.ts'

/** Options of `llm-eval export`. */
export interface ExportOptions extends GlobalOptions, FilterOptions, OutputOptions {
  format: 'csv' | 'jsonl'
}

/** `llm-eval export`: writes all matching traces to a file, or to standard output. */
export async function exportTraces(terminal: Terminal, options: ExportOptions): Promise<number> {
  const path = outputPath(terminal, options)
  const target = await findTarget(terminal, options)
  const filter = Object.entries(queryOf(options)).map(([name, value]) => [name, String(value)])
  const query = { ...Object.fromEntries(filter), format: options.format }
  const response = await ask(target, { route: routes.exportTraces, query, signal: terminal.signal })
  return saveAnswer(terminal, response, { path, counter: new RowCounter(options.format, 'trace') })
}
