import { describe, expect, it } from 'vitest'
import { createEngine } from '../create-engine.ts'

const engine = createEngine()

async function scoreOf(evaluator: string, input: Record<string, unknown>, config?: Record<string, unknown>) {
  return engine.evaluate({ evaluator, input, config })
}

const [a, b, c] = ['a', 'b', 'c']

describe('calls of tools with names of any length', () => {
  const tool_calls = Array.from({ length: 1_000 }, (_, index) => `${index}${'\0'.repeat(1_000)}`)

  it('are counted, and told by their beginning', async () => {
    const { value, output } = await engine.evaluate({ evaluator: 'tool-call-count', input: { tool_calls } })
    expect(value).toBe(1_000)
    expect(Object.keys(output['counts'] ?? {})).toHaveLength(100)
  })

  it('are forbidden all the same', async () => {
    const config = { forbidden: ['*'] }
    const score = await engine.evaluate({ evaluator: 'forbidden-tools', input: { tool_calls }, config })
    expect(score).toMatchObject({ outcome: 'scored', value: 0, passed: false })
    expect(score.output['called']).toHaveLength(100)
  })
})

describe('tool calls match', () => {
  // The modes of langchain's agentevals (MIT), and ADK's IN_ORDER.
  it.each([
    ['strict', [a, b], [a, b], 1],
    ['strict', [b, a], [a, b], 0],
    ['strict', [a, b, c], [a, b], 0],
    ['strict', [], [], 1],
    ['in_order', [a, c, b], [a, b], 1],
    ['in_order', [b, a], [a, b], 0],
    ['in_order', [a], [a, a], 0],
    ['unordered', [b, a], [a, b], 1],
    ['unordered', [a, a], [a], 0],
    ['unordered', [a], [a, a], 0],
    ['subset', [a], [a, b], 1],
    ['subset', [a, c], [a, b], 0],
    ['subset', [a, a], [a], 0],
    ['subset', [], [a], 1],
    ['superset', [c, b, a], [a, b], 1],
    ['superset', [a], [a, b], 0],
    ['superset', [a], [], 1],
  ])('%s: %j against %j is %i', async (...[mode, tool_calls, expected_tool_calls, value]) => {
    expect((await scoreOf('tool-call-match', { tool_calls, expected_tool_calls }, { mode })).value).toBe(value)
  })

  it.each([
    ['full', { q: 'rain', n: [1] }, { n: [1], q: 'rain' }, 1],
    ['full', { q: 'rain', n: 1 }, { q: 'rain' }, 0],
    ['partial', { q: 'rain', n: 1 }, { q: 'rain' }, 1],
    ['partial', { q: 'rain' }, { q: 'rain', n: 1 }, 0],
    ['partial', { q: 'snow', n: 1 }, { q: 'rain' }, 0],
    ['ignore', { q: 'snow' }, { q: 'rain' }, 1],
    ['full', { at: { x: 1, y: { z: null } } }, { at: { y: { z: null }, x: 1 } }, 1],
    ['full', { at: { x: 1 } }, { at: { x: 1, y: undefined } }, 0],
    ['full', { at: [1, 2] }, { at: [2, 1] }, 0],
  ])('%s: the arguments %j against %j is %i', async (...[args, given, wanted, value]) => {
    const input = {
      tool_calls: [{ name: 'search', arguments: given }],
      expected_tool_calls: [{ name: 'search', arguments: wanted }],
    }
    expect((await scoreOf('tool-call-match', input, { arguments: args })).value).toBe(value)
  })

  it('but for the arguments that say nothing', async () => {
    const input = {
      tool_calls: [{ name: 'send', args: { to: 'ada', request_id: 'r1' } }],
      expected_tool_calls: [{ name: 'send', args: { to: 'ada', request_id: 'r2' } }],
    }
    expect((await scoreOf('tool-call-match', input)).value).toBe(0)
    expect((await scoreOf('tool-call-match', input, { ignore: ['request_id'] })).value).toBe(1)
  })

  it('and what is missing and unexpected is told', async () => {
    const input = { tool_calls: [a, c, c], expected_tool_calls: [a, b] }
    expect((await scoreOf('tool-call-match', input)).output).toEqual({ matched: 1, missing: 1, unexpected: 2 })
  })

  it('pairing a call with the one that needs it most', async () => {
    const input = {
      tool_calls: [
        { name: 'f', args: { x: 1, y: 1 } },
        { name: 'f', args: { x: 1 } },
      ],
      expected_tool_calls: [
        { name: 'f', args: { x: 1 } },
        { name: 'f', args: { x: 1, y: 1 } },
      ],
    }
    expect((await scoreOf('tool-call-match', input, { mode: 'unordered', arguments: 'partial' })).value).toBe(1)
  })

  it.each([
    ['a name', 'search'],
    ['ours', { name: 'search', parameters: { q: 1 }, result: 'x' }],
    ['OpenAI', { id: '1', type: 'function', function: { name: 'search', arguments: '{"q": 1}' } }],
    ['LangChain', { name: 'search', args: { q: 1 }, id: '1' }],
    ['Anthropic', { type: 'tool_use', name: 'search', input: { q: 1 } }],
    ['Vercel', { toolName: 'search', args: { q: 1 } }],
    ['EvalView', { tool: 'search', input: { q: 1 } }],
    ['Traceloop', { tool_name: 'search', tool_input: '{"q": 1}' }],
  ])('however they are written: %s', async (_who, call) => {
    const expected_tool_calls = [{ name: 'search', arguments: { q: 1 } }]
    const score = await scoreOf('tool-call-match', { tool_calls: [call], expected_tool_calls })
    expect(score.value).toBe(call === 'search' ? 0 : 1)
    expect(score.outcome).toBe('scored')
  })

  it.each([[[{}]], [[1]], [['']], [[null]], [[{ function: {} }]]])('and %j is no call', async (tool_calls) => {
    const score = await scoreOf('tool-call-match', { tool_calls, expected_tool_calls: [] })
    expect(score).toMatchObject({ outcome: 'skipped', fault: 'missing_evidence' })
  })

  it('up to a thousand', async () => {
    const calls = (count: number) => Array.from({ length: count }, () => a)
    const outcome = async (count: number) => (await scoreOf('tool-call-count', { tool_calls: calls(count) })).fault
    expect(await outcome(1_000)).toBeNull()
    expect(await outcome(1_001)).toBe('too_large')
  })
})

