import { Tabs } from 'radix-ui'
import { useQuery } from '@tanstack/react-query'
import { useParts } from '../app/parts.ts'
import { curlSample, sdkSample } from '../format/samples.ts'
import { CopyButton } from './copy-button.tsx'

/** How to send the first trace: to copy, not to read. */
export function Teach() {
  const { queries } = useParts()
  const { data: session } = useQuery(queries.session())
  const place = { origin: location.origin, keyed: session?.auth_required ?? false }
  return (
    <Samples
      label="How to send a trace"
      samples={[
        { tab: 'curl', name: 'the curl command', text: curlSample(place) },
        { tab: 'JavaScript', name: 'the JavaScript code', text: sdkSample(place) },
      ]}
    />
  )
}

/** Code to copy, of which one is shown. */
export interface Sample {
  /** What its tab is called. */
  tab: string
  /** What it is. */
  name: string
  text: string
}

/** One thing said in several ways, each behind a tab; the first is shown. */
export function Samples({ label, samples }: { label: string; samples: readonly Sample[] }) {
  return (
    <Tabs.Root defaultValue={samples[0]?.tab ?? ''} className="w-full text-left">
      <Tabs.List aria-label={label} className="flex gap-1 border-b">
        {samples.map(({ tab }) => (
          <Tabs.Trigger
            key={tab}
            value={tab}
            className="-mb-px border-b-2 border-transparent px-3 py-1.5 text-sm font-medium text-ink-2 hover:text-ink data-[state=active]:border-accent data-[state=active]:text-ink"
          >
            {tab}
          </Tabs.Trigger>
        ))}
      </Tabs.List>
      {samples.map(({ tab, name, text }) => (
        <Tabs.Content key={tab} value={tab}>
          <Snippet name={name} text={text} />
        </Tabs.Content>
      ))}
    </Tabs.Root>
  )
}

/** Code to copy. */
export function Snippet({ text, name }: { text: string; name: string }) {
  return (
    <div className="group relative mt-3">
      <pre
        // Wide code scrolls, also by keyboard.
        tabIndex={0}
        aria-label={name}
        className="overflow-x-auto rounded-lg border border-line bg-sunken p-3.5 pr-24 font-mono text-xs text-ink"
      >
        {text}
      </pre>
      <CopyButton text={() => text} name={name} label="Copy" className="absolute top-2 right-2" />
    </div>
  )
}
