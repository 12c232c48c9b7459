import { X } from 'lucide-react'
import { Dialog as Radix } from 'radix-ui'
import { type ReactNode, useRef } from 'react'
import { Button, IconButton } from './button.tsx'

export interface DialogProps {
  open: boolean
  onOpen: (open: boolean) => void
  title: string
  /** A sentence under the title. */
  says?: ReactNode
  children?: ReactNode
  /** Width as a class. */
  width?: string
}

const overlay = 'fixed inset-0 z-40 animate-appear bg-[light-dark(rgb(0_0_0/0.3),rgb(0_0_0/0.55))]'
const panel =
  'fixed inset-x-3 top-[8vh] z-50 mx-auto max-h-[84vh] animate-rise overflow-auto rounded-xl border border-line bg-raised shadow-float'

/** Where the keyboard is; in a menu, at the button that opened it: the menu itself is about to go. */
function here(): Element | null {
  const { activeElement } = document
  const button = activeElement?.closest('[role=menu]')?.getAttribute('aria-labelledby')
  return button ? document.getElementById(button) : activeElement
}

/** Whoever leaves a dialog is where they were when it opened: dialogs are opened by state, so nothing else knows. */
function useReturn() {
  const before = useRef<Element | null>(null)
  return {
    onOpenAutoFocus: () => {
      before.current = here()
    },
    onCloseAutoFocus: (event: Event) => {
      event.preventDefault()
      if (before.current instanceof HTMLElement) before.current.focus()
    },
  }
}

/** A window over the page. */
export function Dialog({ open, onOpen, title, says, children, width = 'max-w-lg' }: DialogProps) {
  const focus = useReturn()
  return (
    <Radix.Root open={open} onOpenChange={onOpen}>
      <Radix.Portal>
        <Radix.Overlay className={overlay} />
        <Radix.Content
          className={`${panel} p-5 ${width}`}
          {...focus}
          {...(says ? {} : { 'aria-describedby': undefined })}
        >
          <div className="mb-3 flex items-start gap-3">
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-lg font-semibold">{title}</Radix.Title>
              {says && <Radix.Description className="mt-1 text-ink-2">{says}</Radix.Description>}
            </div>
            <Radix.Close asChild>
              <IconButton label="Close">
                <X aria-hidden size={16} />
              </IconButton>
            </Radix.Close>
          </div>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

/** A dialog without a frame, for the palette. */
export function BareDialog({ open, onOpen, title, children }: Omit<DialogProps, 'says' | 'width'>) {
  const focus = useReturn()
  return (
    <Radix.Root open={open} onOpenChange={onOpen}>
      <Radix.Portal>
        <Radix.Overlay className={overlay} />
        <Radix.Content className={`${panel} max-w-xl`} aria-describedby={undefined} {...focus}>
          <Radix.Title className="sr-only">{title}</Radix.Title>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

/** Asks before something that cannot be taken back. */
export function Confirm({
  action,
  busy,
  onConfirm,
  ...dialog
}: Omit<DialogProps, 'children'> & { action: string; busy: boolean; onConfirm: () => void }) {
  return (
    <Dialog {...dialog} width="max-w-md">
      <div className="mt-5 flex justify-end gap-2">
        <Button size="medium" onClick={() => dialog.onOpen(false)}>
          Cancel
        </Button>
        <Button size="medium" look="bad" disabled={busy} onClick={onConfirm}>
          {action}
        </Button>
      </div>
    </Dialog>
  )
}

/** How the form of a dialog ends: what went wrong, and its two ways out. */
export function FormEnd({
  fault,
  action,
  busy,
  onCancel,
}: {
  fault: string | undefined
  action: string
  busy: boolean
  onCancel: () => void
}) {
  return (
    <>
      {fault !== undefined && (
        <p role="alert" className="text-bad">
          {fault}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button size="medium" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" size="medium" look="primary" disabled={busy}>
          {action}
        </Button>
      </div>
    </>
  )
}
