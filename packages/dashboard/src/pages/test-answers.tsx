import type { AgentTrace } from '@llm-eval/protocol'
import { useState } from 'react'
import { Segments } from '../components/field.tsx'
import { Passage } from '../components/passage.tsx'
import { TextDiff } from '../components/text-diff.tsx'

const views = ['Changes', 'Side by side'] as const

/** What the agent was asked, and what it answered beside what was accepted. */
export function TestAnswers({ before, after }: { before: AgentTrace | null; after: AgentTrace }) {
  const [view, setView] = useState<(typeof views)[number]>('Changes')
  const differs = before !== null && before.output !== after.output
  return (
    <div className="flex flex-col gap-3">
      {after.turns.map(({ query, output }, at) => (
        // Turns have no identity but their place.
        // oxlint-disable-next-line react/no-array-index-key
        <div key={at} className="flex flex-col gap-1.5">
          <Passage title={after.turns.length > 1 ? `Question ${at + 1}` : 'Question'} text={query} />
          {at < after.turns.length - 1 && <Passage title={`Answer ${at + 1}`} text={output} />}
        </div>
      ))}
      {differs && (
        <div className="self-start">
          <Segments label="Answers" choices={views} chosen={view} onChoose={setView} />
        </div>
      )}
      {differs && view === 'Changes' ? (
        <TextDiff before={before.output} after={after.output} label="Changes of the answer" />
      ) : (
        <div className={`grid gap-3 ${differs ? 'lg:grid-cols-2' : ''}`}>
          {differs && <Passage title="Accepted" text={before.output} />}
          <Passage title={differs ? 'Now' : before ? 'Answer, as accepted' : 'Answer'} text={after.output} />
        </div>
      )}
    </div>
  )
}
