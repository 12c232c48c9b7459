import { type JudgePrompt, reason } from './prompt.ts'

const question = { name: 'question', title: 'Question', description: 'What was asked.', required: false } as const

export const rubric: JudgePrompt = {
  slug: 'rubric',
  name: 'Rubric',
  description:
    'The score of the choice that a rubric of your own leads to: `criteria` says what counts, `choices` what each is worth.',
  category: 'quality',
  aliases: ['custom-rubric', 'g-eval'],
  needs: ['response'],
  input: [
    question,
    { name: 'response', title: 'Response', description: 'What is judged.' },
    { name: 'reference', title: 'Reference', description: 'A good answer, if there is one.', required: false },
    { name: 'context', title: 'Context', description: 'What the response was to be made from.', required: false },
  ],
  instructions: 'Judge the response by the criteria below, and by nothing else. Then take the choice that fits best.',
  answer: [reason],
  output: [{ name: 'choice', type: 'string', description: 'The choice.' }],
  threshold: 0.5,
  direction: 'higher',
  example: {
    input: { question: 'How do I reset my password?', response: 'Click “Forgot password” on the sign-in page.' },
    answer: { reason: 'It says where to click.', choice: 'yes' },
    value: 1,
    passed: true,
  },
}

export const pairwise: JudgePrompt = {
  slug: 'pairwise',
  name: 'Pairwise comparison',
  description:
    '1 when answer A is better than answer B, 0 when B is better, 0.5 for a tie. Asked in both orders: a judge that prefers whichever comes first has found a tie.',
  category: 'quality',
  aliases: ['pairwise-comparison'],
  needs: ['query', 'response', 'reference'],
  input: [
    question,
    { name: 'answer_a', title: 'First answer', description: 'The answer that is to be at least as good.' },
    { name: 'answer_b', title: 'Second answer', description: 'The answer it is compared with.' },
  ],
  instructions: `Decide which of two answers to the question is better: more correct, more helpful, more to the point.
Their order says nothing, length is no merit, and style counts only where all else is equal. If neither is better it is a tie.`,
  answer: [
    reason,
    { name: 'better', type: 'enum', description: 'Which answer is better.', values: ['first', 'second', 'tie'] },
  ],
  output: [
    { name: 'winner', type: 'string', description: '`a`, `b` or `tie`.' },
    { name: 'consistent', type: 'boolean', description: 'Whether both orders led to the same winner.' },
  ],
  threshold: 0.5,
  direction: 'higher',
  example: {
    input: {
      question: 'What is the capital of France?',
      answer_a: 'Paris.',
      answer_b: 'Lyon, I believe.',
    },
    answer: { reason: 'Paris is right.', better: 'first' },
    value: 1,
    passed: true,
  },
}
