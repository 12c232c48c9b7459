import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { limits } from '@llm-eval/protocol'
import { Complaint, fileComplaint } from './complaint.ts'
import { oneLine } from './display/width.ts'
import type { Terminal } from './terminal.ts'

/** What the text of a member stands for. */
export type Conversion = (name: string, text: string) => unknown

/**
 * Reads members of an object from the command line: `name=value`, `@FILE` and `-` (standard input), the last two holding a whole
 * JSON object. Later ones go over earlier ones. A value stays text unless a conversion says what it is.
 *
 * @throws {Complaint} on what is none of them, or cannot be read
 */
export async function readMembers(
  terminal: Terminal,
  given: readonly string[],
  convert: Conversion = (_name, text) => text,
): Promise<Record<string, unknown>> {
  const members: [string, unknown][] = []
  for (const text of given) {
    const at = text.indexOf('=')
    if (text === '-') members.push(...Object.entries(objectOf('standard input', await standardInput(terminal))))
    else if (text.startsWith('@')) members.push(...Object.entries(await objectIn(terminal, text.slice(1))))
    else if (at > 0) members.push([text.slice(0, at), convert(text.slice(0, at), text.slice(at + 1))])
    else throw new Complaint(`${oneLine(text)} is neither name=value nor @FILE.`)
  }
  return Object.fromEntries(members)
}

async function objectIn({ cwd }: Terminal, name: string): Promise<Record<string, unknown>> {
  const path = resolve(cwd, name)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw fileComplaint(`${path} cannot be read`, error)
  }
  return objectOf(path, text)
}

/** More than the server takes is not read to its end. */
async function standardInput({ stdin }: Terminal): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of stdin) {
    bytes += chunk.length
    if (bytes > limits.evaluationInputBytes)
      throw new Complaint(`Standard input holds more than the ${limits.evaluationInputBytes} bytes an input may have.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function objectOf(place: string, text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    throw new Complaint(`${place} holds no JSON: ${error instanceof Error ? error.message : ''}.`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Complaint(`${place} must hold a JSON object: {"name": value, …}.`)
  return Object.fromEntries(Object.entries(value))
}
