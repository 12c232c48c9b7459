import { limits } from '@llm-eval/protocol'
import { encodeAgentChange } from '../agent-test-rows.ts'
import type { AgentTestChanges } from '../agent-tests.ts'
import type { Transaction } from '../transaction.ts'
import { touchSuite } from './agent-tests.ts'

// Changes of agent tests take turns within a project, so that what is read here is what is replaced.

/** Keeps what was accepted of a case, in the place of what was before. */
export async function putAgentBaseline(
  tx: Transaction,
  { suite, caseId, baseline, expected }: AgentTestChanges['putAgentBaseline']['in'],
): Promise<AgentTestChanges['putAgentBaseline']['out']> {
  const variants = await variantsOf(tx, { suite, caseId })
  const known = variants.find(({ variant }) => variant === baseline.variant)
  if (expected !== undefined && expected !== (known?.accepted_at ?? null)) return { result: 'changed' }
  if (!known && variants.length >= limits.agentVariants) return { result: 'too_many' }
  if (!(await touchSuite(tx, { suite, at: baseline.acceptedAt }))) return { result: 'no_suite' }
  const set = {
    accepted_at: baseline.acceptedAt,
    accepted_by: baseline.acceptedBy,
    note: baseline.note,
    model: baseline.model,
    attempts: baseline.attempts,
    body: baseline.body,
  }
  await tx.db
    .insertInto('agent_baselines')
    .values({ project_id: tx.projectId, suite, case_id: caseId, variant: baseline.variant, ...set })
    .onConflict((conflict) => conflict.columns(['project_id', 'suite', 'case_id', 'variant']).doUpdateSet(set))
    .execute()
  const data = encodeAgentChange('baseline', 0)
  tx.ledger.emit('agent_tests_changed', { at: baseline.acceptedAt, ref: null, data })
  return { result: 'ok' }
}

/** Takes back one accepted way of a case. */
export async function deleteAgentBaseline(
  tx: Transaction,
  { suite, caseId, variant, at, expected }: AgentTestChanges['deleteAgentBaseline']['in'],
): Promise<AgentTestChanges['deleteAgentBaseline']['out']> {
  const known = (await variantsOf(tx, { suite, caseId })).find((one) => one.variant === variant)
  if (!known) return { result: 'not_found' }
  if (expected !== undefined && expected !== known.accepted_at) return { result: 'changed' }
  await tx.db
    .deleteFrom('agent_baselines')
    .where('project_id', '=', tx.projectId)
    .where('suite', '=', suite)
    .where('case_id', '=', caseId)
    .where('variant', '=', variant)
    .execute()
  tx.ledger.emit('agent_tests_changed', { at, ref: null, data: encodeAgentChange('baseline', 1) })
  return { result: 'ok' }
}

interface CaseKey {
  suite: string
  caseId: string
}

function variantsOf(tx: Transaction, { suite, caseId }: CaseKey) {
  return tx.db
    .selectFrom('agent_baselines')
    .select(['variant', 'accepted_at'])
    .where('project_id', '=', tx.projectId)
    .where('suite', '=', suite)
    .where('case_id', '=', caseId)
    .execute()
}

/** Takes a case out of the gate until a time, in the place of what was before. */
export async function putAgentQuarantine(
  tx: Transaction,
  { suite, caseId, quarantine, expected }: AgentTestChanges['putAgentQuarantine']['in'],
): Promise<AgentTestChanges['putAgentQuarantine']['out']> {
  const known = await quarantineOf(tx, { suite, caseId })
  if (expected !== undefined && expected !== (known?.set_at ?? null)) return { result: 'changed' }
  const { owner, reason, expiresAt, setAt, setBy } = quarantine
  if (!(await touchSuite(tx, { suite, at: setAt }))) return { result: 'no_suite' }
  const set = { owner, reason, expires_at: expiresAt, set_at: setAt, set_by: setBy }
  await tx.db
    .insertInto('agent_quarantines')
    .values({ project_id: tx.projectId, suite, case_id: caseId, ...set })
    .onConflict((conflict) => conflict.columns(['project_id', 'suite', 'case_id']).doUpdateSet(set))
    .execute()
  tx.ledger.emit('agent_tests_changed', { at: setAt, ref: null, data: encodeAgentChange('quarantine', 0) })
  return { result: 'ok' }
}

/** Puts a case back into the gate. */
export async function deleteAgentQuarantine(
  tx: Transaction,
  { suite, caseId, at, expected }: AgentTestChanges['deleteAgentQuarantine']['in'],
): Promise<AgentTestChanges['deleteAgentQuarantine']['out']> {
  const known = await quarantineOf(tx, { suite, caseId })
  if (!known) return { result: 'not_found' }
  if (expected !== undefined && expected !== known.set_at) return { result: 'changed' }
  await tx.db
    .deleteFrom('agent_quarantines')
    .where('project_id', '=', tx.projectId)
    .where('suite', '=', suite)
    .where('case_id', '=', caseId)
    .execute()
  tx.ledger.emit('agent_tests_changed', { at, ref: null, data: encodeAgentChange('quarantine', 1) })
  return { result: 'ok' }
}

function quarantineOf(tx: Transaction, { suite, caseId }: CaseKey) {
  return tx.db
    .selectFrom('agent_quarantines')
    .select('set_at')
    .where('project_id', '=', tx.projectId)
    .where('suite', '=', suite)
    .where('case_id', '=', caseId)
    .executeTakeFirst()
}
