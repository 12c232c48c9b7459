import type { Route } from './routes.ts'

const read = { scope: 'read', limit: 'read', errors: 'problem' } as const
const write = { scope: 'write', limit: 'read', errors: 'problem' } as const
const suite = '/api/v1/agent-tests/suites/:suite'
const one = `${suite}/cases/:case_id` as const

/** Tests of agents: their reports, and what teams accept of them together. */
export const agentRoutes = {
  sendAgentReport: {
    method: 'POST',
    path: '/api/v1/agent-tests/reports',
    ...write,
    summary: 'Keep what a suite of agent tests gave.',
    details:
      'As `llm-eval test --send` and `check --send` do. The same `report_id` again with the same content answers 200 with the report as it is, with other content 409. A suite is made by its first report; of many reports the oldest go.',
  },
  getAgentReport: {
    method: 'GET',
    path: '/api/v1/agent-tests/reports/:report_id',
    ...read,
    summary: 'A report of agent tests, without its cases.',
  },
  deleteAgentReport: {
    method: 'DELETE',
    path: '/api/v1/agent-tests/reports/:report_id',
    ...write,
    summary: 'Delete a report with all of its results.',
    details: 'What was accepted of it as a baseline stays.',
  },
  listAgentSuites: {
    method: 'GET',
    path: '/api/v1/agent-tests/suites',
    ...read,
    summary: 'Suites of agent tests by name, each with its newest report.',
  },
  getAgentSuite: {
    method: 'GET',
    path: suite,
    ...read,
    summary: 'A suite: its newest reports, and each case with its history.',
    details:
      'A history goes back as far as those reports, or as about 20,000 results of them. `flakiness` says how likely so many changes between passed and failed are of a case that changes once in twenty reports.',
  },
  deleteAgentSuite: {
    method: 'DELETE',
    path: suite,
    ...write,
    summary: 'Delete a suite with its reports, baselines and quarantines.',
  },
  getAgentCase: {
    method: 'GET',
    path: one,
    ...read,
    summary: 'A case: its history, a whole result, and that result beside a baseline.',
    details:
      'The newest result unless `report_id` names another, beside the variant that `check` found nearest, else the default one, unless `variant` names another.',
  },
  listAgentBaselines: {
    method: 'GET',
    path: `${one}/baselines`,
    ...read,
    summary: 'What a case is held against: what was accepted of it, with its traces, by variant, and its quarantine.',
    details: 'Empty for a case that nobody knows: nothing was accepted of it.',
  },
  putAgentBaseline: {
    method: 'PUT',
    path: `${one}/baselines/:variant`,
    ...write,
    summary: 'Accept what a case did in a report, as its baseline or as another accepted way.',
    details:
      'The attempts that passed are kept; where none passed, all that got an answer: whoever accepts it says that it is right.',
  },
  deleteAgentBaseline: {
    method: 'DELETE',
    path: `${one}/baselines/:variant`,
    ...write,
    summary: 'Accept this way of a case no more.',
  },
  putAgentQuarantine: {
    method: 'PUT',
    path: `${one}/quarantine`,
    ...write,
    summary: 'Take a case out of the gate for a while.',
    details:
      'With an owner, a reason and an end, at most 90 days ahead. It is told wherever the case is, and from its end on it is as if it were not there. A forbidden tool blocks a release all the same.',
  },
  deleteAgentQuarantine: {
    method: 'DELETE',
    path: `${one}/quarantine`,
    ...write,
    summary: 'Put a case back into the gate.',
  },
} as const satisfies Record<string, Route>
