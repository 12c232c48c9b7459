/**
 * The limit of single POSTs: a bare Fastify route that parses and validates the same body and stores nothing.
 * `/ajv`: as Fastify itself does it, with JSON.parse and a compiled JSON Schema of the same checks.
 * `/intake`: by the product's own intake, with all it derives from a trace (hash, previews, normal form).
 */
import fastify from 'fastify'
import { limits } from '@llm-eval/protocol'
import { readSingle } from '../../packages/server/src/intake/requests.ts'

const name = { type: 'string', minLength: 1, maxLength: limits.nameChars, pattern: '^[^\\u0000-\\u001f\\u007f]*$' }
const nullableName = { ...name, type: ['string', 'null'] }
const text = { type: 'string', maxLength: limits.textChars }
const count = { type: ['number', 'null'], minimum: 0, maximum: limits.countMax }
const schema = {
  type: 'object',
  required: ['trace_id', 'model_name', 'user_query', 'ai_response'],
  properties: {
    trace_id: name,
    timestamp: { type: 'string', format: 'date-time' },
    model_name: name,
    user_query: text,
    ai_response: text,
    system_prompt: { ...text, type: ['string', 'null'] },
    functions_called: {
      type: ['array', 'null'],
      maxItems: limits.functionCalls,
      items: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string', minLength: 1, maxLength: limits.nameChars } },
      },
    },
    metadata: { type: ['object', 'null'] },
    tokens_used: { ...count, type: ['integer', 'null'] },
    response_time_ms: count,
    cost: { ...count, maximum: limits.costMax },
    session_id: nullableName,
    user_id: nullableName,
    source: nullableName,
  },
}

const app = fastify({ logger: false })

app.post<{ Body: { trace_id: string } }>('/ajv', { schema: { body: schema } }, (request) =>
  answer(request.body.trace_id),
)

app.register((scope, _options, done) => {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, parsed) => parsed(null, body))
  scope.post<{ Body: Buffer }>('/intake', (request) => answer(readSingle(request.body, Date.now()).trace.traceId))
  done()
})

function answer(traceId: string): object {
  return {
    success: true,
    message: 'Trace received and processed successfully',
    processed_count: null,
    errors: null,
    trace_ids: [traceId],
    results: [{ trace_id: traceId, status: 'created' }],
  }
}

await app.listen({ host: '127.0.0.1', port: 0 })
const address = app.server.address()
if (typeof address !== 'object' || address === null) throw new Error('it does not listen on a port')
process.send?.({ port: address.port })
process.once('disconnect', () => process.exit(1))
process.once('SIGTERM', () => process.exit(0))
