import { createContext, type ReactNode, use, useEffect, useState } from 'react'
import { formatAgo, formatTime } from '../format/times.ts'

const Now = createContext(0)

/** One clock for the whole page, so that relative times move together. */
export function ClockProvider({ children }: { children: ReactNode }) {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return <Now value={now}>{children}</Now>
}

/** Milliseconds since 1970, moving on each second. */
export function useNow(): number {
  return use(Now)
}

/** A time, relative to now; the whole date shows on hover. */
export function Ago({ time }: { time: string }) {
  const now = useNow()
  return (
    <time dateTime={time} title={formatTime(time)} className="whitespace-nowrap">
      {formatAgo(time, now)}
    </time>
  )
}
