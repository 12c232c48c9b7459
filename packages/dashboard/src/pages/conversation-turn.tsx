import type { Conversation, ConversationStep, ConversationTurn } from '@llm-eval/protocol'
import { ArrowRight, Brain, ChevronRight, CodeXml, Hourglass, Paperclip, User, Wrench } from 'lucide-react'
import { memo, type ReactNode, useState } from 'react'
import { Button } from '../components/button.tsx'
import { ConversationBadge } from '../components/conversation-badges.tsx'
import { JsonView } from '../components/json-view.tsx'
import { TextBlock } from '../components/text-block.tsx'
import { colourOf, tokensText, tokensTitle } from '../format/conversation-words.ts'
import { formatCount, formatLatency, formatSize } from '../format/numbers.ts'
import { formatTime } from '../format/times.ts'

const stepsAtOnce = 60

interface TurnProps {
  turn: ConversationTurn
  agents: Conversation['agents']
  chosen: boolean
  onChoose: (index: number) => void
}

/** What a user said, and all that came of it. Of thousands of turns only those are drawn again that changed. */
export const Turn = memo(function Turn({ turn, agents, chosen, onChoose }: TurnProps) {
  const { index, user, steps, state, error } = turn
  const [most, setMost] = useState(stepsAtOnce)
  // A turn of thousands of steps is read from its end: there is what was answered.
  const hidden = Math.max(0, steps.length - most)
  return (
    // What is not drawn while it is out of sight is cut off at its edge: rings around what has the focus need room.
    <li className="-m-1 p-1 [contain-intrinsic-size:auto_300px] [content-visibility:auto]">
      <article aria-label={`Turn ${index + 1}`} className="flex flex-col gap-3">
        <TurnHead turn={turn} chosen={chosen} onChoose={onChoose} />
        {user && (
          <div className="flex gap-3">
            <span
              aria-hidden
              className="mt-0.5 flex size-8 shrink-0 items-center justify-center rounded-full bg-hover text-ink-2"
            >
              <User size={15} />
            </span>
            <div className="min-w-0 flex-1 rounded-xl border border-line bg-hover px-4 py-3">
              <h3 className="sr-only">User</h3>
              {user.text !== '' && <TextBlock text={user.text} />}
              {user.files.map((file, at) => (
                // Files have no identity but their place.
                // oxlint-disable-next-line react/no-array-index-key
                <FileLine key={at} file={file} />
              ))}
            </div>
          </div>
        )}
        {hidden > 0 && (
          <Button className="ml-11 self-start" onClick={() => setMost(most + 10 * stepsAtOnce)}>
            {`${formatCount(hidden)} earlier steps`}
          </Button>
        )}
        <ol aria-label="Steps" className="ml-11 flex flex-col">
          {steps.slice(hidden).map((step, at) => (
            // Steps have no identity but their place.
            // oxlint-disable-next-line react/no-array-index-key
            <li key={hidden + at}>
              <Step step={step} before={steps[hidden + at - 1]} agents={agents} />
            </li>
          ))}
        </ol>
        {error !== null && (
          <p role="note" className="foreign ml-11 rounded-lg bg-bad-soft px-4 py-2.5 text-sm text-bad">
            {error}
          </p>
        )}
        {error === null && state !== 'finished' && state !== 'running' && steps.length === 0 && (
          <p className="ml-11 text-sm text-ink-3 italic">No answer was recorded.</p>
        )}
      </article>
    </li>
  )
})

function TurnHead({ turn, chosen, onChoose }: Omit<TurnProps, 'agents'>) {
  const { index, at, duration_ms: took, first_token_ms: first, tokens, state, models } = turn
  return (
    <h2 className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b pb-1.5 text-sm font-normal text-ink-3">
      <label className="inline-flex items-center gap-2 font-semibold text-ink">
        <input type="checkbox" className="size-4" checked={chosen} onChange={() => onChoose(index)} />
        Turn {index + 1}
      </label>
      <time dateTime={at} title={formatTime(at)}>
        {formatTime(at)}
      </time>
      {took !== null && (
        <span title={first === null ? undefined : `first token after ${formatLatency(first)}`}>
          {formatLatency(took)}
        </span>
      )}
      <span title={tokensTitle(tokens)}>{tokensText(tokens)}</span>
      {models.length > 0 && <span className="foreign clip max-w-48">{models.join(', ')}</span>}
      {state !== 'finished' && (
        <span className="ml-auto">
          <ConversationBadge state={state} />
        </span>
      )}
    </h2>
  )
}

interface StepProps {
  step: ConversationStep
  before: ConversationStep | undefined
  agents: Conversation['agents']
}

function Step({ step, before, agents }: StepProps) {
  const { author } = step
  const { edge } = colourOf({ agents }, author)
  return (
    <div className={`min-w-0 border-l-3 py-1 pl-3.5 ${edge}`}>
      {before?.author !== author && <h3 className="foreign mb-1 text-sm font-semibold text-ink">{author}</h3>}
      <Content step={step} />
    </div>
  )
}

