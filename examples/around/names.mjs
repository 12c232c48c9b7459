// Provides the names that blocks of the source document take for granted: client, streamClient, TraceLogger.
//   node --import ./examples/around/names.mjs examples/seed-001/trace-logger.mjs
import { LLMEvalClient, LLMEvalStreamClient, TraceLogger } from 'llm-eval-sdk'

const url = 'http://localhost:8000'
Object.assign(globalThis, { client: new LLMEvalClient(url), streamClient: new LLMEvalStreamClient(url), TraceLogger })
