import { type FailureCode, failureTable, gateExitCodes } from '@llm-eval/protocol'
import { LLMEvalError } from 'llm-eval-sdk'

/** How a command can end. */
export const exitCodes = {
  ok: 0,
  /** What was asked for failed, wholly or in part: some traces were refused, there is no such trace. */
  failed: 1,
  /** It could not be tried: wrong usage, no server, a file that is not there. */
  impossible: 2,
  /** It cannot be told whether what was asked is so: scores, items or evidence are missing. */
  untold: gateExitCodes.cannot_tell,
  /** Ended by Ctrl-C. */
  interrupted: 130,
} as const

/** Something the user can do something about: one sentence or two, shown without a stack trace. */
export class Complaint extends Error {
  override readonly name = 'Complaint'
  readonly exitCode: number
  /** What a server answered with, where that is what it is about. */
  readonly status: number | undefined

  constructor(message: string, options: { exitCode?: number; status?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.exitCode = options.exitCode ?? exitCodes.impossible
    this.status = options.status
  }
}

/** What is wrong with a file, in words. */
const fileFaults: Record<string, string> = {
  ENOENT: 'it is not there',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a directory',
  ELOOP: 'it is a link that leads in a circle',
  ENOTDIR: 'a part of the path is not a directory',
  EEXIST: 'it exists already',
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
}

/** The code of a system error, such as ENOENT; undefined for any other error. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** The complaint about a file that could not be read or written. Errors that are not about files are thrown on. */
export function fileComplaint(doing: string, error: unknown): Complaint {
  const fault = fileFaults[systemCode(error) ?? '']
  if (fault === undefined) throw error
  return new Complaint(`${doing}: ${fault}.`, { cause: error })
}

/** Classes of other rooms whose message was written for users; they are told by name, so that their rooms need not be loaded. */
const plainSpoken = new Set(['ConfigError', 'DataDirectoryBusy'])

/** Why a database does not let us in: the network, or Postgres itself (access, no such database, starting, full). */
const unopened =
  /^(ECONN(REFUSED|RESET)|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|28\w{3}|3D000|57P03|53300)$/

/** An error as the user should see it: what happened, and the exit code. Undefined: it is a fault of the program. */
export function explain(error: unknown): { message: string; exitCode: number } | undefined {
  if (error instanceof Complaint) return { message: error.message, exitCode: error.exitCode }
  if (error instanceof LLMEvalError) return explainSdk(error)
  if (!(error instanceof Error)) return undefined
  if (plainSpoken.has(error.name)) return { message: error.message, exitCode: exitCodes.impossible }
  // A failure of the store or the server, met in this very process.
  if (error.name === 'Failure' && 'next' in error)
    return { message: `${error.message} ${String(error.next)}`, exitCode: exitCodes.failed }
  // The store says which database it is and why it cannot be opened; the reason's code tells such an error from a fault of ours.
  if (unopened.test(systemCode(error.cause) ?? ''))
    return { message: `${error.message.replace(/\.$/, '')}.`, exitCode: exitCodes.impossible }
  const fault = fileFaults[systemCode(error) ?? '']
  if (fault !== undefined && 'path' in error)
    return { message: `${String(error.path)}: ${fault}.`, exitCode: exitCodes.impossible }
  return undefined
}

/** For commands of which 1 says that something did not pass: what the server refuses is 2 there. */
export async function orImpossible<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const known = explain(error)
    if (known?.exitCode !== exitCodes.failed) throw error
    throw new Complaint(known.message, { cause: error })
  }
}

function explainSdk(error: LLMEvalError): { message: string; exitCode: number } {
  const { impossible, failed } = exitCodes
  switch (error.code) {
    case 'unreachable':
      return { message: `${error.message}. ${startHint}`, exitCode: impossible }
    case 'auth':
      return { message: `${error.message} ${keyHint}`, exitCode: impossible }
    case 'timeout':
    case 'protocol':
    case 'interrupted':
      return { message: error.message, exitCode: impossible }
    case 'not_found':
    case 'failed':
      return { message: withoutApiAdvice(error), exitCode: failed }
  }
}

/** The server's advice is for those who write requests; here the faults themselves, or a command, say more. */
function withoutApiAdvice({ message, failure, errors }: LLMEvalError): string {
  if (isHinted(failure)) return message.replace(failureTable[failure].next, commandHints[failure])
  if (errors.length === 0) return message
  return `${errors.map(({ path, message: fault }) => (path === '' ? fault : `${path}: ${fault}`)).join('; ')}.`
}

/** What to do next on the command line, by the server's code; its own advice is a request. */
const commandHints = {
  trace_not_found: '`llm-eval traces list` shows what there is.',
  evaluator_not_found: '`llm-eval evaluators list` shows what there is.',
  dataset_not_found: '`llm-eval datasets list` shows what there is.',
  run_not_found: '`llm-eval runs list` shows what there is.',
  run_over: '`llm-eval runs resume` goes on with it.',
  run_not_over: 'Wait for its end with `llm-eval runs watch`, or end it with `llm-eval runs cancel`.',
} as const satisfies Partial<Record<FailureCode, string>>

function isHinted(code: string | undefined): code is keyof typeof commandHints {
  return code !== undefined && code in commandHints
}

/** What to do next on the command line after a failure of the server with this code; undefined: what the server says. */
export function commandHint(code: string | undefined): string | undefined {
  return isHinted(code) ? commandHints[code] : undefined
}

/** What to do when nothing answers. */
export const startHint = 'Start a server with `llm-eval serve`, or name another one with --url.'
/** What to do when the server wants a key. */
export const keyHint = 'Pass a key with --key or LLM_EVAL_API_KEY.'
