const logger = new TraceLogger(client, 'gpt-4').start();

// Simulate LLM call
await new Promise(resolve => setTimeout(resolve, 500));

// Log with automatic timing
await logger.logTrace(
  'Explain quantum computing',
  'Quantum computing uses quantum mechanics...',
  { tokensUsed: 150, cost: 0.001 }
);
