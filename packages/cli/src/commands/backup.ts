import { resolve } from 'node:path'
import { loadConfig } from '@llm-eval/server'
import { backupDirectory } from '@llm-eval/store'
import { Complaint, exitCodes, fileComplaint, systemCode } from '../complaint.ts'
import { bytes, duration } from '../display/amounts.ts'
import { ProgressBar } from '../display/progress.ts'
import { sourcesOf } from '../settings.ts'
import type { GlobalOptions } from '../target.ts'
import type { Terminal } from '../terminal.ts'

/** `llm-eval backup`: copies the embedded database into one file, while the server runs or not. */
export async function backup(terminal: Terminal, file: string, options: GlobalOptions): Promise<number> {
  if (options.url !== undefined)
    throw new Complaint(
      'backup reads the data directory itself: run it where the server runs, with --data and not --url.',
    )
  const { config } = await loadConfig(sourcesOf(terminal, options))
  if (config.database_url !== null)
    throw new Complaint(
      'The data is in Postgres, which has a tool of its own: pg_dump --format=custom --file=FILE "$DATABASE_URL"',
    )
  const to = resolve(terminal.cwd, file)
  const bar = new ProgressBar(terminal.err)
  const { signal } = terminal
  try {
    const size = await backupDirectory(config.data, {
      to,
      signal,
      onProgress: (done) => bar.show({ done, total: 1, words: config.data }),
    })
    bar.end()
    terminal.out.line(`${bytes(size)} in ${duration(bar.elapsed)}: ${to}`)
    return exitCodes.ok
  } catch (error) {
    bar.end()
    if (!signal.aborted) throw complaint(error, { data: config.data, to })
    terminal.err.line('Interrupted. No file was written.')
    return exitCodes.interrupted
  }
}

function complaint(error: unknown, { data, to }: { data: string; to: string }): unknown {
  const code = systemCode(error)
  if (code === 'EEXIST') return new Complaint(`${to} exists already. Name a file that does not.`)
  const missing = error instanceof Error && 'path' in error && String(error.path).startsWith(data)
  if (code === 'ENOENT' && missing)
    return new Complaint(`There is no database in ${data}. Name the data directory with --data.`)
  if (code === 'ENOENT' || code === 'EACCES' || code === 'ENOSPC' || code === 'EISDIR')
    return fileComplaint(`${to} cannot be written`, error)
  return error
}
