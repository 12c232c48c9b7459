// Option 3, “Frontend Aggregation”: the recorder of the source document, told by hand. `attach(agent)` does it by itself.
//   node examples/seed-003/conversation-recorder.mjs > my-thread.evalcase.json
import { ConversationRecorder } from 'llm-eval-sdk/recorder'

const recorder = new ConversationRecorder({ threadId: 'my-thread', appName: 'agent1', userId: 'user' })

recorder.recordUserMessage('What is the 10th prime number?')
recorder.recordThinking(86)
recorder.recordToolCall('find_nth_prime', { n: 10 }, 'adk-1')
recorder.recordToolResult('adk-1', { result: 29 })
recorder.recordAssistantMessage('Prime number 10 is 29.')

console.log(JSON.stringify(recorder.exportToEvalFormat(), null, 2))
