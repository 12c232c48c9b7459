import type { SequenceMode } from '@llm-eval/protocol'

/** Names as agents mean them: letter case, hyphens and underscores do not tell tools apart where one is forbidden. */
export function foldedName(name: string): string {
  return name.toLowerCase().replace(/[-_\s]/g, '')
}

/** Tools that EvalView knows by what they do. */
export const toolCategories: Readonly<Record<string, readonly string[]>> = {
  file_read: ['read_file', 'read', 'view', 'cat', 'open_file', 'get_file_contents', 'text_editor', 'bash'],
  file_write: ['write_file', 'write', 'edit', 'edit_file', 'create_file', 'str_replace', 'text_editor', 'bash'],
  file_list: ['list_files', 'list_directory', 'ls', 'glob', 'find', 'tree', 'bash'],
  search: ['search', 'grep', 'search_files', 'find', 'rg', 'ripgrep', 'code_search', 'bash'],
  shell: ['bash', 'shell', 'run_command', 'execute_command', 'terminal', 'exec'],
  web: ['web_search', 'web_fetch', 'fetch', 'browse', 'browser', 'http_request', 'search_web'],
  git: ['git', 'git_log', 'git_diff', 'git_status', 'git_commit', 'bash'],
  python: ['python', 'run_python', 'execute_python', 'code_interpreter', 'bash'],
}

/** How far the calls keep to an order: 1 when they do, else the share of it that they keep. */
export interface SequenceKept {
  kept: boolean
  /** In 0..1. */
  share: number
}

/** Holds the names of calls against those that are expected. An empty expectation is kept, but by `exact` only without calls. */
export function sequenceKept(called: readonly string[], expected: readonly string[], mode: SequenceMode): SequenceKept {
  switch (mode) {
    case 'subsequence': {
      const found = inOrder(called, expected)
      return { kept: found === expected.length, share: shareOf(found, expected.length) }
    }
    case 'exact': {
      const longer = Math.max(called.length, expected.length)
      const same = expected.filter((name, index) => called[index] === name).length
      return { kept: same === longer, share: shareOf(same, longer) }
    }
    case 'unordered': {
      const longer = Math.max(called.length, expected.length)
      const found = inAnyOrder(called, expected)
      return { kept: found === longer, share: shareOf(found, longer) }
    }
    case 'superset': {
      const found = inAnyOrder(called, expected)
      return { kept: found === expected.length, share: shareOf(found, expected.length) }
    }
  }
}

function shareOf(part: number, whole: number): number {
  return whole === 0 ? 1 : part / whole
}

/** The longest beginning of the expected names that occurs in this order, whatever is between. */
function inOrder(called: readonly string[], expected: readonly string[]): number {
  let found = 0
  for (const name of called) if (name === expected[found]) found++
  return found
}

function inAnyOrder(called: readonly string[], expected: readonly string[]): number {
  const left = new Map<string, number>()
  for (const name of called) left.set(name, (left.get(name) ?? 0) + 1)
  return expected.filter((name) => {
    const many = left.get(name) ?? 0
    if (many > 0) left.set(name, many - 1)
    return many > 0
  }).length
}
