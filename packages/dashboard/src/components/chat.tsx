import type { TraceDetail } from '@llm-eval/protocol'
import { Bot, ChevronRight, User, Wrench } from 'lucide-react'
import type { ReactNode } from 'react'
import { TextBlock } from './text-block.tsx'

/** The conversation of a trace: what was asked, what was called, what was answered. */
export function Chat({ trace }: { trace: TraceDetail }) {
  const calls = trace.functions_called
  return (
    <div className="flex flex-col gap-5">
      {trace.system_prompt !== '' && (
        <details className="group rounded-xl border border-line bg-surface">
          <summary className="flex list-none items-center gap-2 px-4 py-2.5 text-sm font-medium text-ink-2 [&::-webkit-details-marker]:hidden">
            <ChevronRight aria-hidden size={14} className="transition-transform group-open:rotate-90" />
            System prompt
            <span className="foreign min-w-0 flex-1 clip font-normal text-ink-3 group-open:invisible">
              {trace.system_prompt.slice(0, 200)}
            </span>
          </summary>
          <div className="border-t px-4 py-3 text-ink-2">
            <TextBlock text={trace.system_prompt} />
          </div>
        </details>
      )}
      <Turn who="User" picture={<User aria-hidden size={15} />}>
        {trace.user_query === '' ? <Empty>The query is empty.</Empty> : <TextBlock text={trace.user_query} />}
      </Turn>
      {calls.length > 0 && (
        <p className="ml-11 flex flex-wrap items-center gap-1.5 text-sm text-ink-3">
          <Wrench aria-hidden size={13} />
          called
          {calls.slice(0, 8).map((call, at) => (
            // A function may be called twice; the place tells the calls apart.
            // oxlint-disable-next-line react/no-array-index-key
            <code key={at} className="foreign max-w-full clip rounded bg-hover px-1.5 font-mono text-xs text-ink-2">
              {call.name}
            </code>
          ))}
          {calls.length > 8 && `and ${calls.length - 8} more`}
        </p>
      )}
      <Turn who={trace.model_name} picture={<Bot aria-hidden size={15} />} own>
        {!trace.captured.includes('response') ? (
          <Empty>The response was not captured by the source.</Empty>
        ) : trace.ai_response === '' ? (
          <Empty>The response is empty.</Empty>
        ) : (
          <TextBlock text={trace.ai_response} />
        )}
      </Turn>
    </div>
  )
}

function Turn({
  who,
  picture,
  own = false,
  children,
}: {
  who: string
  picture: ReactNode
  own?: boolean
  children: ReactNode
}) {
  return (
    <article aria-label={who} className="flex gap-3">
      <span
        aria-hidden
        className={`mt-0.5 flex size-8 shrink-0 items-center justify-center rounded-full ${own ? 'bg-accent-solid text-on-accent' : 'bg-hover text-ink-2'}`}
      >
        {picture}
      </span>
      <div className="min-w-0 flex-1">
        <h3 className="foreign mb-0.5 text-sm font-semibold text-ink-2">{who}</h3>
        <div className={`rounded-xl border border-line px-4 py-3 ${own ? 'bg-surface' : 'bg-hover'}`}>{children}</div>
      </div>
    </article>
  )
}

function Empty({ children }: { children: string }) {
  return <p className="text-ink-3 italic">{children}</p>
}
