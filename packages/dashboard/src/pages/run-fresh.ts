import type { Run } from '@llm-eval/protocol'
import { type QueryKey, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { isOver } from './run-numbers.ts'

/**
 * Has something about a run read again when the run ends, is resumed, or has other items than before. What was just read is
 * new: summing up many items takes the server long, and is not asked for twice.
 */
export function useFreshAtEnd(run: Run, key: QueryKey): void {
  const client = useQueryClient()
  const { status, ended_at: endedAt, completed_items: done } = run
  const end = isOver(status) && endedAt !== null ? `${endedAt} ${done}` : null
  const before = useRef(end)
  const latest = useRef(key)
  latest.current = key
  useEffect(() => {
    if (before.current === end) return
    before.current = end
    void client.invalidateQueries({ queryKey: latest.current })
  }, [end, client])
}
