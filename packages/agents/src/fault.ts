import type { AgentFault, AgentFaultCode } from '@llm-eval/protocol'

/** There is no whole answer; carries what is told of it. */
export class AgentFailed extends Error {
  override readonly name = 'AgentFailed'
  readonly fault: AgentFault
  /** Whether asking again may help. */
  readonly again: boolean
  /** Milliseconds that the agent asks to be left alone. */
  readonly retryAfterMs: number | null

  constructor(
    fault: AgentFault,
    { again = false, retryAfterMs = null }: { again?: boolean; retryAfterMs?: number | null } = {},
  ) {
    super(fault.message)
    this.fault = fault
    this.again = again
    this.retryAfterMs = retryAfterMs
  }
}

/** What may be a key in headers. */
export function secretsOf(headers: Readonly<Record<string, string>>): string[] {
  const secrets = Object.values(headers).flatMap((value) => [value, ...value.split(' ')])
  // Shorter ones are words that messages hold anyhow.
  return secrets.filter((one) => one.length >= 6)
}

/** A text without the keys that an agent was asked with: some agents say them back. */
export function concealed(text: string, secrets: readonly string[]): string {
  let open = text
  for (const secret of secrets) {
    open = open.replaceAll(secret, '•••')
    // One that was cut with its text.
    if (open.includes('…'))
      for (let length = secret.length - 1; length >= 6; length--)
        open = open.replaceAll(`${secret.slice(0, length)}…`, '•••…')
  }
  return open
}

/** A fault without such keys. */
export function withoutSecrets(fault: AgentFault, secrets: readonly string[]): AgentFault {
  const hidden = (text: string) => concealed(text, secrets)
  const { message, excerpt } = fault
  return { ...fault, message: hidden(message), ...(excerpt === undefined ? {} : { excerpt: hidden(excerpt) }) }
}

interface Kind {
  code: AgentFaultCode
  says: (host: string) => string
}

const refused: Kind = {
  code: 'refused',
  says: (host) => `Nothing listens at ${host}. Start the agent, or mend its address.`,
}
const dns: Kind = { code: 'dns', says: (host) => `The name ${host} is not known. Mend the address of the agent.` }

const kinds: Readonly<Record<string, Kind>> = {
  ECONNREFUSED: refused,
  ENOTFOUND: dns,
  EAI_AGAIN: dns,
  EAI_NODATA: dns,
  EAI_NONAME: dns,
}

/** What went wrong on the way to an agent, or on the way back, as `fetch` throws it. */
export function networkFailure(error: unknown, url: string): AgentFailed {
  const { host, protocol } = new URL(url)
  const chain = causes(error)
  const refusal = chain.find(({ name }) => name === 'AddressRefused')
  if (refusal) {
    const message = `${refusal.message}, and only public ones may be asked here.`
    return new AgentFailed({ code: 'blocked_address', message })
  }
  const codes = chain.flatMap((one) => ('code' in one && typeof one.code === 'string' ? [one.code] : []))
  const known = codes.map((code) => kinds[code]).find((kind) => kind !== undefined)
  if (known) return new AgentFailed({ code: known.code, message: known.says(host) }, { again: true })
  const tls = codes.find((code) => /CERT|TLS|SSL|EPROTO|SELF_SIGNED|VERIFY/.test(code))
  if (tls !== undefined) {
    const hint = protocol === 'https:' ? 'Trust its certificate (NODE_EXTRA_CA_CERTS), or ask over http.' : ''
    return new AgentFailed({ code: 'tls', message: `No secure connection to ${host}: ${tls}. ${hint}`.trim() })
  }
  const what = codes[0] ?? chain.at(-1)?.message ?? String(error)
  return new AgentFailed({ code: 'network', message: `The connection to ${host} failed: ${what}.` }, { again: true })
}

/** An error and what caused it, outermost first; errors of several addresses count each. */
function causes(error: unknown): Error[] {
  const found: Error[] = []
  const open: unknown[] = [error]
  while (open.length > 0 && found.length < 20) {
    const next = open.shift()
    if (!(next instanceof Error)) continue
    found.push(next)
    if (next instanceof AggregateError) open.push(...next.errors)
    open.push(next.cause)
  }
  return found
}
