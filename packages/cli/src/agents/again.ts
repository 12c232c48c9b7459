import { hiding, secretsOf } from './secrets.ts'

/** What a command about cases was told that the next one needs as well. */
export interface ToldAgain {
  paths: readonly string[]
  options: {
    agent?: string | undefined
    agentConfig?: string | undefined
    adkConfig?: string | undefined
    baselines?: 'files' | 'server' | undefined
  }
}

/** A command such as `llm-eval test --verbose` with the files and flags it needs to be about the same; keys are left out. */
export function again(command: string, { paths, options }: ToldAgain): string {
  const [program = '', verb = '', ...rest] = command.split(' ')
  const { agent, agentConfig, adkConfig, baselines } = options
  const flags = [
    baselines === 'server' && (verb === 'check' || verb === 'snapshot') ? ['--baselines', baselines] : [],
    agent === undefined ? [] : ['--agent', hiding(secretsOf({ url: agent }))(agent)],
    agentConfig === undefined ? [] : ['--agent-config', agentConfig],
    adkConfig === undefined ? [] : ['--adk-config', adkConfig],
  ]
  return [program, verb, ...paths.map(quoted), ...rest, ...flags.flat().map(quoted)].join(' ')
}

/** As a shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w./:@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
