import type { Command } from 'commander'
import type { Stage } from './terminal.ts'

/** Runs a command's work; what it gives is the exit code, nothing is 0. */
export type Perform = (work: () => Promise<number | void>) => Promise<void>

/** What every command is made with. */
export interface Parts {
  terminal: Stage
  perform: Perform
}

/** Commands to copy, and after an empty line sentences, which are wrapped. */
export function examples(command: Command, lines: string[]): Command {
  return command.addHelpText('after', ({ error }) => {
    const output = command.configureOutput()
    const width = (error ? output.getErrHelpWidth?.() : output.getOutHelpWidth?.()) ?? 80
    const commands = lines.includes('') ? lines.slice(0, lines.indexOf('')) : lines
    const sentences = lines.slice(commands.length + 1).join(' ')
    const notes = sentences === '' ? '' : `\n\n${command.createHelp().boxWrap(sentences, width)}`
    return `\nExamples:\n${commands.map((line) => `  ${line}`).join('\n')}${notes}`
  })
}

/** Settings of a server as flags. */
export function withSettings(command: Command): Command {
  return command
    .option('--host <address>', 'the address to listen on; 127.0.0.1 lets only this machine in (HOST)')
    .option('--port <number>', 'the port; 8000 unless said otherwise, 0 takes a free one (PORT)')
    .option('--database-url <url>', 'postgresql://…: use this Postgres instead of the embedded database (DATABASE_URL)')
    .option('--public-url <url>', 'under which URL people reach the server (LLM_EVAL_PUBLIC_URL)')
    .option('--retention-days <days>', 'delete traces that are older (LLM_EVAL_RETENTION_DAYS)')
    .option('--log-level <level>', 'trace, debug, info, warn, error or silent (LLM_EVAL_LOG_LEVEL)')
}
