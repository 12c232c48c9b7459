import type { Dialect } from '../dialect.ts'

/** What is left of reports of agent tests that were deleted: that they do not come back. */
export function agentTombstoneStep(dialect: Dialect): string[] {
  const [name, clustered] = dialect === 'sqlite' ? ['TEXT', ' WITHOUT ROWID'] : ['TEXT COLLATE "C"', '']
  return [
    `CREATE TABLE agent_tombstones (project_id BIGINT NOT NULL, id_hash ${name} NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (project_id, id_hash))${clustered}`,
  ]
}
