import type { SessionInfo } from '@llm-eval/protocol'
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { createContext, use } from 'react'
import type { Api } from '../api/client.ts'
import type { Queries } from '../api/queries.ts'
import type { Feed } from '../stream/feed.ts'
import type { Reviewer } from './reviewer.ts'
import type { RunLink } from './run-link.ts'
import type { ThemeSwitch } from './theme.ts'

/** What every page needs, made once in main. */
export interface Parts {
  api: Api
  queries: Queries
  feed: Feed
  runLink: RunLink
  queryClient: QueryClient
  theme: ThemeSwitch
  reviewer: Reviewer
}

export const PartsContext = createContext<Parts | null>(null)

export function useParts(): Parts {
  const parts = use(PartsContext)
  if (!parts) throw new Error('this component stands outside of the application')
  return parts
}

/** Whether the caller may do something. Until it is known nothing is forbidden: the server has the last word. */
export function useMay(scope: SessionInfo['scopes'][number]): boolean {
  const { queries } = useParts()
  const { data } = useQuery(queries.session())
  return !data || !data.auth_required || data.scopes.includes(scope) || data.scopes.includes('admin')
}
