import { loadConfig, showConfig } from '@llm-eval/server'
import { table } from '../display/table.ts'
import { type ServeOptions, sourcesOf } from '../settings.ts'
import type { Terminal } from '../terminal.ts'

/** `llm-eval config`: the effective settings and where each came from, secrets masked. */
export async function config(terminal: Terminal, options: ServeOptions & { json?: boolean }): Promise<void> {
  const { out } = terminal
  const shown = showConfig(await loadConfig(sourcesOf(terminal, options)))
  if (options.json) {
    const settings = shown.map(({ name, value, origin }) => [name, { value: JSON.parse(value) as unknown, origin }])
    out.line(JSON.stringify(Object.fromEntries(settings), null, 2))
    return
  }
  const columns = [{ title: 'SETTING' }, { title: 'VALUE', max: 60 }, { title: 'FROM' }]
  const rows = shown.map(({ name, value, origin }) => [name, value, origin])
  for (const line of table(out, columns, rows)) out.line(line)
}
