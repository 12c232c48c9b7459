import { randomBytes } from 'node:crypto'

/** A name for one life of the journal; never seen before. */
export function newEpoch(): string {
  return randomBytes(8).readBigUInt64BE().toString(36)
}
