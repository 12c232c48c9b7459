import { LLMEvalClient } from 'llm-eval-sdk';

// Initialize client
const client = new LLMEvalClient('http://localhost:8000');

// Send a trace
const response = await client.sendTrace({
  traceId: 'my_trace_123',
  modelName: 'gpt-4',
  userQuery: 'What is AI?',
  aiResponse: 'AI is artificial intelligence...',
  tokensUsed: 25,
  responseTimeMs: 850,
  cost: 0.002,
  metadata: { temperature: 0.7 }
});

console.log('Trace sent:', response);
