import type { TraceInput } from '@llm-eval/protocol'
import { requestBytes } from '../packages/server/test/faults/wire.ts'

/** The sample trace of the source document, its response as long as makes the JSON about 1 KB. */
export function sampleTrace(traceId: string): TraceInput {
  return {
    trace_id: traceId,
    timestamp: '2025-01-27T12:00:00Z',
    model_name: 'gpt-4',
    user_query: 'What is machine learning?',
    system_prompt: 'You are a helpful AI assistant',
    ai_response:
      'Machine learning is a subset of artificial intelligence in which programs improve with experience instead of being told each rule. ' +
      'A model is fitted to examples, checked against examples that it has not seen, and then used on new ones. Supervised learning has labelled ' +
      'examples, unsupervised learning has none, and reinforcement learning has rewards. How good a model is depends on its data above all.',
    functions_called: [
      {
        name: 'search_knowledge_base',
        parameters: { query: 'machine learning' },
        result: 'Found 15 relevant articles',
      },
    ],
    metadata: { temperature: 0.7, max_tokens: 1000, user_id: 'user_123' },
    tokens_used: 245,
    response_time_ms: 850,
    cost: 0.0012,
  }
}

/** A request that is made once and then only gets new ids: nothing is serialised while load is made. */
export interface Template {
  bytes: Buffer
  /** Writes ids made of the numbers from `first` on into the bytes. */
  number(first: number): void
}

/** How the ids of a template look: a name, a number, and what makes them different from those of another template. */
export interface IdForm {
  name: string
  digits: number
  suffix: string
}

const usual = (name: string): IdForm => ({ name: `${name}-`, digits: 12, suffix: '' })

/** A trace alone. `form` tells the ids of one generator from those of another. */
export function singleTemplate(path: string, form: string | IdForm): Template {
  const ids = typeof form === 'string' ? usual(form) : form
  return template(requestBytes('POST', path, sampleTrace(placeholder(ids))), ids)
}

/** A batch of traces. */
export function batchTemplate(path: string, name: string, count: number): Template {
  const ids = usual(name)
  const traces = Array.from({ length: count }, () => sampleTrace(placeholder(ids)))
  return template(requestBytes('POST', path, { traces, source: 'bench' }), ids)
}

function placeholder({ name, digits, suffix }: IdForm): string {
  return `${name}${'0'.repeat(digits)}${suffix}`
}

function template(bytes: Buffer, ids: IdForm): Template {
  const mark = placeholder(ids)
  const places: number[] = []
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) places.push(at + ids.name.length)
  return {
    bytes,
    number(first) {
      places.forEach((place, i) => bytes.write(String(first + i).padStart(ids.digits, '0'), place, 'latin1'))
    },
  }
}
