/** A name without case and word separators: `userQuery`, `user_query` and `user-query` are one. */
export function folded(name: string): string {
  // Most names are so already, and there may be very many.
  return plain.test(name) ? name : name.toLowerCase().replaceAll(/[\s_-]+/g, '')
}

const plain = /^[a-z0-9]*$/

/** How a slug is looked up: `_` and `-` are the same, and case says nothing. */
export function slugOf(name: string): string {
  return name.trim().toLowerCase().replaceAll('_', '-')
}

/**
 * Names that mean the same in an input. The order within a group is the order in which they are tried. The first five groups
 * are those of Traceloop's clients, widened by the names of other tools.
 */
const groups = [
  ['response', 'answer', 'completion', 'output', 'text', 'actual', 'actual_output', 'ai_response', 'prediction'],
  [
    'reference',
    'expected',
    'ground_truth',
    'expected_output',
    'expected_answer',
    'expected_response',
    'target',
    'context',
  ],
  ['question', 'query', 'input', 'user_query', 'prompt', 'instructions'],
  ['prompts', 'trajectory_prompts'],
  ['completions', 'trajectory_completions'],
  ['tool_calls', 'executed_tool_calls', 'actual_tool_calls', 'functions_called', 'tool_trajectory'],
  ['expected_tool_calls', 'reference_tool_calls', 'expected_tools', 'expected_trajectory'],
  ['latency', 'latency_ms', 'response_time_ms', 'response_time', 'duration_ms'],
  ['cost', 'cost_usd', 'total_cost'],
  ['tokens', 'tokens_used', 'total_tokens'],
]

const groupOf = new Map(groups.flatMap((group) => group.map((name) => [folded(name), group] as const)))

/** Other names under which a field may come, the likeliest first. */
export function synonymsOf(name: string): readonly string[] {
  return groupOf.get(folded(name))?.filter((other) => folded(other) !== folded(name)) ?? []
}

const foldedGroups = new Map([...groupOf].map(([name, group]) => [name, group.map(folded)] as const))

/** All names that a field may come by, folded. */
export function foldedGroup(name: string): readonly string[] {
  return foldedGroups.get(folded(name)) ?? []
}
