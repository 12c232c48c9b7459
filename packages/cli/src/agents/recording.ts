import type { Request, Understood } from '@llm-eval/agents'
import type { CaseToWrite } from '@llm-eval/formats'
import { isObject } from '@llm-eval/protocol'
import { valueWithoutSecrets, withoutSecrets } from './redact.ts'

/** What is kept at most; what comes beyond is counted. */
export const recordingLimits = {
  conversations: 1_000,
  turns: 50,
  queryChars: 20_000,
  contextChars: 10_000,
  contains: 3,
}

/** One question and its answer. */
export interface Exchange {
  asked: Request
  answer: Understood
}

interface Turn {
  query: string
  context: Readonly<Record<string, unknown>> | null
  tools: string[]
  contains: string[]
}

interface Conversation {
  turns: Turn[]
}

/** Turns what was said to an agent and what it did into cases: conversations are found again by their session or by what was said before. */
export class Recording {
  readonly #conversations: Conversation[] = []
  readonly #bySession = new Map<string, Conversation>()
  readonly #byQueries = new Map<string, Conversation>()
  /** Exchanges that became no part of a case, as there were too many. */
  beyond = 0

  add({ asked, answer }: Exchange): void {
    const turn = turnOf(asked, answer)
    const found = this.#find(asked)
    if (found) {
      if (found.turns.length >= recordingLimits.turns) return void this.beyond++
      this.#byQueries.delete(queriesOf(found))
      found.turns.push(turn)
    } else if (this.#conversations.length >= recordingLimits.conversations) return void this.beyond++
    const conversation = found ?? { turns: [turn] }
    if (!found) this.#conversations.push(conversation)
    this.#byQueries.set(queriesOf(conversation), conversation)
    for (const id of [asked.sessionId, answer.sessionId]) if (id !== null) this.#bySession.set(id, conversation)
  }

  /** Those that say the same are one case, of which only that is expected that was so each time. */
  cases(): CaseToWrite[] {
    const merged = new Map<string, { turns: Turn[]; seen: number }>()
    for (const { turns } of this.#conversations) {
      const key = JSON.stringify(turns.map(({ query, context }) => [query, context]))
      const known = merged.get(key)
      if (known) {
        known.seen++
        known.turns = known.turns.map((turn, index) => common(turn, turns[index] ?? turn))
      } else merged.set(key, { turns, seen: 1 })
    }
    const names = new Set<string>()
    return [...merged.values()].map(({ turns, seen }) => caseOf(turns, { seen, names }))
  }

  #find({ sessionId, history }: Request): Conversation | undefined {
    const known = sessionId === null ? undefined : this.#bySession.get(sessionId)
    if (known) return known
    const said = history.filter(({ role }) => role === 'user').map(({ content }) => cleaned(content))
    return said.length === 0 ? undefined : this.#byQueries.get(JSON.stringify(said))
  }
}

function queriesOf({ turns }: Conversation): string {
  return JSON.stringify(turns.map(({ query }) => query))
}

function cleaned(query: string): string {
  return withoutSecrets(query.slice(0, recordingLimits.queryChars)).toWellFormed()
}

function turnOf({ query: said, context }: Request, { toolCalls, output }: Understood): Turn {
  const query = cleaned(said)
  const kept = context === null ? null : valueWithoutSecrets(context)
  const isSmall = JSON.stringify(kept).length <= recordingLimits.contextChars
  return {
    query,
    context: isSmall && isObject(kept) && Object.keys(kept).length > 0 ? kept : null,
    tools: toolCalls.map(({ name }) => name).filter((name) => name !== '' && name !== 'unknown'),
    contains: containedIn(query, output),
  }
}

/** Names in capitals and numbers that the question has and the answer takes up: what it is most likely about. */
function containedIn(query: string, output: string): string[] {
  const found = query.match(/\b(?:[A-Z][A-Z0-9]{1,11}|\d[\d.,]{0,10}\d)\b/g) ?? []
  const answer = output.toLowerCase()
  return [...new Set(found)].filter((word) => answer.includes(word.toLowerCase())).slice(0, recordingLimits.contains)
}

function common(first: Turn, second: Turn): Turn {
  const isSame = JSON.stringify(first.tools) === JSON.stringify(second.tools)
  return {
    ...first,
    tools: isSame ? first.tools : [...new Set(first.tools)].filter((tool) => second.tools.includes(tool)),
    contains: first.contains.filter((word) => second.contains.includes(word)),
  }
}

function caseOf(turns: readonly Turn[], { seen, names }: { seen: number; names: Set<string> }): CaseToWrite {
  const [first] = turns
  const named = { name: nameOf(first?.query ?? '', names), tags: ['recorded'], meta: { seen } }
  if (turns.length === 1 && first) return { ...named, input: inputOf(first), expected: expectedOf(first) }
  return { ...named, turns: turns.map((turn) => ({ ...inputOf(turn), expected: expectedOf(turn) })) }
}

function inputOf({ query, context }: Turn): { query: string; context?: Readonly<Record<string, unknown>> } {
  return context === null ? { query } : { query, context }
}

function expectedOf({ tools, contains }: Turn): CaseToWrite['expected'] {
  if (tools.length === 0 && contains.length === 0) return undefined
  return {
    ...(tools.length === 0 ? {} : { tools: [...new Set(tools)] }),
    // A long tail of calls is what happened once, and not what must be so.
    ...(tools.length < 2 || tools.length > 20 ? {} : { tool_sequence: tools }),
    ...(contains.length === 0 ? {} : { output: { contains } }),
  }
}

function nameOf(query: string, names: Set<string>): string {
  const words = query.replace(/[\s\p{Cc}]+/gu, ' ').trim()
  const short = words.length > 60 ? `${words.slice(0, 59).toWellFormed().trim()}…` : words
  const base = short === '' ? 'Recorded' : short
  let name = base
  for (let number = 2; names.has(name); number++) name = `${base} (${number})`
  names.add(name)
  return name
}
