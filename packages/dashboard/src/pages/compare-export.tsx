import type { RunComparison } from '@llm-eval/protocol'
import { Download } from 'lucide-react'
import { DropdownMenu } from 'radix-ui'
import { buttonLook } from '../components/button.tsx'
import { MenuSheet } from '../components/menu.tsx'
import { comparisonCsv, comparisonMarkdown } from '../format/comparison-files.ts'

interface Export {
  name: string
  says: string
  file: string
  type: string
  text: (comparison: RunComparison, nameOf: (id: string) => string) => string
}

const formats: Export[] = [
  {
    name: 'Markdown',
    says: 'what was found',
    file: 'comparison.md',
    type: 'text/markdown',
    text: comparisonMarkdown,
  },
  { name: 'CSV', says: 'the cases that are listed', file: 'cases.csv', type: 'text/csv', text: comparisonCsv },
  {
    name: 'JSON',
    says: 'all of it',
    file: 'comparison.json',
    type: 'application/json',
    text: (comparison) => `${JSON.stringify(comparison, null, 2)}\n`,
  },
]

/** Saves the comparison as a file, made in the browser of what is on the screen. */
export function ExportComparison({
  comparison,
  nameOf,
}: {
  comparison: RunComparison
  nameOf: (id: string) => string
}) {
  const save = ({ file, type, text }: Export): void => {
    const address = URL.createObjectURL(new Blob([text(comparison, nameOf)], { type: `${type};charset=utf-8` }))
    const link = document.createElement('a')
    link.href = address
    link.download = file
    link.click()
    // The browser has taken it by the next turn.
    setTimeout(() => URL.revokeObjectURL(address), 10_000)
  }
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger className={buttonLook('plain')}>
        <Download aria-hidden size={14} />
        Export
      </DropdownMenu.Trigger>
      <MenuSheet>
        {formats.map((one) => (
          <DropdownMenu.Item
            key={one.name}
            className="flex items-baseline gap-2 rounded-lg px-3 py-2 outline-none data-[highlighted]:bg-hover"
            onSelect={() => save(one)}
          >
            <span className="font-medium">{one.name}</span>
            <span className="text-sm text-ink-3">{one.says}</span>
          </DropdownMenu.Item>
        ))}
      </MenuSheet>
    </DropdownMenu.Root>
  )
}
