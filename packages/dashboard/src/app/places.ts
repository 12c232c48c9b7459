import { Activity, ListChecks, Rows3, Settings } from 'lucide-react'

/** The pages of the dashboard, in the order of the navigation. */
export const places = [
  { to: '/', name: 'Live', Icon: Activity, keys: 'g l' },
  { to: '/traces', name: 'Traces', Icon: Rows3, keys: 'g t' },
  { to: '/review', name: 'Review', Icon: ListChecks, keys: 'g r' },
  { to: '/settings', name: 'Settings', Icon: Settings, keys: 'g s' },
] as const
