/** Where a sample sends its trace, and whether a key is needed there. */
export interface SamplePlace {
  origin: string
  keyed: boolean
}

/** The sample trace, as a command for a terminal. */
export function curlSample({ origin, keyed }: SamplePlace): string {
  const key = keyed ? `  -H "Authorization: Bearer $LLM_EVAL_API_KEY" \\\n` : ''
  return `curl ${origin}/webhook/trace \\
  -H 'Content-Type: application/json' \\
${key}  -d '{
    "trace_id": "unique_trace_id",
    "model_name": "gpt-4",
    "user_query": "What is machine learning?",
    "system_prompt": "You are a helpful AI assistant",
    "ai_response": "Machine learning is a subset of artificial intelligence...",
    "functions_called": [
      {
        "name": "search_knowledge_base",
        "parameters": {"query": "machine learning"},
        "result": "Found 15 relevant articles"
      }
    ],
    "metadata": {"temperature": 0.7, "max_tokens": 1000, "user_id": "user_123"},
    "tokens_used": 245,
    "response_time_ms": 850,
    "cost": 0.0012
  }'`
}

/** The same with the SDK. */
export function sdkSample({ origin, keyed }: SamplePlace): string {
  const key = keyed ? ', process.env.LLM_EVAL_API_KEY' : ''
  return `// npm install llm-eval-sdk
import { LLMEvalClient, TraceLogger } from 'llm-eval-sdk'

const client = new LLMEvalClient('${origin}'${key})
const logger = new TraceLogger(client, 'gpt-4').start()

// Call your model here, then:
await logger.logTrace(
  'What is machine learning?',
  'Machine learning is a subset of artificial intelligence...',
  { tokensUsed: 245, cost: 0.0012 },
)`
}

/** A command that sends a trace, given as JSON. Quoted for a POSIX shell. */
export function curlFor(json: string, { origin, keyed }: SamplePlace): string {
  const key = keyed ? ` \\\n  -H "Authorization: Bearer $LLM_EVAL_API_KEY"` : ''
  return `curl ${origin}/webhook/trace \\\n  -H 'Content-Type: application/json'${key} \\\n  --data-raw '${json.replaceAll("'", "'\\''")}'`
}

/** How a conversation gets here: through the bridge, or told by the agent itself. */
export function bridgeSamples(origin: string): { tab: string; name: string; text: string }[] {
  return [
    {
      tab: 'Bridge',
      name: 'the bridge command',
      text: `# your ADK agent: adk api_server --port 8000
llm-eval bridge --target http://localhost:8000 --app my_agent`,
    },
    {
      tab: 'CopilotKit',
      name: 'the front end code',
      text: `import { HttpAgent } from '@ag-ui/client'

new CopilotRuntime({
  agents: { my_agent: new HttpAgent({ url: '${origin}/agui/my_agent' }) },
})`,
    },
    {
      tab: 'Any agent',
      name: 'the curl command',
      text: `curl ${origin}/api/v1/conversations/thread-1/events \\
  -H 'Content-Type: application/json' \\
  -d '{"events": [
    {"kind": "user_message", "payload": {"text": "hi"}},
    {"kind": "assistant_message", "payload": {"text": "Hello!", "author": "root_agent"}}
  ]}'`,
    },
  ]
}