function Content({ step }: { step: ConversationStep }) {
  switch (step.kind) {
    case 'text':
      return (
        <div className={step.final ? 'rounded-xl border border-line bg-surface px-4 py-3' : 'py-0.5 text-ink-2'}>
          <TextBlock text={step.text} />
          {step.partial && <p className="mt-1 text-xs text-wait">Broken off here.</p>}
        </div>
      )
    case 'thought':
      return <Thought step={step} />
    case 'tool':
      return <Tool step={step} />
    case 'file':
      return <FileLine file={step.file} />
    case 'code':
      return <Code step={step} />
    case 'transfer':
      return (
        <p className="foreign flex items-center gap-1.5 text-sm text-ink-2">
          <ArrowRight aria-hidden size={14} />
          hands over to <span className="font-medium text-ink">{step.to}</span>
        </p>
      )
  }
}

type Kind<K extends ConversationStep['kind']> = Extract<ConversationStep, { kind: K }>
/** Something in a line that shows more when it is opened. What is closed is not drawn: a turn may have hundreds of them. */
function Fold({ line, children }: { line: ReactNode; children: () => ReactNode }) {
  const [open, setOpen] = useState(false)
  return (
    <details className="group -ml-2" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className={summaryLook}>
        <ChevronRight aria-hidden size={14} className="transition-transform group-open:rotate-90" />
        {line}
      </summary>
      {open && children()}
    </details>
  )
}

const summaryLook =
  'flex cursor-pointer list-none items-center gap-2 rounded-lg px-2 py-1 text-sm text-ink-2 hover:bg-hover [&::-webkit-details-marker]:hidden'

function Thought({ step: { text, signed, partial } }: { step: Kind<'thought'> }) {
  const marks = [signed ? 'signed' : '', partial ? 'broken off' : ''].filter((word) => word !== '').join(', ')
  if (text === '') {
    return (
      <p className="flex items-center gap-2 px-2 py-1 text-sm text-ink-3 italic">
        <Brain aria-hidden size={14} />
        thought without telling what{marks !== '' && ` (${marks})`}
      </p>
    )
  }
  return (
    <Fold
      line={
        <>
          <Brain aria-hidden size={14} />
          <span className="font-medium">Thought</span>
          <span className="foreign min-w-0 flex-1 clip text-ink-3 group-open:invisible">{text.slice(0, 200)}</span>
          {marks !== '' && <span className="text-xs text-ink-3">{marks}</span>}
        </>
      }
    >
      {() => (
        <div className="px-2 pt-1 pb-2 pl-8 text-ink-2 italic">
          <TextBlock text={text} />
        </div>
      )}
    </Fold>
  )
}

function Tool({ step }: { step: Kind<'tool'> }) {
  const { name, args, result, at_ms: from, ended_ms: to, long_running: long, signed } = step
  const short = JSON.stringify(args).slice(0, 200)
  return (
    <Fold
      line={
        <>
          <Wrench aria-hidden size={14} />
          <code className="foreign max-w-64 clip font-mono text-sm font-medium text-ink">{name}</code>
          <code className="foreign min-w-0 flex-1 clip font-mono text-xs text-ink-3 group-open:invisible">
            {short === '{}' ? '' : short}
          </code>
          {signed && <span className="text-xs text-ink-3">signed</span>}
          {result === null ? (
            <span className="inline-flex items-center gap-1 text-xs text-wait">
              {long && <Hourglass aria-hidden size={12} />}
              {long ? 'result comes later' : 'no result'}
            </span>
          ) : (
            <span className="text-xs text-ink-3">
              {from !== null && to !== null && to > from ? formatLatency(to - from) : 'done'}
            </span>
          )}
        </>
      }
    >
      {() => (
        <div className="grid gap-3 px-2 pt-1 pb-3 pl-8 lg:grid-cols-2">
          <section className="min-w-0">
            <h4 className="mb-1 text-xs font-medium text-ink-3">Arguments</h4>
            <JsonView value={args} name="arguments" />
          </section>
          <section className="min-w-0">
            <h4 className="mb-1 text-xs font-medium text-ink-3">Result</h4>
            {result === null ? (
              <p className="text-sm text-ink-3">{long ? 'It comes in a later turn.' : 'None was recorded.'}</p>
            ) : (
              <JsonView value={result} name="result" />
            )}
          </section>
        </div>
      )}
    </Fold>
  )
}

function FileLine({ file }: { file: Kind<'file'>['file'] }) {
  return (
    <p className="foreign flex items-center gap-2 text-sm text-ink-2">
      <Paperclip aria-hidden size={14} />
      {file.mime_type}
      {file.bytes !== null && <span className="text-ink-3">{formatSize(file.bytes, 'bytes')}</span>}
      {file.uri !== null && <span className="clip text-ink-3">{file.uri}</span>}
    </p>
  )
}

function Code({ step: { language, code, output, outcome } }: { step: Kind<'code'> }) {
  return (
    <Fold
      line={
        <>
          <CodeXml aria-hidden size={14} />
          <span className="font-medium">ran {language === null ? 'code' : language.toLowerCase()}</span>
          <span className="ml-auto text-xs text-ink-3">{outcome?.replace('OUTCOME_', '').toLowerCase()}</span>
        </>
      }
    >
      {() => (
        <div className="flex flex-col gap-2 px-2 pt-1 pb-3 pl-8">
          <Pre label="Code" text={code} />
          {output !== null && <Pre label="Output" text={output} />}
        </div>
      )}
    </Fold>
  )
}

function Pre({ label, text }: { label: string; text: string }) {
  return (
    <pre
      tabIndex={0}
      aria-label={label}
      className="max-h-80 overflow-auto rounded-lg border border-line bg-sunken p-3 font-mono text-xs"
    >
      {text}
    </pre>
  )
}