describe('tool call F1', () => {
  it.each([
    [[], [], 1, 1, 1],
    [[a], [], 0, 0, 0],
    [[], [a], 0, 0, 0],
    [[a, b, c], [a, b], 2 / 3, 1, 0.8],
    [[a, a], [a, b], 0.5, 0.5, 0.5],
  ])('of %j against %j', async (...[tool_calls, expected_tool_calls, precision, recall, f1]) => {
    const { output, value } = await scoreOf('tool-call-f1', { tool_calls, expected_tool_calls })
    expect(value).toBeCloseTo(f1, 12)
    expect(output['precision']).toBeCloseTo(precision, 12)
    expect(output['recall']).toBeCloseTo(recall, 12)
  })
})

describe('rules for tool calls', () => {
  it.each([
    [[a, a, b], {}, 3, null],
    [[a, a, b], { min: 3, max: 3 }, 3, true],
    [[a, a, b], { tools: [a], max: 1 }, 2, false],
    [[], { min: 1 }, 0, false],
  ])('the count of %j with %j is %i', async (...[tool_calls, config, value, passed]) => {
    expect(await scoreOf('tool-call-count', { tool_calls }, config)).toMatchObject({ value, passed })
  })

  it.each([
    [['read', 'delete_all'], { forbidden: ['delete_*'] }, ['delete_all']],
    [['read'], { forbidden: ['delete'] }, []],
    [['read', 'write'], { allowed: ['read*'] }, ['write']],
    [[], { allowed: ['read'] }, []],
  ])('of %j with %j the forbidden ones are %j', async (tool_calls, config, called) => {
    const score = await scoreOf('forbidden-tools', { tool_calls }, config)
    expect(score).toMatchObject({ passed: called.length === 0, output: { called } })
  })
})

describe('the trajectory of an agent', () => {
  it.each([
    [[a, b], [a, b], {}, 1],
    [[b, a], [a, b], {}, 1],
    [[b, a], [a, b], { order_sensitive: true }, 0.5],
    [[a, b, c, c], [a, b], {}, 1],
    [[a, b, c, c], [a, b], { mismatch_sensitive: true }, 0.5],
    [[], [], {}, 1],
    [[], [a], {}, 0],
  ])('%j to %j with %j is %f', async (...[executed, expected, config, score]) => {
    const input = { executed_tool_calls: JSON.stringify(executed), expected_tool_calls: JSON.stringify(expected) }
    const { output } = await scoreOf('agent-tool-trajectory', input, config)
    expect(output).toMatchObject({ score, success: score >= 0.5 })
  })

  it('is sensitive to arguments unless told otherwise', async () => {
    const input = {
      executed_tool_calls: [{ name: 'f', args: { x: 1 } }],
      expected_tool_calls: [{ name: 'f', args: { x: 2 } }],
    }
    expect((await scoreOf('agent-tool-trajectory', input)).value).toBe(0)
    expect((await scoreOf('agent-tool-trajectory', input, { input_params_sensitive: false })).value).toBe(1)
  })
})
