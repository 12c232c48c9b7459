import { pathTo, routes } from '@llm-eval/protocol'
import { Download } from 'lucide-react'
import { DropdownMenu } from 'radix-ui'
import { apiQuery, type ListSearch } from '../api/filters.ts'
import { buttonLook } from '../components/button.tsx'
import { MenuFile, MenuSheet } from '../components/menu.tsx'

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
          <MenuFile key={format} href={address(format)} file={`traces.${format}`} name={name} says={says} />
        ))}
      </MenuSheet>
    </DropdownMenu.Root>
  )
}
