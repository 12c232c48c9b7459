/** What was evaluated, in its owner's words, is kept with each run. */
export const runConfigStep = ["ALTER TABLE run_texts ADD COLUMN config TEXT NOT NULL DEFAULT '{}'"]
