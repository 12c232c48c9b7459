// “Frontend: Add Download Button”: a page that has nothing but the messages of CopilotKit. One turn of the user is one invocation,
// whatever number of messages it holds; calls and results stand in them.
import { ConversationRecorder } from 'llm-eval-sdk/recorder'

export function exportConversationToEval(copilotMessages, threadId = 'my-thread') {
  const recorder = new ConversationRecorder({ threadId, appName: 'agent_ui', userId: 'user' })
  recorder.recordMessages(copilotMessages)

  // Download as JSON
  return recorder.download({ format: 'evalcase' })
}
