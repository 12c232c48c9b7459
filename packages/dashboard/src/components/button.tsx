import type { ComponentProps, ReactNode } from 'react'

type Look = 'plain' | 'primary' | 'quiet' | 'good' | 'bad'
type Size = 'small' | 'medium' | 'icon'

const looks: Record<Look, string> = {
  plain: 'border border-line bg-surface text-ink hover:bg-hover',
  primary: 'bg-accent-solid text-on-accent hover:bg-accent-hover',
  quiet: 'text-ink-2 hover:bg-hover hover:text-ink',
  good: 'bg-good-solid text-on-accent hover:brightness-110',
  bad: 'bg-bad-solid text-on-accent hover:brightness-110',
}

const sizes: Record<Size, string> = {
  small: 'h-7 px-2.5 text-sm',
  medium: 'h-9 px-3.5 text-base',
  icon: 'size-8 justify-center text-base',
}

/** The look of a button, for links that look like one. */
export function buttonLook(look: Look = 'plain', size: Size = 'small'): string {
  return `inline-flex shrink-0 items-center gap-1.5 rounded-lg font-medium whitespace-nowrap transition-colors disabled:opacity-50 aria-disabled:opacity-50 ${looks[look]} ${sizes[size]}`
}

export interface ButtonProps extends ComponentProps<'button'> {
  look?: Look
  size?: Size
}

export function Button({ look = 'plain', size = 'small', className = '', ...rest }: ButtonProps) {
  return <button type="button" {...rest} className={`${buttonLook(look, size)} ${className}`} />
}

/** A button that shows only a picture; its name is read aloud and shown on hover. */
export function IconButton({
  label,
  children,
  ...rest
}: Omit<ButtonProps, 'size'> & { label: string; children: ReactNode }) {
  return (
    <Button look="quiet" {...rest} size="icon" aria-label={label} title={label}>
      {children}
    </Button>
  )
}

/** A key on the keyboard. */
export function Key({ children }: { children: ReactNode }) {
  return (
    <kbd className="inline-flex h-5 min-w-5 items-center justify-center rounded border border-line bg-sunken px-1 text-2xs font-medium text-ink-2">
      {children}
    </kbd>
  )
}
