import {
  Activity,
  Database,
  FlaskConical,
  Gauge,
  ListChecks,
  MessagesSquare,
  Rows3,
  Settings,
  ShieldCheck,
} from 'lucide-react'

/** The pages of the dashboard, in the order of the navigation. */
export const places = [
  { to: '/', name: 'Live', Icon: Activity, keys: 'g l' },
  { to: '/traces', name: 'Traces', Icon: Rows3, keys: 'g t' },
  { to: '/conversations', name: 'Conversations', Icon: MessagesSquare, keys: 'g c' },
  { to: '/review', name: 'Review', Icon: ListChecks, keys: 'g r' },
  { to: '/evaluators', name: 'Evaluators', Icon: Gauge, keys: 'g e' },
  { to: '/datasets', name: 'Datasets', Icon: Database, keys: 'g d' },
  { to: '/runs', name: 'Runs', Icon: FlaskConical, keys: 'g u' },
  { to: '/tests', name: 'Tests', Icon: ShieldCheck, keys: 'g a' },
  { to: '/settings', name: 'Settings', Icon: Settings, keys: 'g s' },
] as const
