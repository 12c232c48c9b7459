import type { Route } from './routes.ts'

const read = { scope: 'read', limit: 'read', errors: 'problem' } as const
const write = { scope: 'write', limit: 'read', errors: 'problem' } as const
const thread = '/api/v1/conversations/:thread' as const

/** Conversations with agents: the bridge that records them, what was recorded, and what is exported of it. */
export const conversationRoutes = {
  bridge: {
    method: 'POST',
    path: '/agui/:target',
    scope: 'ingest',
    limit: 'ingest',
    errors: 'problem',
    summary: 'Talk to an agent over AG-UI, and have it recorded.',
    details:
      'Takes a `RunAgentInput` and streams AG-UI events (SSE), as `HttpAgent` of `@ag-ui/client` and CopilotKit expect. Targets are named in the configuration. The message of the user is stored before the agent is asked; a stream always ends with RUN_FINISHED or RUN_ERROR.',
  },
  bridgeCapabilities: {
    method: 'GET',
    path: '/agui/:target/capabilities',
    scope: 'ingest',
    limit: 'read',
    errors: 'problem',
    summary: 'What an agent behind the bridge can do, in the words of AG-UI.',
  },
  listConversations: {
    method: 'GET',
    path: '/api/v1/conversations',
    ...read,
    summary: 'Conversations, the last one that something happened in first.',
  },
  getConversation: {
    method: 'GET',
    path: thread,
    ...read,
    summary: 'A conversation with its numbers.',
  },
  deleteConversation: {
    method: 'DELETE',
    path: thread,
    ...write,
    summary: 'Delete a conversation with all that was recorded of it.',
    details: 'Its thread id cannot be used again: what is sent for it later is answered 410.',
  },
  sendConversationEvents: {
    method: 'POST',
    path: `${thread}/events`,
    scope: 'ingest',
    limit: 'ingest',
    errors: 'problem',
    summary: 'Tell what happened in a conversation.',
    details:
      'For agents of any framework: user messages, assistant messages, tool calls and results, thinking, and raw events of ADK or AG-UI. All of one request is stored or none; an `event_id` that was stored before is passed over.',
  },
  listConversationEvents: {
    method: 'GET',
    path: `${thread}/events`,
    ...read,
    summary: 'What was recorded, oldest first.',
  },
  listConversationTurns: {
    method: 'GET',
    path: `${thread}/turns`,
    ...read,
    summary: "A conversation as people read it: the user's turns with what the agents did.",
  },
  addConversationToDataset: {
    method: 'POST',
    path: `${thread}/rows`,
    ...write,
    summary: "Add a conversation's turns to a dataset, each with what the agent did as its expectation.",
  },
  replayConversation: {
    method: 'POST',
    path: `${thread}/replay`,
    ...write,
    summary: "Say the user's turns of a conversation again to a target of the bridge, in a thread of its own.",
  },
  compareConversation: {
    method: 'GET',
    path: `${thread}/comparison`,
    ...read,
    summary: "A replay beside its recording, turn by turn, by ADK's measures.",
  },
  exportConversation: {
    method: 'GET',
    path: '/export/:thread_id',
    ...read,
    summary: 'A conversation as an eval file that `adk eval` reads, or in another format.',
    details:
      'The header `x-conversation-state` says whether it is over: `truncated` is one whose end is missing, `running` one to which more may come. `x-export-warnings` counts what is not in the file; `report=true` tells it.',
  },
  exportConversations: {
    method: 'POST',
    path: '/export',
    ...read,
    summary: 'Several conversations as one eval set.',
  },
} as const satisfies Record<string, Route>
