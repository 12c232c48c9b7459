import { LLMEvalStreamClient } from 'llm-eval-sdk';

const streamClient = new LLMEvalStreamClient('http://localhost:8000');

// Stream events
const stopStreaming = streamClient.streamEvents((event) => {
  console.log('Received event:', event);
});

// Stream metrics
const stopMetrics = streamClient.streamMetrics((metrics) => {
  console.log('Metrics update:', metrics);
});

// Stop streaming when done
setTimeout(() => {
  stopStreaming();
  stopMetrics();
}, 30000);
