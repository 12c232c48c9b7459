import { agentRoutes, type Quarantine } from '@llm-eval/protocol'
import { agentQuarantine } from '@llm-eval/protocol/agent-test-schemas'
import { deletion } from '@llm-eval/protocol/answers'
import { ask, readAnswer } from '../http.ts'
import type { Target } from '../target.ts'

interface Place {
  suite: string
  caseId: string
}

const valuesOf = ({ suite, caseId }: Place) => ({ suite, case_id: caseId })

/** Has a server take a case out of its gate. @throws {Complaint} for a case that no report of the server holds */
export async function quarantineOnServer(
  target: Target,
  suite: string,
  { case_id: caseId, ...body }: Quarantine,
): Promise<void> {
  const values = valuesOf({ suite, caseId })
  await readAnswer(await ask(target, { route: agentRoutes.putAgentQuarantine, values, body }), agentQuarantine)
}

/** Has a server put a case back into its gate. @throws {Complaint} where it is in no quarantine */
export async function endQuarantineOnServer(target: Target, place: Place): Promise<void> {
  await readAnswer(await ask(target, { route: agentRoutes.deleteAgentQuarantine, values: valuesOf(place) }), deletion)
}
