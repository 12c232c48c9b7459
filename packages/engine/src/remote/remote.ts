import { createHmac, randomUUID } from 'node:crypto'
import { limits } from '@llm-eval/protocol'
import * as z from 'zod'
import { keyOf, type RemoteDefinition } from '../definition.ts'
import { type Evaluator, evaluator, NoScore, type Verdict } from '../evaluator.ts'
import { type Clock, within } from '../models/clock.ts'
import { AddressRefused } from './guarded-fetch.ts'

export interface RemoteParts {
  /** Goes to whatever address a project named: hand in a `guardedFetch`. */
  fetch: typeof globalThis.fetch
  clock: Clock
}

const answerSchema = z
  .looseObject({
    score: z.union([z.number(), z.boolean()]).nullish(),
    value: z.union([z.number(), z.boolean()]).nullish(),
    passed: z.boolean().nullish(),
    pass: z.boolean().nullish(),
    label: z.string().max(limits.nameChars).nullish(),
    explanation: z.string().nullish(),
    reason: z.string().nullish(),
    output: z.record(z.string(), z.unknown()).nullish(),
  })
  .refine(
    ({ score, value, passed, pass, label }) => [score, value, passed, pass, label].some((one) => one != null),
    'holds neither score, passed nor label',
  )

/**
 * Somebody's HTTP endpoint as an evaluator: `POST {input, config}`, signed by Standard Webhooks where there is a secret, answered
 * with `{score, passed?, label?, explanation?, output?}`.
 */
export function remoteEvaluator(slug: string, definition: RemoteDefinition, parts: RemoteParts): Evaluator {
  const { url, version, threshold, input, range } = definition
  const config = z.looseObject({ threshold: z.number().default(threshold).describe('Values from here on pass.') })
  return evaluator({
    slug,
    name: slug,
    description: `Asks ${new URL(url).origin} for a score.`,
    kind: 'remote',
    category: 'custom',
    needs: [],
    input,
    output: [],
    config,
    range,
    direction: 'higher',
    example: { input: {}, value: null, passed: null },
    depends: { url, version, range },
    pinned: version !== null,
    runs: 'inline',
    async score(given, { config: settings, signal }) {
      const text = await ask(definition, JSON.stringify({ input: given, config: settings }), { ...parts, signal })
      return verdictOf(text, settings.threshold)
    },
  })
}

async function ask(
  { url, secret, timeout_seconds }: RemoteDefinition,
  body: string,
  { fetch, clock, signal }: RemoteParts & { signal: AbortSignal },
): Promise<string> {
  const { host } = new URL(url)
  try {
    return await within(timeout_seconds * 1_000, { clock, signal }, async (aborted) => {
      const headers = {
        'content-type': 'application/json',
        accept: 'application/json',
        'user-agent': 'llm-eval',
        ...(secret === null ? {} : signatureOf(secret, body, clock.now())),
      }
      const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal: aborted })
      const text = await textOf(response, host)
      if (response.ok) return text
      const led = response.status >= 300 && response.status < 400 ? ' Redirects are not followed.' : ''
      throw remoteError(`${host} answered with status ${response.status}.${led}`)
    })
  } catch (error) {
    if (error instanceof NoScore) throw error
    if (signal.aborted) throw new NoScore('cancelled', 'The evaluation was cancelled.')
    const causes = causesOf(error)
    if (causes.some(({ name }) => name === 'TimeoutError'))
      throw new NoScore('timeout', `${host} did not answer within ${timeout_seconds} seconds.`)
    const refused = causes.find((cause) => cause instanceof AddressRefused)
    if (refused)
      throw remoteError(`${refused.message}: remote evaluators may only be there if the configuration allows it.`)
    throw remoteError(`The connection to ${host} broke: ${wordsOf(causes)}`)
  }
}

/** Headers of Standard Webhooks (standardwebhooks.com), which any of its libraries checks. */
function signatureOf(secret: string, body: string, now: number): Record<string, string> {
  const id = `msg_${randomUUID().replaceAll('-', '')}`
  const timestamp = String(Math.floor(now / 1_000))
  const signature = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }
}

async function textOf(response: Response, host: string): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let come = 0
  for await (const chunk of response.body ?? []) {
    come += chunk.byteLength
    if (come > limits.remoteAnswerBytes)
      throw new NoScore('too_large', `${host} answered with more than ${limits.remoteAnswerBytes} bytes.`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function verdictOf(text: string, threshold: number): Verdict {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new NoScore('unparsable_answer', `The remote evaluator answered with no JSON: ${text.slice(0, 200)}`)
  }
  const read = answerSchema.safeParse(json)
  if (!read.success) {
    const [issue] = read.error.issues
    const where = issue && issue.path.length > 0 ? `its ${issue.path.join('.')}` : 'it'
    throw new NoScore('unparsable_answer', `The remote evaluator's answer is not usable: ${where} ${issue?.message}`)
  }
  const { score, value, passed, pass, label, explanation, reason, output } = read.data
  const given = score ?? value ?? null
  const told = passed ?? pass ?? (typeof given === 'boolean' ? given : null)
  const number = typeof given === 'boolean' ? Number(given) : (given ?? (told === null ? null : Number(told)))
  return {
    value: number,
    passed: told ?? (number === null ? null : number >= threshold),
    label: label ?? null,
    explanation: explanation ?? reason ?? null,
    output: output ?? {},
  }
}

function remoteError(message: string): NoScore {
  return new NoScore('remote_error', message)
}

function causesOf(error: unknown): Error[] {
  const causes: Error[] = []
  for (let one = error; one instanceof Error && causes.length < 8; one = one.cause) causes.push(one)
  return causes
}

function wordsOf(causes: readonly Error[]): string {
  const messages = causes.flatMap(({ message }) => message || [])
  return [...new Set(messages)].join(': ').slice(0, 500) || 'nobody said why'
}
