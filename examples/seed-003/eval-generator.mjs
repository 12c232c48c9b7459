// Option 2, “Parse Existing Logs”: the three functions of the source document over those of llm-eval-sdk/logs.
//   node examples/seed-003/eval-generator.mjs my-thread logs/events_20261121.log logs/agent_engine_raw_20261121.log > my-thread.evalset.json
import { createReadStream } from 'node:fs'
import { generateEval, logLines, parseBridgeLog, parseEngineLog } from 'llm-eval-sdk/logs'

/** Parse bridge logs to extract eval data. */
export function parse_bridge_logs(log_file) {
  return parseBridgeLog(logLines(createReadStream(log_file)), { file: log_file })
}

/** Parse Agent Engine logs to extract raw events. */
export function parse_agent_engine_logs(log_file) {
  return parseEngineLog(logLines(createReadStream(log_file)), { file: log_file })
}

/** Combine logs to create eval-reference.json format; with `evalset` what `adk eval` loads. */
export async function generate_eval_json(thread_id, bridge_log, engine_log, format = 'evalcase') {
  const bridge = [await parse_bridge_logs(bridge_log)]
  const engine = [await parse_agent_engine_logs(engine_log)]
  const made = generateEval(thread_id, { bridge, engine }, { format, appName: 'agent1' })
  for (const warning of made?.warnings ?? []) console.error(warning)
  return made && JSON.parse(made.text)
}

const [, program, ...given] = process.argv
if (program === import.meta.filename) {
  const made = await generate_eval_json(given[0], given[1], given[2], 'evalset')
  if (made === null) throw new Error(`the logs hold nothing of ${given[0]}`)
  console.log(JSON.stringify(made, null, 2))
}
