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
