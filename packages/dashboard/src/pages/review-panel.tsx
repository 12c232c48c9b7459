import { type ReviewEntry, type ReviewStatus, rejectReasons, type TraceDetail } from '@llm-eval/protocol'
import { Check, Eye, RotateCcw, TriangleAlert, X } from 'lucide-react'
import type { KeyboardEvent, ReactNode, RefObject } from 'react'
import { useMay } from '../app/parts.ts'
import { Button, Key } from '../components/button.tsx'
import { StatusBadge, statusWord } from '../components/status-badge.tsx'
import { Ago } from '../components/time.tsx'
import { reasonCodes } from './decision.ts'
import type { ReviewDesk } from './verdict.ts'

export interface ReviewPanelProps {
  trace: TraceDetail
  desk: ReviewDesk
  noteField: RefObject<HTMLTextAreaElement | null>
  /** Offered when somebody else decided: what to do instead of deciding again. */
  goOn?: { label: string; run: () => void }
  children?: ReactNode
}

/**
 * Where a person decides about a trace: beside it on wide screens; on narrow ones the verdict sticks to the lower edge
 * and the rest follows the trace.
 */
export function ReviewPanel({ trace, desk, noteField, goOn, children }: ReviewPanelProps) {
  const may = useMay('write')
  return (
    <aside aria-label="Review" className="max-lg:contents lg:card lg:sticky lg:top-16 lg:p-4">
      <div className="max-lg:sticky max-lg:bottom-3 max-lg:z-20 max-lg:order-last max-lg:rounded-xl max-lg:border max-lg:bg-raised max-lg:p-2.5 max-lg:shadow-float max-sm:bottom-16">
        <div className="mb-3.5 flex items-center gap-2 max-lg:sr-only">
          <h2 className="mr-auto font-semibold">Verdict</h2>
          <StatusBadge status={trace.evaluation_status} />
        </div>
        {desk.overtaken && <Overtaken trace={trace} desk={desk} {...(goOn ? { goOn } : {})} />}
        {may ? (
          <Verdict desk={desk} />
        ) : (
          <p className="text-sm text-ink-2">
            This key may read, but not decide. Sign in with a key that has the scope write.
          </p>
        )}
      </div>
      <div className="flex flex-col gap-3.5 max-lg:card max-lg:p-4 lg:mt-3.5">
        {may && <Stay status={trace.evaluation_status} desk={desk} />}
        {may && <Note desk={desk} field={noteField} />}
        <History entries={trace.reviews} />
        {children}
      </div>
    </aside>
  )
}

function Verdict({ desk }: { desk: ReviewDesk }) {
  return (
    <div className="grid grid-cols-2 gap-2">
      <Button
        size="medium"
        look="good"
        className="justify-center"
        disabled={desk.busy}
        onClick={() => desk.decide('accepted')}
      >
        <Check aria-hidden size={16} />
        Accept
        <Hint>A</Hint>
      </Button>
      <Button
        size="medium"
        look="bad"
        className="justify-center"
        disabled={desk.busy}
        aria-expanded={desk.rejecting}
        onClick={() => desk.setRejecting(!desk.rejecting)}
      >
        <X aria-hidden size={16} />
        Reject
        <Hint>R</Hint>
      </Button>
      {desk.rejecting && <Reasons desk={desk} />}
    </div>
  )
}

/** What changes the state without being a verdict. */
function Stay({ status, desk }: { status: ReviewStatus; desk: ReviewDesk }) {
  return (
    <div className="flex flex-wrap gap-2">
      {status !== 'in_review' && (
        <Button
          disabled={desk.busy}
          onClick={() => desk.decide('in_review')}
          title="Tell the others that you are looking at it"
        >
          <Eye aria-hidden size={14} />
          Take into review
        </Button>
      )}
      {status !== 'pending' && (
        <Button disabled={desk.busy} onClick={() => desk.decide('pending')}>
          <RotateCcw aria-hidden size={14} />
          Back to pending
        </Button>
      )}
    </div>
  )
}

function Hint({ children }: { children: string }) {
  return (
    <kbd aria-hidden className="ml-1 rounded border border-white/40 px-1 text-2xs font-medium opacity-90 max-sm:hidden">
      {children}
    </kbd>
  )
}

