import { type Evaluator, evaluator, type Input } from '../evaluator.ts'
import { summed } from '../models/usage.ts'
import { fenced, frame, markOf } from './fence.ts'
import { type Bench, descriptionOf, judgeConfig, known, sectionsOf } from './judge.ts'
import { pairwise as prompt } from './prompts/rubric.ts'
import { stringOf } from './rules.ts'
import { combined, type Sampled, takeSamples } from './samples.ts'
import { schemaOf } from './shape.ts'
import * as z from 'zod'

type Winner = 'a' | 'b' | 'tie'
const worth: Record<Winner, number> = { a: 1, b: 0, tie: 0.5 }

/**
 * Which of two answers is better, asked in both orders: models favour an answer for its place (Wang 2023, arXiv:2305.17926).
 * What is not the same in both is a tie (Zheng 2023, arXiv:2306.05685).
 */
export function pairwise({ models, secret }: Bench): Evaluator {
  const config = judgeConfig(models, prompt).extend({
    criteria: z.string().max(20_000).default('').describe('What makes an answer better, in your words.'),
  })
  const { input, value, passed } = prompt.example
  const made = evaluator<z.output<typeof config>>({
    ...descriptionOf(prompt),
    config,
    example: { input, value, passed },
    async score(given, { config: settings, signal, progress }) {
      const mark = markOf(secret, given)
      const rubric =
        settings.criteria === '' ? prompt.instructions : `${prompt.instructions}\n\nCriteria:\n${settings.criteria}`
      const ask = (pair: Input, sample: number) =>
        known(models).ask({
          model: settings.model,
          messages: [
            { role: 'system', content: `${frame(mark)}\n\n${rubric}` },
            {
              role: 'user',
              content: sectionsOf(prompt, pair)
                .map(({ title, text }) => `${title}:\n${fenced(mark, text)}`)
                .join('\n\n'),
            },
          ],
          answer: schemaOf(prompt.answer),
          shape: 'pairwise',
          temperature: settings.temperature,
          maxTokens: settings.max_tokens,
          sample,
          signal,
        })
      const swapped = { ...given, answer_a: given['answer_b'], answer_b: given['answer_a'] }
      const samples = await takeSamples(settings.samples, progress, async (sample): Promise<Sampled> => {
        const there = await ask(given, sample)
        const back = await ask(swapped, sample)
        const winners = [winnerOf(there.value, ['a', 'b']), winnerOf(back.value, ['b', 'a'])] as const
        const consistent = winners[0] === winners[1]
        const winner = consistent ? winners[0] : 'tie'
        const usage = summed([there.usage, back.usage]) ?? there.usage
        return {
          reading: {
            value: worth[winner],
            passed: worth[winner] >= settings.threshold,
            label: winner,
            explanation: consistent
              ? stringOf(there.value, 'reason')
              : `Each order has another winner: ${stringOf(there.value, 'reason')} — ${stringOf(back.value, 'reason')}`,
            output: { winner, consistent },
          },
          usage,
        }
      })
      return combined(samples)
    },
  })
  return made
}

function winnerOf(answer: Record<string, unknown>, [first, second]: readonly [Winner, Winner]): Winner {
  const better = stringOf(answer, 'better')
  return better === 'first' ? first : better === 'second' ? second : 'tie'
}
