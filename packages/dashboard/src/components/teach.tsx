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
    <Tabs.Root defaultValue="curl" className="w-full text-left">
      <Tabs.List aria-label="How to send a trace" className="flex gap-1 border-b">
        <Tab value="curl">curl</Tab>
        <Tab value="sdk">JavaScript</Tab>
      </Tabs.List>
      <Tabs.Content value="curl">
        <Snippet name="the curl command" text={curlSample(place)} />
      </Tabs.Content>
      <Tabs.Content value="sdk">
        <Snippet name="the JavaScript code" text={sdkSample(place)} />
      </Tabs.Content>
    </Tabs.Root>
  )
}

/** One of the tabs over a sample. */
export function Tab({ value, children }: { value: string; children: string }) {
  return (
    <Tabs.Trigger
      value={value}
      className="-mb-px border-b-2 border-transparent px-3 py-1.5 text-sm font-medium text-ink-2 hover:text-ink data-[state=active]:border-accent data-[state=active]:text-ink"
    >
      {children}
    </Tabs.Trigger>
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
