import { describe, expect, test } from 'vitest'
import { type Agent, examine } from '../src/index.ts'
import { answering, lines, options, type Script, scriptedAgent } from './scripted-agent.ts'

async function examined(script: Script, agent: Partial<Agent> = {}) {
  const { url, got } = await scriptedAgent(script)
  const examination = await examine({ url, retries: 0, ...agent }, options())
  const of = (topic: string) => examination.findings.filter((finding) => finding.topic === topic)
  return { ...examination, of, got }
}

describe('an examination', () => {
  test('of level 1 says what to add for cost, tokens and tools, and how to reach level 3', async () => {
    const { findings, of } = await examined(answering('{"response": "Hello."}'))
    expect(findings.filter(({ severity }) => severity === 'problem')).toEqual([])
    expect(of('answer')[0]?.found).toBe('It answers with one JSON document: level 1 of 3.')
    expect(of('tools')[0]).toMatchObject({
      severity: 'advice',
      add: '"metadata": {"steps": ["fetch_data", "analyze"]}',
    })
    expect(of('tokens')[0]?.add).toBe('"metadata": {"tokens": {"input": 100, "output": 500}}')
    expect(of('cost')[0]).toMatchObject({ severity: 'advice', add: '"metadata": {"cost": 0.05}' })
    expect(of('level 3')).toHaveLength(1)
  })

  test('of level 3 with all of it has nothing to add', async () => {
    const { findings } = await examined(
      answering(
        lines(
          { type: 'tool_call', data: { name: 'a', args: {} } },
          { type: 'tool_result', data: { result: 1, success: true } },
          { type: 'usage', data: { input_tokens: 1, output_tokens: 1, model: 'gpt-4o' } },
          { type: 'message_complete', data: { content: 'Hi' } },
        ),
      ),
    )
    expect(findings.map(({ severity }) => severity)).toEqual(findings.map(() => 'well'))
  })

  test('finds a stream that is not closed by message_complete, and says what closes it', async () => {
    const { of } = await examined(
      answering(lines({ type: 'status', data: {} }, { type: 'token', data: { token: 'Hi' } })),
    )
    expect(of('end')[0]).toMatchObject({
      severity: 'problem',
      add: '{"type": "message_complete", "data": {"content": "the whole answer"}}',
    })
  })

  test('finds refinements without end', async () => {
    const refining = (count: number) =>
      answering(
        lines(
          ...Array.from({ length: count }, (_, index) => ({
            type: 'status',
            data: { text: `Refinement ${index + 1}` },
          })),
          { type: 'message_complete', data: { content: 'Hi' } },
        ),
      )
    expect((await examined(refining(5))).of('refinement')).toEqual([])
    expect((await examined(refining(6))).of('refinement')[0]?.severity).toBe('problem')
  })

  test('finds an agent that does not end', async () => {
    const { of } = await examined(
      (answer) => void answer.write(lines({ type: 'status', data: {} }, { type: 'status', data: {} })),
      {
        timeoutMs: 500,
      },
    )
    expect([...of('time'), ...of('answer')].some(({ severity }) => severity === 'problem')).toBe(true)
  })

  test('tries the shapes of other agents where the usual request is not understood', async () => {
    const { shape, trace, got } = await examined((answer, { body }) => {
      if (!Array.isArray(body['messages'])) answer.writeHead(400).end('messages is required')
      else answer.end(JSON.stringify({ choices: [{ finish_reason: 'stop', message: { content: 'Hi' } }] }))
    })
    expect([shape, trace.dialect, got.length]).toEqual(['openai_chat', 'openai_chat', 2])
  })

  test('says what came of the usual request where no shape is understood', async () => {
    const { shape, findings } = await examined(answering('<html>', 'text/html'))
    expect(shape).toBe('seed')
    expect(findings).toMatchObject([{ severity: 'problem', topic: 'answer' }])
  })

  test('keeps to the body that is configured', async () => {
    const { got } = await examined((answer) => void answer.writeHead(400).end(), {
      request: { body: { q: '{{query}}' } },
    })
    expect(got.map(({ body }) => body)).toEqual([{ q: 'Hello! What can you do?' }])
  })

  test('tells calls whose results are missing', async () => {
    const call = (id: string) => ({ type: 'tool_call', data: { id, name: 'a', args: {} } })
    const end = { type: 'message_complete', data: { content: 'Hi' } }
    expect((await examined(answering(lines(call('1'), end)))).of('results')[0]?.found).toContain(
      'without their results',
    )
    const some = await examined(
      answering(lines(call('1'), call('2'), { type: 'tool_result', data: { id: '2', result: 1 } }, end)),
    )
    expect(some.of('results')[0]?.found).toBe('1 of 2 calls have no result: give both the same id.')
  })
})