function Reasons({ desk }: { desk: ReviewDesk }) {
  return (
    <fieldset className="col-span-2 animate-rise rounded-xl border border-line bg-surface p-1.5">
      <legend className="sr-only">Why is it rejected?</legend>
      {reasonCodes.map((code, at) => (
        <button
          key={code}
          type="button"
          disabled={desk.busy}
          className="flex w-full items-center gap-2.5 rounded-lg px-2.5 py-1.5 text-left hover:bg-hover"
          onClick={() => desk.decide('rejected', code)}
        >
          <Key>{at + 1}</Key>
          {rejectReasons[code]}
        </button>
      ))}
    </fieldset>
  )
}

function Note({ desk, field }: { desk: ReviewDesk; field: RefObject<HTMLTextAreaElement | null> }) {
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) {
      desk.keepNote()
      field.current?.blur()
    } else if (event.key === 'Escape') field.current?.blur()
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div>
      <label className="flex flex-col gap-1">
        <span className="flex items-center gap-1.5 text-sm font-medium text-ink-2">
          Note <Key>E</Key>
        </span>
        <textarea
          ref={field}
          dir="auto"
          rows={3}
          maxLength={10_000}
          placeholder="What should others know about it?"
          className="w-full resize-y rounded-lg border border-line bg-surface px-2.5 py-2 hover:border-line-strong focus-visible:outline-offset-0"
          value={desk.note}
          onChange={(event) => desk.setNote(event.target.value)}
          onKeyDown={onKey}
        />
      </label>
      {desk.noteChanged && (
        <div className="mt-1.5 flex items-center gap-2">
          <Button disabled={desk.busy} onClick={desk.keepNote}>
            Store the note
          </Button>
          <span className="text-xs text-ink-3">or decide: it goes with the verdict</span>
        </div>
      )}
    </div>
  )
}

function Overtaken({ trace, desk, goOn }: { trace: TraceDetail; desk: ReviewDesk; goOn?: ReviewPanelProps['goOn'] }) {
  const { reason, reviewer, at } = trace.review
  const mine = desk.overtaken?.mine
  return (
    <div role="alert" className="mb-3 animate-rise rounded-xl border border-wait/40 bg-wait-soft p-3.5">
      <p className="flex items-center gap-2 font-semibold text-wait">
        <TriangleAlert aria-hidden size={15} />
        {mine ? 'Somebody else was faster' : 'Somebody else just reviewed this'}
      </p>
      <p className="mt-1 text-ink">
        It is <strong className="font-semibold">{statusWord(trace.evaluation_status).toLowerCase()}</strong>
        {reason && ` (${rejectReasons[reason].toLowerCase()})`}
        {reviewer && (
          <>
            {' '}
            by <span className="foreign font-medium">{reviewer}</span>
          </>
        )}
        {at && (
          <>
            , <Ago time={at} />
          </>
        )}
        .{mine && ' Your verdict was not stored.'}
      </p>
      <div className="mt-2.5 flex flex-wrap gap-2">
        <Button onClick={goOn?.run ?? desk.yield}>{goOn?.label ?? 'Leave it'}</Button>
        {mine && (
          <Button disabled={desk.busy} onClick={desk.insist}>
            {`${mine.status === 'rejected' ? 'Reject' : mine.status === 'accepted' ? 'Accept' : 'Store mine'} anyway`}
          </Button>
        )}
      </div>
    </div>
  )
}

function History({ entries }: { entries: readonly ReviewEntry[] }): ReactNode {
  if (entries.length === 0) return null
  return (
    <div>
      <h3 className="mb-2 text-sm font-medium text-ink-2">History</h3>
      <ol aria-label="Review history" className="flex flex-col gap-3 border-l border-line pl-3.5">
        {[...entries].reverse().map((entry) => (
          <li key={entry.version} className="text-sm">
            <div className="flex flex-wrap items-center gap-x-2 gap-y-0.5 text-ink-3">
              <StatusBadge status={entry.status} />
              {entry.reviewer && <span className="foreign text-ink-2">{entry.reviewer}</span>}
              <Ago time={entry.at} />
            </div>
            {entry.reason && <p className="mt-1 text-ink-2">{rejectReasons[entry.reason]}</p>}
            {entry.note && (
              <p dir="auto" className="foreign-block mt-1 text-ink">
                {entry.note}
              </p>
            )}
          </li>
        ))}
      </ol>
    </div>
  )
}
