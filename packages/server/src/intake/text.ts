import { Failure } from '@llm-eval/protocol'
import { locateJsonFault } from '../faults/json-fault.ts'

const strict = new TextDecoder('utf-8', { fatal: true })

/** The text of a body. Throws `malformed_json` for bytes that are not UTF-8; a byte order mark is passed over. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes)
  } catch {
    throw malformed('it is not UTF-8')
  }
}

/** Parses JSON, or throws `malformed_json` with the place of the fault. */
export function parseText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw malformed(locateJsonFault(text))
  }
}

function malformed(detail: string): Failure {
  return new Failure('malformed_json', { values: { detail } })
}
