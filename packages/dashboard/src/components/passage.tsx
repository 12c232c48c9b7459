import { TextBlock } from './text-block.tsx'

/** A text under its title, which scrolls where it is long. */
export function Passage({ title, text }: { title: string; text: string }) {
  return (
    <section className="min-w-0">
      <h3 className="mb-1 text-xs font-medium text-ink-3">{title}</h3>
      <div
        className="max-h-80 overflow-auto rounded-lg border border-line bg-surface p-3 text-sm"
        tabIndex={0}
        aria-label={title}
        role="group"
      >
        {text === '' ? <p className="text-ink-3">nothing</p> : <TextBlock text={text} />}
      </div>
    </section>
  )
}
