import { Experiment } from 'llm-eval-sdk/experiments'

const experiment = new Experiment({
  evaluators: [
    'accuracy-evaluator',
    { slug: 'contains', config: { values: ['Paris'] }, inputSchemaMapping: { text: 'answer' } },
  ],
  telemetry: {
    onStream: ({ executionIds, reconnects }) => console.log(`${executionIds.length} results, ${reconnects} reconnects`),
  },
})

const results = await experiment.run(
  [
    { question: 'Capital of France?', answer: 'Paris', expected: 'Paris' },
    { question: 'Capital of Italy?', answer: 'Paris', expected: 'Rome' },
  ],
  { onResult: ({ case_index: index, evaluator }) => console.log(`case ${index}: ${evaluator}`) },
)
for (const { case_index: index, evaluator, score } of results) console.log(index, evaluator, score?.value)
