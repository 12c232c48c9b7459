import { type RejectReason, type ReviewStatus, rejectReasons, type TraceDetail } from '@llm-eval/protocol'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { ApiError } from '../api/client.ts'
import { keys, sendReview } from '../api/queries.ts'
import type { Binding } from '../app/keymap.ts'
import { useParts } from '../app/parts.ts'
import { useToasts } from '../app/toasts.tsx'
import { sayError } from '../components/notice.tsx'
import { useCell } from '../stream/cell.ts'
import { noChanges } from '../stream/changes.ts'
import { type Decision, decisionOf, reasonCodes } from './decision.ts'

/** Sends a decision, which counts only if nobody decided since the trace was read, and shows it everywhere in this tab. */
export function useDecide() {
  const { api, feed, queryClient } = useParts()
  const toasts = useToasts()
  const me = useMe()
  return useMutation({
    mutationFn: ({ trace, decision }: { trace: Pick<TraceDetail, 'trace_id' | 'version'>; decision: Decision }) =>
      sendReview(api, trace.trace_id, {
        ...decision,
        ...(me.given && me.name !== null ? { reviewer: me.name } : {}),
        expected_version: trace.version,
      }),
    onSuccess(trace) {
      queryClient.setQueryData<TraceDetail>(keys.detail(trace.trace_id), trace)
      const verdict = { status: trace.evaluation_status, version: trace.version }
      feed.apply({ ...noChanges(), verdicts: new Map([[trace.trace_id, verdict]]) })
    },
    onError(error, { trace }) {
      if (isConflict(error)) void queryClient.invalidateQueries({ queryKey: keys.detail(trace.trace_id), exact: true })
      else toasts.show({ text: `The verdict was not stored. ${sayError(error)}`, mood: 'bad' })
    },
  })
}

/** Under which name this browser's verdicts are known; `given` here, or known to the server by the key. */
export function useMe(): { name: string | null; given: boolean } {
  const { queries, reviewer } = useParts()
  const { data: session } = useQuery(queries.session())
  const given = useCell(reviewer.cell)
  return session?.auth_required ? { name: session.name, given: false } : { name: given || null, given: true }
}

/** Whether somebody else was faster. */
function isConflict(error: unknown): boolean {
  return error instanceof ApiError && (error.code === 'version_conflict' || error.code === 'already_claimed')
}

/** The state of the panel in which a person decides about one trace. */
export interface ReviewDesk {
  note: string
  setNote: (note: string) => void
  /** The note is not stored as it stands. */
  noteChanged: boolean
  /** The reasons are open to choose from. */
  rejecting: boolean
  setRejecting: (rejecting: boolean) => void
  busy: boolean
  /** Somebody else decided while this trace was open, or was faster. `mine` is what was not stored. */
  overtaken: { mine: Decision | null } | null
  decide: (status: ReviewStatus, reason?: RejectReason) => void
  /** Stores the note, if it changed, without a verdict. */
  keepNote: () => void
  /** Decides again, after seeing what the other one decided. */
  insist: () => void
  yield: () => void
}

/**
 * @param onDecided is told what was stored, and how the trace stood before
 */
export function useReviewDesk(
  trace: TraceDetail,
  onDecided: (after: TraceDetail, before: TraceDetail) => void,
): ReviewDesk {
  const [draft, setDraft] = useState<string>()
  const [rejecting, setRejecting] = useState(false)
  const [overtaken, setOvertaken] = useState<ReviewDesk['overtaken']>(null)
  const known = useRef(trace.version)
  const { mutate, isPending } = useDecide()
  const me = useMe()
  // One's own note can be mended; another's stays theirs, in the history.
  const ownNote = trace.review.reviewer === me.name ? trace.review.note : null
  const note = draft ?? ownNote ?? ''

  useEffect(() => {
    if (trace.version <= known.current || isPending) return
    known.current = trace.version
    setOvertaken((before) => before ?? { mine: null })
  }, [trace.version, isPending])

  function send(decision: Decision): void {
    if (isPending) return
    mutate(
      { trace, decision },
      {
        onSuccess(after) {
          known.current = after.version
          setDraft(undefined)
          setRejecting(false)
          setOvertaken(null)
          onDecided(after, trace)
        },
        onError: (error) => isConflict(error) && setOvertaken({ mine: decision }),
      },
    )
  }

  const written = note.trim() === '' ? null : note
  return {
    note,
    setNote: setDraft,
    noteChanged: written !== ownNote,
    rejecting,
    setRejecting,
    busy: isPending,
    overtaken,
    decide: (status, reason) => send({ status, reason: reason ?? null, note: written }),
    keepNote() {
      if (written !== ownNote) send({ ...decisionOf(trace), note: written })
    },
    insist() {
      if (overtaken?.mine) send(overtaken.mine)
      else setOvertaken(null)
    },
    yield: () => setOvertaken(null),
  }
}

/** The keys with which a person decides. */
export function deskKeys(desk: ReviewDesk, focusNote: () => void): Binding[] {
  return [
    { keys: ['a'], does: 'Accept', run: () => desk.decide('accepted') },
    { keys: ['r'], does: 'Reject, then 1 to 7 for the reason', run: () => desk.setRejecting(!desk.rejecting) },
    { keys: ['e'], does: 'Write a note; Ctrl Enter stores it', run: focusNote },
    ...(desk.rejecting
      ? [
          ...reasonCodes.map((code, at) => ({
            keys: [String(at + 1)],
            does: rejectReasons[code],
            run: () => desk.decide('rejected', code),
          })),
          { keys: ['Escape'], does: 'Do not reject', run: () => desk.setRejecting(false) },
        ]
      : []),
  ]
}
