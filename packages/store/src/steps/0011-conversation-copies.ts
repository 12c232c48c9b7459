/** What was made of a conversation is found where that goes: rows of datasets, and replays. */
export const conversationCopyStep = [
  'ALTER TABLE dataset_rows ADD COLUMN conversation_ref BIGINT',
  'CREATE INDEX dataset_rows_conversation ON dataset_rows (project_id, conversation_ref) WHERE conversation_ref IS NOT NULL',
  'CREATE INDEX conversations_replays ON conversations (project_id, replay_of) WHERE replay_of IS NOT NULL',
]
