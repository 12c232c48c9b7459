import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { caseIdOf, defaultWeights, nothingExpected } from '@llm-eval/formats'
import {
  casesToAsk,
  defaultCriteria,
  type EvalCaseToAsk,
  readCriteria,
  readEvalSet,
  readJson,
} from '@llm-eval/formats/adk'
import type { AdkCriterion, CaseProblem, TestCase } from '@llm-eval/protocol'
import { fileComplaint, systemCode } from '../complaint.ts'
import { evalConfigName } from './eval-names.ts'

export interface EvalFile {
  path: string
  text: string
  /** As problems name it. */
  file: string
  /** The configuration that is named, in place of the one beside the file. */
  config: string | undefined
}

/** Reads an eval file of ADK as cases. What of it cannot be asked makes the suite unable to be green. */
export async function readEvalFile(evalFile: EvalFile): Promise<{ cases: TestCase[]; problems: CaseProblem[] }> {
  const { path, text, file } = evalFile
  const problems: CaseProblem[] = []
  const tell = (level: CaseProblem['level'], where: string, message: string) =>
    void problems.push({ level, file, line: null, path: where, message })
  const json = readJson(text)
  if ('fault' in json) {
    tell('error', '', `The file is no JSON: ${json.fault}`)
    return { cases: [], problems }
  }
  const read = readEvalSet(json.value, { evalSetId: basename(path).replace(/(\.(evalset|test))?\.json$/i, '') })
  if ('fault' in read) {
    tell('error', '', `The file ${read.fault}.`)
    return { cases: [], problems }
  }
  for (const lost of [...json.lost, ...read.lost]) tell('warning', '', `Not as it is written: ${lost}.`)
  const criteria = await criteriaOf(evalFile, tell)
  if (criteria === undefined) return { cases: [], problems }
  const { cases, faults } = casesToAsk(read.set)
  for (const { index, evalId, message } of faults)
    tell('error', `eval_cases[${index}]`, `${evalId} cannot be asked: ${message}.`)
  return { cases: cases.map((one) => testCase(one, { setId: read.set.evalSetId, file, criteria })), problems }
}

/** What decides; undefined where the configuration cannot be read. */
async function criteriaOf(
  { path, config }: EvalFile,
  tell: (level: CaseProblem['level'], where: string, message: string) => void,
): Promise<readonly AdkCriterion[] | undefined> {
  const place = config ?? join(dirname(path), evalConfigName)
  const name = basename(place)
  let text: string
  try {
    text = await readFile(place, 'utf8')
  } catch (error) {
    // Without one ADK has its defaults.
    if (config === undefined && systemCode(error) === 'ENOENT') return defaultCriteria
    throw fileComplaint(place, error)
  }
  const json = readJson(text)
  const read = 'fault' in json ? json : readCriteria(json.value)
  if ('criteria' in read) {
    for (const { metric, fault } of read.criteria)
      if (fault !== null)
        tell('warning', name, `${metric} cannot be measured: ${fault}. Cases that ask for it are not green.`)
    return read.criteria
  }
  tell('error', name, `It ${read.fault}.`)
  return undefined
}

function testCase(
  { evalId, appName, userId, state, turns }: EvalCaseToAsk,
  { setId, file, criteria }: { setId: string; file: string; criteria: readonly AdkCriterion[] },
): TestCase {
  return {
    case_id: caseIdOf(setId, evalId),
    name: evalId,
    description: null,
    suite: setId,
    file,
    line: 1,
    tags: ['adk'],
    turns: turns.map(({ query }, index) => ({
      query,
      context: index === 0 && Object.keys(state).length > 0 ? { state } : null,
      expected: null,
    })),
    expected: nothingExpected,
    rubric: null,
    thresholds: { min_score: 0, max_cost: null, max_latency: null, weights: defaultWeights, variance: null },
    repetitions: 1,
    checks: { hallucination: 'off', safety: 'off', pii: 'off' },
    agent: { endpoint: null, headers: {}, timeout_ms: null, tools: [] },
    model: null,
    difficulty: null,
    suite_type: null,
    meta: {},
    adk: {
      eval_set_id: setId,
      eval_id: evalId,
      app_name: appName,
      user_id: userId,
      turns: turns.map(({ calls, response }) => ({ calls, response })),
      criteria: [...criteria],
    },
  }
}
