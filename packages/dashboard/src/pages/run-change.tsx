import type { Run } from '@llm-eval/protocol'
import { useMutation } from '@tanstack/react-query'
import { deleteRun, runKeys } from '../api/runs.ts'
import { useParts } from '../app/parts.ts'
import { useToasts } from '../app/toasts.tsx'
import { Confirm } from '../components/dialog.tsx'
import { sayError } from '../components/notice.tsx'

/** A change of a run that says how it went. What the socket tells of it comes beside. */
export function useRunChange<T>(
  run: Run,
  word: string,
  change: (parts: ReturnType<typeof useParts>, given: T) => Promise<Run>,
) {
  const parts = useParts()
  const toasts = useToasts()
  return useMutation({
    mutationFn: (given: T) => change(parts, given),
    onSuccess(changed) {
      parts.queryClient.setQueryData(runKeys.detail(run.run_id), changed)
      toasts.show({ text: `“${run.name}” was ${word}.`, mood: 'good' })
    },
    onError: (error) => toasts.show({ text: `“${run.name}” was not ${word}. ${sayError(error)}`, mood: 'bad' }),
    onSettled: () => {
      void parts.queryClient.invalidateQueries({ queryKey: runKeys.lists })
      void parts.queryClient.invalidateQueries({ queryKey: runKeys.run(run.run_id) })
    },
  })
}

/** What is asked about a run, and what happens when it is answered or given up. */
export interface AskProps {
  run: Run
  onDone: () => void
}

/** Asks before a run goes for good. */
export function RemoveRun({ run, onDone, onDeleted }: AskProps & { onDeleted?: () => Promise<void> }) {
  const { api, queryClient } = useParts()
  const toasts = useToasts()
  const removal = useMutation({
    mutationFn: () => deleteRun(api, run.run_id),
    async onSuccess() {
      onDone()
      // Its page goes before the run is read again, which is no more.
      await onDeleted?.()
      toasts.show({ text: `“${run.name}” was deleted.`, mood: 'good' })
      await queryClient.invalidateQueries({ queryKey: runKeys.lists })
    },
    onError: (error) => toasts.show({ text: `“${run.name}” was not deleted. ${sayError(error)}`, mood: 'bad' }),
  })
  return (
    <Confirm
      open
      onOpen={onDone}
      title={`Delete “${run.name}”?`}
      says="All of its items and scores go for good, and its id cannot be used again."
      action="Delete"
      busy={removal.isPending}
      onConfirm={() => removal.mutate()}
    />
  )
}
