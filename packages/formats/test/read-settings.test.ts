import { describe, expect, test } from 'vitest'
import { readSettings } from '../src/index.ts'

const own = (text: string) => readSettings(text, { file: 'llm-eval.agent.yaml', env: { TOKEN: 't' }, evalview: false })
const theirs = (text: string) => readSettings(text, { file: 'config.yaml', env: {}, evalview: true })

describe('settings of an agent', () => {
  test('are read with all they may say', () => {
    const { settings, problems } = own(`
agent:
  url: http://localhost:3000/api/chat
  headers: {Authorization: "Bearer \${TOKEN}"}
  request: {body: {q: "{{query}}"}}
  response: {output: $.reply}
  profile: simple
suite: shop
tests: [agent-tests, more]
pricing: {ours: {input: 1, output: 2}}
gate: {fail_on: [REGRESSION, TOOLS_CHANGED], score_drop: 3}
`)
    expect(problems).toEqual([])
    expect(settings).toMatchObject({
      agent: { headers: { Authorization: 'Bearer t' }, request: { body: { q: '{{query}}' } }, profile: 'simple' },
      gate: { fail_on: ['REGRESSION', 'TOOLS_CHANGED'], score_drop: 3 },
    })
  })

  test('may be empty', () => {
    expect(own('')).toEqual({ settings: {}, problems: [] })
  })

  test.each([
    ['agnet: {}', 'agnet', 'is not known; did you mean agent?'],
    ['agent: {url: x, timeout: 0}', 'agent.timeout', expect.stringContaining('>0')],
    ['agent: {url: x, response: {output: reply}}', 'agent.response.output', 'must be a JSONPath such as $.reply'],
    ['gate: {fail_on: [REGRESION]}', 'gate.fail_on[0]', expect.stringContaining('REGRESSION')],
    ['agent: {url: "${NOWHERE}"}', 'agent.url', 'The environment variable NOWHERE is not set.'],
  ])('with a mistake are none: %s', (text, path, message) => {
    const { settings, problems } = own(text)
    expect(settings).toBeUndefined()
    expect(problems).toMatchObject([{ level: 'error', line: 1, path, message }])
  })

  test('of EvalView are understood, and what is passed over is told', () => {
    const { settings, problems } = theirs(`
adapter: http
endpoint: http://localhost:8000/execute
timeout: 30
headers: {X-Key: k}
allow_private_urls: true
model: {name: gpt-x, pricing: {input_per_1m: 1, output_per_1m: 2, cached_per_1m: 0.5}}
scoring: {weights: {tool_accuracy: 0.3}}
retry: {max_retries: 3, base_delay: 1}
ci: {fail_on: [REGRESSION, TOOLS_CHANGED], warn_on: [OUTPUT_CHANGED]}
diff: {output_similarity_threshold: 0.8, score_regression_threshold: 4, ignore_whitespace: true}
judge: {provider: openai, model: gpt-y}
`)
    expect(problems).toMatchObject([{ level: 'warning', path: 'scoring' }])
    expect(settings).toEqual({
      agent: {
        url: 'http://localhost:8000/execute',
        timeout: 30,
        headers: { 'X-Key': 'k' },
        model: 'gpt-x',
        retries: 3,
      },
      pricing: { 'gpt-x': { input: 1, output: 2, cached_input: 0.5 } },
      allow_private: true,
      judge: { model: 'openai/gpt-y' },
      gate: { fail_on: ['TOOLS_CHANGED', 'REGRESSION'], output_similarity: 0.8, score_drop: 4 },
    })
  })
})
