import { Check, Copy } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useToasts } from '../app/toasts.tsx'
import { Button, type ButtonProps, IconButton } from './button.tsx'

/** Puts a text on the clipboard and tells whether it worked. Browsers allow it on https and localhost only; elsewhere a selection does it. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const area = document.createElement('textarea')
    area.value = text
    area.style.cssText = 'position:fixed;opacity:0'
    document.body.append(area)
    area.select()
    const done = document.execCommand('copy')
    area.remove()
    return done
  }
}

/** Copies `text()` when pressed. With a label it is shown beside the picture. */
export function CopyButton({
  text,
  name,
  label,
  ...rest
}: { text: () => string; name: string; label?: string } & Pick<ButtonProps, 'look' | 'className'>) {
  const [done, setDone] = useState(false)
  const toasts = useToasts()
  useEffect(() => {
    if (!done) return
    const timer = setTimeout(() => setDone(false), 1500)
    return () => clearTimeout(timer)
  }, [done])

  const tryCopy = async (): Promise<void> => {
    const worked = await copyText(text())
    setDone(worked)
    if (!worked) toasts.show({ text: `Could not copy ${name}: the browser does not allow it here.`, mood: 'bad' })
  }
  const copy = (): void => {
    void tryCopy()
  }
  const picture = done ? <Check aria-hidden size={15} className="text-good" /> : <Copy aria-hidden size={15} />
  if (label === undefined) {
    return (
      <IconButton {...rest} label={done ? `Copied ${name}` : `Copy ${name}`} onClick={copy}>
        {picture}
      </IconButton>
    )
  }
  return (
    <Button {...rest} onClick={copy} title={`Copy ${name}`}>
      {picture}
      {done ? 'Copied' : label}
    </Button>
  )
}
