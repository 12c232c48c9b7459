/** Which server a request of a thread is under way on, so that no other one begins a second. */
export const conversationHoldStep = [
  'ALTER TABLE conversations ADD COLUMN held_by TEXT',
  'ALTER TABLE conversations ADD COLUMN held_until BIGINT NOT NULL DEFAULT 0',
]
