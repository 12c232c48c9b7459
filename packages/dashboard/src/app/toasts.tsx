import { X } from 'lucide-react'
import { createContext, type ReactNode, use, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { IconButton } from '../components/button.tsx'

export interface Toast {
  text: string
  mood?: 'good' | 'bad'
  /** A toast with the same key makes way for this one. */
  key?: string
  /** One thing to do about it. */
  action?: { label: string; run: () => void }
}

export interface Toasts {
  show(toast: Toast): void
}

type Shown = Toast & { id: number }

const Context = createContext<Toasts>({ show: () => {} })
const most = 3
const shownMs = 5_000

export function useToasts(): Toasts {
  return use(Context)
}

/** Short messages at the lower edge, read aloud by screen readers; they wait while the pointer is on them. */
export function ToastProvider({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<Shown[]>([])
  const next = useRef(0)
  const show = useCallback((toast: Toast) => {
    setShown((before) => {
      const others = before.filter(({ key }) => key === undefined || key !== toast.key)
      return [...others, { ...toast, id: next.current++ }].slice(-most)
    })
  }, [])
  const drop = useCallback((id: number) => setShown((before) => before.filter((toast) => toast.id !== id)), [])
  const toasts = useMemo(() => ({ show }), [show])

  return (
    <Context value={toasts}>
      {children}
      <div
        role="status"
        aria-live="polite"
        className="pointer-events-none fixed inset-x-0 bottom-16 z-50 flex flex-col items-center gap-2 px-3 sm:bottom-5"
      >
        {shown.map((toast) => (
          <ToastCard key={toast.id} toast={toast} onDone={drop} />
        ))}
      </div>
    </Context>
  )
}

function ToastCard({ toast, onDone }: { toast: Shown; onDone: (id: number) => void }) {
  const [held, setHeld] = useState(false)
  useEffect(() => {
    if (held) return
    const timer = setTimeout(() => onDone(toast.id), shownMs)
    return () => clearTimeout(timer)
  }, [held, toast.id, onDone])

  return (
    <div
      className="pointer-events-auto flex max-w-full animate-rise items-center gap-3 rounded-xl border border-line bg-raised py-1.5 pr-1.5 pl-3.5 text-base shadow-float"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
    >
      {toast.mood && (
        <span aria-hidden className={`size-2 shrink-0 rounded-full ${toast.mood === 'good' ? 'bg-good' : 'bg-bad'}`} />
      )}
      <span className="min-w-0">{toast.text}</span>
      {toast.action && (
        <button
          type="button"
          className="rounded-md px-2 py-1 font-medium text-accent hover:bg-hover"
          onClick={() => {
            toast.action?.run()
            onDone(toast.id)
          }}
        >
          {toast.action.label}
        </button>
      )}
      <IconButton label="Dismiss" onClick={() => onDone(toast.id)}>
        <X aria-hidden size={15} />
      </IconButton>
    </div>
  )
}
