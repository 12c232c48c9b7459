import { Ellipsis } from 'lucide-react'
import { DropdownMenu } from 'radix-ui'
import type { ReactNode } from 'react'
import { buttonLook } from './button.tsx'

/** Three dots that open a menu. */
export function Menu({ label, children }: { label: string; children: ReactNode }) {
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger aria-label={label} className={buttonLook('quiet', 'icon')}>
        <Ellipsis aria-hidden size={17} />
      </DropdownMenu.Trigger>
      <MenuSheet>{children}</MenuSheet>
    </DropdownMenu.Root>
  )
}

/** What opens under the button of a menu. */
export function MenuSheet({ align = 'end', children }: { align?: 'start' | 'end'; children: ReactNode }) {
  return (
    <DropdownMenu.Portal>
      <DropdownMenu.Content
        align={align}
        sideOffset={6}
        className="z-40 min-w-52 animate-rise rounded-xl border border-line bg-raised p-1.5 shadow-float"
      >
        {children}
      </DropdownMenu.Content>
    </DropdownMenu.Portal>
  )
}

const itemLook =
  'flex cursor-pointer items-center gap-2.5 rounded-lg px-3 py-1.5 outline-none data-[highlighted]:bg-hover data-[disabled]:cursor-default data-[disabled]:opacity-50'

export interface MenuItemProps {
  picture: ReactNode
  /** Colour as a class. */
  tone?: string
  disabled?: boolean
  onSelect: () => void
  children: string
}

/** One thing to do. */
export function MenuItem({ picture, tone = '', disabled = false, onSelect, children }: MenuItemProps) {
  return (
    <DropdownMenu.Item className={`${itemLook} ${tone}`} disabled={disabled} onSelect={onSelect}>
      <span aria-hidden>{picture}</span>
      {children}
    </DropdownMenu.Item>
  )
}

/** A file to download. */
export function MenuDownload({ picture, href, children }: { picture: ReactNode; href: string; children: string }) {
  return (
    <DropdownMenu.Item asChild>
      <a href={href} download className={itemLook}>
        <span aria-hidden>{picture}</span>
        {children}
      </a>
    </DropdownMenu.Item>
  )
}

/** A file to download in one of several formats, with what each is for. */
export function MenuFile({ href, file, name, says }: { href: string; file: string; name: string; says: string }) {
  return (
    <DropdownMenu.Item asChild>
      <a
        href={href}
        download={file}
        className="flex items-baseline gap-2 rounded-lg px-3 py-2 outline-none data-[highlighted]:bg-hover"
      >
        <span className="font-medium">{name}</span>
        <span className="text-sm text-ink-3">{says}</span>
      </a>
    </DropdownMenu.Item>
  )
}

/** A line between what is harmless and what is not. */
export function MenuLine() {
  return <DropdownMenu.Separator className="my-1.5 h-px bg-line" />
}
