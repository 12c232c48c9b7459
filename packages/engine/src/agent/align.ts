import type { AgentToolCall, ToolStep } from '@llm-eval/protocol'
import { argumentDifferences } from './arguments.ts'

/** Cells of the table that alignment fills at most; longer middles are taken as replaced as a whole. */
const cellsMax = 4_000_000

/**
 * Aligns the calls of two traces by name, with as many in common as possible (longest common subsequence); what was removed in
 * one place and added in another is one call that moved. In the order of a reader: by what is now, with what is gone between.
 */
export function alignCalls(before: readonly AgentToolCall[], after: readonly AgentToolCall[]): ToolStep[] {
  const steps: ToolStep[] = []
  let [a, b] = [0, 0]
  const until = (endA: number, endB: number) => {
    for (; a < endA; a++) steps.push(step('removed', { before, after }, [a, null]))
    for (; b < endB; b++) steps.push(step('added', { before, after }, [null, b]))
  }
  for (const [inBefore, inAfter] of commonCalls(before, after)) {
    until(inBefore, inAfter)
    steps.push(step('same', { before, after }, [inBefore, inAfter]))
    a = inBefore + 1
    b = inAfter + 1
  }
  until(before.length, after.length)
  return withMoves(steps, { before, after })
}

interface Calls {
  before: readonly AgentToolCall[]
  after: readonly AgentToolCall[]
}

function step(kind: ToolStep['kind'], { before, after }: Calls, [a, b]: [number | null, number | null]): ToolStep {
  const [was, is] = [a === null ? undefined : before[a], b === null ? undefined : after[b]]
  // What is not shown on one side cannot have changed.
  const differences = was && is && was.args !== null && is.args !== null ? argumentDifferences(was.args, is.args) : []
  const name = is?.name ?? was?.name ?? ''
  return {
    kind: kind === 'same' && differences.length > 0 ? 'arguments' : kind,
    name,
    before: a,
    after: b,
    differences,
  }
}

/** Pairs of indexes with the same name, in order on both sides. */
function commonCalls(before: readonly AgentToolCall[], after: readonly AgentToolCall[]): [number, number][] {
  const shorter = Math.min(before.length, after.length)
  let start = 0
  while (start < shorter && before[start]?.name === after[start]?.name) start++
  let end = 0
  while (end < shorter - start && before.at(-1 - end)?.name === after.at(-1 - end)?.name) end++
  const head = Array.from({ length: start }, (_, index): [number, number] => [index, index])
  const middle = inTheMiddle(before.slice(start, before.length - end), after.slice(start, after.length - end))
  const tail = Array.from({ length: end }, (_, index): [number, number] => [
    before.length - end + index,
    after.length - end + index,
  ])
  return [...head, ...middle.map(([a, b]): [number, number] => [a + start, b + start]), ...tail]
}

function inTheMiddle(before: readonly AgentToolCall[], after: readonly AgentToolCall[]): [number, number][] {
  const width = after.length + 1
  if (before.length * after.length > cellsMax) return []
  // lengths[a * width + b]: of the longest common subsequence of what is left from a and from b on.
  const lengths = new Uint32Array((before.length + 1) * width)
  const at = (a: number, b: number) => lengths[a * width + b] ?? 0
  for (let a = before.length - 1; a >= 0; a--)
    for (let b = after.length - 1; b >= 0; b--)
      lengths[a * width + b] =
        before[a]?.name === after[b]?.name ? at(a + 1, b + 1) + 1 : Math.max(at(a + 1, b), at(a, b + 1))
  const pairs: [number, number][] = []
  let [a, b] = [0, 0]
  while (a < before.length && b < after.length) {
    if (before[a]?.name === after[b]?.name) pairs.push([a++, b++])
    else if (at(a + 1, b) >= at(a, b + 1)) a++
    else b++
  }
  return pairs
}

function withMoves(steps: readonly ToolStep[], calls: Calls): ToolStep[] {
  const removed = new Map<string, ToolStep[]>()
  for (const one of steps) if (one.kind === 'removed') removed.set(one.name, [...(removed.get(one.name) ?? []), one])
  const gone = new Set<ToolStep>()
  const merged = steps.map((one) => {
    const from = one.kind === 'added' ? removed.get(one.name)?.shift() : undefined
    if (!from) return one
    gone.add(from)
    return step('moved', calls, [from.before, one.after])
  })
  return merged.filter((one) => !gone.has(one))
}
