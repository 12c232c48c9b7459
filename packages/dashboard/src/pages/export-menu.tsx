import { pathTo, routes } from '@llm-eval/protocol'
import { Download } from 'lucide-react'
import { DropdownMenu } from 'radix-ui'
import { apiQuery, type ListSearch } from '../api/filters.ts'
import { buttonLook } from '../components/button.tsx'
import { MenuSheet } from '../components/menu.tsx'

const formats = [
  { format: 'csv', name: 'CSV', says: 'for spreadsheets' },
  { format: 'jsonl', name: 'JSON Lines', says: 'whole traces, one a line' },
] as const

/** Downloads everything that matches the filter, however much it is: the server streams it. */
export function ExportMenu({ search }: { search: ListSearch }) {
  const address = (format: string): string => {
    const query = apiQuery(search, Date.now())
    query.set('format', format)
    return `${pathTo(routes.exportTraces)}?${query}`
  }
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger className={`${buttonLook('plain')} h-8`}>
        <Download aria-hidden size={14} />
        <span className="max-sm:sr-only">Export</span>
      </DropdownMenu.Trigger>
      <MenuSheet>
        {formats.map(({ format, name, says }) => (
          <DropdownMenu.Item key={format} asChild>
            <a
              href={address(format)}
              download={`traces.${format}`}
              className="flex items-baseline gap-2 rounded-lg px-3 py-2 outline-none data-[highlighted]:bg-hover"
            >
              <span className="font-medium">{name}</span>
              <span className="text-sm text-ink-3">{says}</span>
            </a>
          </DropdownMenu.Item>
        ))}
      </MenuSheet>
    </DropdownMenu.Root>
  )
}
