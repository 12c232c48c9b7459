import type { GateWish } from '../api/comparisons.ts'

/** The command that asks the same of the same runs. */
export function gateCommand({ runs, failOn, min, max, partial }: GateWish): string {
  const flags = [
    ...(failOn === undefined ? [] : ['--fail-on', failOn]),
    ...min.flatMap(([metric, bound]) => ['--min', quoted(`${metric}=${bound}`)]),
    ...max.flatMap(([metric, bound]) => ['--max', quoted(`${metric}=${bound}`)]),
    ...(partial === 'allowed' ? ['--allow-partial'] : []),
  ]
  // What begins with a dash would be taken for a flag.
  const end = runs.some((id) => id.startsWith('-')) ? ['--'] : []
  return ['llm-eval', 'compare', ...flags, ...end, ...runs.map(quoted)].join(' ')
}

/** A word of a POSIX shell that stands for itself. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
