import { expect, test } from 'vitest'
import { again } from './again.ts'

test('the next command names the same files, settings and agent, as a shell takes them', () => {
  const options = {
    agent: 'http://localhost:3000/chat?a=1&b=2',
    agentConfig: "ada's.yaml",
    adkConfig: 'cases/test_config.json',
  }
  expect(again('llm-eval test --test "A" --verbose', { paths: ['a b.evalset.json', 'c.yaml'], options })).toBe(
    `llm-eval test 'a b.evalset.json' c.yaml --test "A" --verbose --agent 'http://localhost:3000/chat?a=1&b=2' --agent-config 'ada'\\''s.yaml' --adk-config cases/test_config.json`,
  )
  expect(again('llm-eval snapshot', { paths: [], options: {} })).toBe('llm-eval snapshot')
})

test('the next command goes by the same baselines where it has any, and tells no key', () => {
  const told = { paths: [], options: { baselines: 'server', agent: 'http://a.example/chat?key=0123456789' } } as const
  expect(again('llm-eval check', told)).toBe(
    `llm-eval check --baselines server --agent 'http://a.example/chat?key=•••'`,
  )
  expect(again('llm-eval test', told)).not.toContain('--baselines')
})
