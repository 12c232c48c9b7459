import { Complaint } from './complaint.ts'
import type { Terminal } from './terminal.ts'

/**
 * Asks before something is deleted.
 *
 * @throws {Complaint} where nobody can be asked
 */
export async function confirmed(terminal: Terminal, question: string): Promise<boolean> {
  if (!terminal.stdin.isTTY || !terminal.err.isTTY)
    throw new Complaint('Nobody can be asked here: add --yes to delete without a question.')
  const { confirm } = await import('@clack/prompts')
  // A cancelled question gives a symbol, which is not true either.
  return (
    (await confirm({ message: question, initialValue: false, output: process.stderr, signal: terminal.signal })) ===
    true
  )
}
