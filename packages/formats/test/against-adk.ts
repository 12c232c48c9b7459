// Holds what is exported here against the real ADK: its own models read the files, and `adk eval` runs them with the scripted agent of
// fixtures/adk. It needs `pip install "google-adk[eval]"`, and is no part of the tests.
//
//   node --conditions=llm-eval-source packages/formats/test/against-adk.ts FOLDER_OF_PYTHON
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConversationEvent } from '@llm-eval/protocol'
import { readAdkText } from '../src/adk/index.ts'
import { exportConversation } from '../src/conversation/index.ts'

const bin = process.argv[2] ?? ''
const fixtures = new URL('fixtures/adk/', import.meta.url)
const folder = mkdtempSync(join(tmpdir(), 'against-adk-'))
const agent = join(folder, 'agents', 'demo')
mkdirSync(agent, { recursive: true })
cpSync(new URL('agent.py', fixtures), join(agent, 'agent.py'))
writeFileSync(join(agent, '__init__.py'), 'from . import agent\n')

/** What the bridge records of a scene. */
function recorded(scene: string): ConversationEvent[] {
  const head = { run_id: 'r', invocation_id: null, event_id: null }
  const heard = [...readAdkText(readFileSync(new URL(`${scene}.sse`, fixtures), 'utf8'))]
  const at = new Date(0).toISOString()
  const user = { id: 'm', text: `${scene} please`, files: [], author: null }
  return [
    { ...head, seq: 1, at, kind: 'user_message', payload: user },
    ...heard.flatMap((item, index): ConversationEvent[] =>
      item.kind === 'event' ? [{ ...head, seq: index + 2, at, kind: 'adk_event', payload: item.event }] : [],
    ),
  ]
}

const readModel = `
import json, sys
from google.adk.evaluation.eval_set import EvalSet
text = sys.stdin.read()
told = EvalSet.model_validate_json(text).model_dump_json(exclude_unset=True, exclude_none=True)
print("same" if json.loads(told) == json.loads(text) else "DIFFERENT")
`

for (const scene of ['prime', 'both', 'approve', 'move', 'file', 'note'])
  for (const format of ['evalset', 'legacy'] as const) {
    const head = { thread_id: scene, app_name: 'demo', user_id: 'u' }
    const { text } = exportConversation(head, recorded(scene), { format })
    const path = join(folder, `${scene}-${format}.evalset.json`)
    writeFileSync(path, text)
    const model = execFileSync(join(bin, 'python'), ['-c', readModel], { input: text, encoding: 'utf8' }).trim()
    const told = execFileSync(join(bin, 'adk'), ['eval', agent, path], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const outcome = /Tests passed: \d+\s+Tests failed: \d+/.exec(told)?.[0].replace(/\s+/g, ' ')
    process.stdout.write(`${scene} ${format}: read by ADK ${model}; adk eval: ${outcome ?? told}\n`)
  }
