import * as z from 'zod'
import type { Evaluator } from '../evaluator.ts'
import { type Bench, judge, type JudgeConfig, judgeConfig, type Rule } from './judge.ts'
import { pairwise } from './pairwise.ts'
import * as agents from './prompts/agents.ts'
import * as answers from './prompts/answers.ts'
import type { JudgePrompt } from './prompts/prompt.ts'
import * as rubrics from './prompts/rubric.ts'
import * as safety from './prompts/safety.ts'
import {
  byChange,
  byClaims,
  byEfficiency,
  byFlag,
  byRisk,
  byScore,
  bySmallness,
  bySuccess,
  byToolChoice,
  numberOf,
  stringOf,
} from './rules.ts'

/** The judges that need no more than the usual configuration, each with how its answer is read. */
const plain: readonly (readonly [JudgePrompt, Rule<JudgeConfig>])[] = [
  [answers.answerCorrectness, byScore('correctness_score')],
  [answers.answerCompleteness, byScore('answer_completeness_score')],
  [answers.answerRelevancy, byFlag('is_relevant', true)],
  [answers.faithfulness, byClaims],
  [answers.contextRelevance, byScore('relevance_score')],
  [answers.instructionAdherence, byScore('instruction_adherence_score')],
  [answers.topicAdherence, byScore('adherence_score')],
  [answers.helpfulness, byScore('helpfulness_score')],
  [answers.coherence, byScore('coherence_score')],
  [safety.promptInjection, byRisk('has_injection', true)],
  [safety.toxicityDetector, byRisk('is_safe', false)],
  [safety.sexismDetector, byRisk('is_safe', false)],
  [safety.safety, byRisk('is_safe', false)],
  [safety.refusal, byFlag('is_refusal', false)],
  [safety.promptPerplexity, bySmallness('perplexity_score', 'is_valid')],
  [safety.uncertaintyDetector, bySmallness('uncertainty')],
  [agents.agentEfficiency, byEfficiency],
  [agents.agentGoalAccuracy, byScore('accuracy_score')],
  [agents.agentGoalCompleteness, bySuccess('score')],
  [agents.agentToolErrorDetector, byFlag('success', true)],
  [agents.agentToolSelectionQuality, byToolChoice],
  [agents.actionAdvancement, byFlag('pass', true)],
  [agents.goalCompletion, byScore('completion_score')],
  [agents.conversationQuality, byScore('conversation_quality_score')],
  [agents.intentChange, byChange],
]

/** The judges of the catalogue, those of Traceloop's included, with the fields its clients expect. */
export function createJudges(bench: Bench): Evaluator[] {
  return [
    ...plain.map(([prompt, rule]) => judge(prompt, bench, { config: judgeConfig(bench.models, prompt), rule })),
    flowQuality(bench),
    toneDetection(bench),
    rubric(bench),
    pairwise(bench),
  ]
}

function flowQuality(bench: Bench): Evaluator {
  const prompt = agents.agentFlowQuality
  const config = judgeConfig(bench.models, prompt).extend({
    conditions: z.array(z.string().min(1).max(2_000)).max(50).default([]).describe('What the steps are to fulfil.'),
  })
  const rule: Rule<z.output<typeof config>> = {
    ...bySuccess('score'),
    rubric: ({ conditions }) =>
      conditions.length === 0 ? '' : `Conditions:\n${conditions.map((condition) => `- ${condition}`).join('\n')}`,
  }
  return judge(prompt, bench, { config, rule })
}

function toneDetection(bench: Bench): Evaluator {
  const prompt = safety.toneDetection
  const config = judgeConfig(bench.models, prompt).extend({
    allowed: z.array(z.string().min(1).max(100)).max(50).default([]).describe('Tones that pass; empty judges none.'),
  })
  const rule: Rule<z.output<typeof config>> = {
    valueField: 'score',
    read(answer, { allowed }) {
      const tone = stringOf(answer, 'tone')
      return {
        value: numberOf(answer, 'score'),
        label: tone,
        passed: allowed.length === 0 ? null : allowed.includes(tone),
      }
    },
  }
  return judge(prompt, bench, { config, rule })
}

function rubric(bench: Bench): Evaluator {
  const prompt = rubrics.rubric
  const config = judgeConfig(bench.models, prompt).extend({
    criteria: z
      .string()
      .min(1)
      .max(20_000)
      .default('The response answers the question, is right, and can be used as it is.')
      .describe('What counts, in your words.'),
    choices: z
      .record(z.string().min(1).max(100), z.number().min(0).max(1))
      .refine(
        (choices) => Object.keys(choices).length >= 2 && Object.keys(choices).length <= 20,
        'needs 2 to 20 choices',
      )
      .default({ yes: 1, partly: 0.5, no: 0 })
      .describe('What the judge can choose, and the score of each.'),
  })
  const rule: Rule<z.output<typeof config>> = {
    rubric: ({ criteria }) => `Criteria:\n${criteria}`,
    answer: ({ choices }) => [
      { name: 'choice', type: 'enum', description: 'The choice that fits best.', values: Object.keys(choices) },
    ],
    read(answer, { choices, threshold }) {
      const choice = stringOf(answer, 'choice')
      const value = choices[choice] ?? null
      return { value, passed: value === null ? null : value >= threshold, label: choice }
    },
  }
  return judge(prompt, bench, { config, rule })
}
