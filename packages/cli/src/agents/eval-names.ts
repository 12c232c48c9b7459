/** What stands beside eval files of Google's ADK and says by what they are decided. */
export const evalConfigName = 'test_config.json'

/** Whether a file is an eval file of ADK, by its name: `agent.evalset.json`, `agent.test.json`. */
export function isEvalName(path: string): boolean {
  return /\.(evalset|test)\.json$/i.test(path)
}

/** What stands among eval files and is none. */
export function isEvalAside(name: string): boolean {
  return name === evalConfigName || name.endsWith('.evalset_result.json')
}

/** Whether a file is an eval file of ADK: by its name, or by how its JSON begins. */
export function isEvalFile(path: string, text: string): boolean {
  return isEvalName(path) || (/\.json$/i.test(path) && /^\s*\{/.test(text) && evalKey.test(text.slice(0, 2_000)))
}
const evalKey = /"(?:eval_cases|evalCases|eval_id|evalId|eval_set_id|evalSetId|conversation_scenario)"\s{0,10}:/
