import type { TraceSummary } from '@llm-eval/protocol'
import { useEffect, useMemo, useRef } from 'react'

const looked = 40
/** More than this at once is not an arrival to point at but a flood. */
const flood = 8

/** The refs of rows on top that were not there before; null rows: nothing counts as new. */
export function useFresh(rows: readonly TraceSummary[] | null): ReadonlySet<number> {
  const before = useRef<ReadonlySet<number> | null>(null)
  const fresh = useMemo(() => {
    const known = before.current
    if (!rows || !known) return new Set<number>()
    const found = rows.slice(0, looked).filter((row) => !known.has(row.ref))
    return new Set(found.length > flood ? [] : found.map((row) => row.ref))
  }, [rows])
  useEffect(() => {
    if (rows && rows.length > 0) before.current = new Set(rows.slice(0, looked * 2).map((row) => row.ref))
  }, [rows])
  return fresh
}
