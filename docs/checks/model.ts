// A stand-in for the model that judges ask in the guides.
import {
  type Asked,
  fails,
  type Provider,
  type Reply,
  says,
  startProvider,
} from '../../packages/engine/test/provider.ts'
import { faithfulness } from '../../packages/engine/src/judges/prompts/answers.ts'

/** What it thinks of a vague text, when it is asked several times. */
const moods = [0.7, 0.4, 0.6]

/** Starts a model that answers as one might; it counts as many tokens for each answer. */
export async function startModel(): Promise<Provider> {
  let asked = 0
  return startProvider({ answer: (question) => answerOf(question, asked++) })
}

function answerOf({ schema, prompt }: Asked, nth: number): Reply {
  const members = Object.keys(Object(schema?.['properties'] ?? {}) as object)
  const usage = { input: 400, output: 50 }
  if (members.includes('claims')) return says(faithfulness.example.answer, { usage })
  if (members.includes('choice')) {
    const choice = /sorry/i.test(prompt) ? 'kind' : /no idea/i.test(prompt) ? 'rude' : 'neutral'
    return says({ reason: `It is ${choice}.`, choice }, { usage })
  }
  if (members.includes('coherence_score'))
    return says({ reason: 'Some of it hangs together.', coherence_score: moods[nth % moods.length] }, { usage })
  return fails(404, 'the guides ask nothing else')
}
