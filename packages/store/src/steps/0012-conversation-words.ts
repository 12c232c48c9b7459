import type { Dialect } from '../dialect.ts'

/** Whose words a replay says again stays known where the conversation that they were said in is gone. */
export function conversationWordsStep(dialect: Dialect): string[] {
  return [
    `ALTER TABLE conversations ADD COLUMN words_of ${dialect === 'sqlite' ? 'TEXT' : 'TEXT COLLATE "C"'}`,
    `WITH RECURSIVE said (ref, project_id, thread_id, user_id) AS (
      SELECT ref, project_id, thread_id, user_id FROM conversations WHERE thread_id IS NOT NULL AND replay_of IS NULL
      UNION ALL
      SELECT r.ref, r.project_id, r.thread_id, said.user_id FROM said
        JOIN conversations AS r ON r.project_id = said.project_id AND r.replay_of = said.thread_id AND r.thread_id IS NOT NULL)
    UPDATE conversations SET words_of = said.user_id FROM said WHERE said.ref = conversations.ref AND conversations.replay_of IS NOT NULL`,
    'CREATE INDEX conversations_by_words ON conversations (project_id, words_of, updated_at, ref) WHERE words_of IS NOT NULL',
  ]
}
