import { randomUUID } from 'node:crypto'
import { oneLine } from './display/width.ts'

/** A name that people can tell apart, and that is used once. */
export function newRunId(name: string): string {
  const words = oneLine(name)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 60)
  const time = new Date().toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15)
  return [words, time, randomUUID().slice(0, 6)].filter((part) => part !== '').join('-')
}
