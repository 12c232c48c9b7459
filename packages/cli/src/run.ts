import { CommanderError } from 'commander'
import { exitCodes, explain } from './complaint.ts'
import { safeLines } from './display/width.ts'
import { createProgram } from './program.ts'
import type { Terminal } from './terminal.ts'

/** Runs one command line to its end and gives its exit code. Never rejects. */
export async function run(args: string[], terminal: Terminal): Promise<number> {
  let exitCode: number = exitCodes.ok
  const closings: (() => Promise<unknown>)[] = []
  const program = createProgram({
    terminal: { ...terminal, args, atEnd: (work) => void closings.push(work) },
    perform: async (work) => {
      exitCode = (await work()) ?? exitCodes.ok
    },
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has said by now what is wrong, or shown the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.impossible
    const debug = program.opts<{ debug?: boolean }>().debug || (terminal.env['LLM_EVAL_DEBUG'] ?? '') !== ''
    return report(terminal, error, debug)
  } finally {
    for (const close of closings.reverse()) await close().catch(() => undefined)
  }
}

function report({ err, signal }: Terminal, error: unknown, debug: boolean): number {
  err.status('')
  const known = explain(error)
  if (known === undefined && signal.aborted) return exitCodes.interrupted
  const message =
    known?.message ??
    `Something unexpected went wrong: ${error instanceof Error ? error.message : String(error)}.${debug ? '' : ' With --debug it says where.'}`
  // It may name what a file or a server said.
  err.line(`${err.paint('red', 'error:')} ${safeLines(message)}`)
  if (debug && error instanceof Error) err.line(safeLines(traceOf(error)))
  return known?.exitCode ?? exitCodes.impossible
}

function traceOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${traceOf(error.cause)}` : ''
  return `${error.stack ?? error.message}${cause}`
}
