import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
} from '@tanstack/react-router'
import { conversationQueries, newestBlocks } from '../api/conversations.ts'
import { type ListSearch, readSearch } from '../api/filters.ts'
import { readItemSearch } from '../api/item-filters.ts'
import { readRunSearch } from '../api/run-filters.ts'
import { pageItems, runItemQueries } from '../api/run-items.ts'
import { runQueries } from '../api/runs.ts'
import {
  readCatalogue,
  readCompare,
  readConversations,
  readDatasetSearch,
  readLive,
  readNewRun,
  readReview,
  readRunTab,
  readSignIn,
  readTab,
  readTestCase,
  readTestSuite,
  type RunTabSearch,
} from './addresses.ts'
import { Crash, NotFound } from './crash.tsx'
import type { Parts } from './parts.ts'
import { Shell } from './shell.tsx'

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>
  }
  interface StaticDataRouteOption {
    title?: string
  }
  interface HistoryState {
    /** The list a trace was opened from: previous and next lead along it. */
    list?: ListSearch | 'live'
  }
}

const root = createRootRouteWithContext<Pick<Parts, 'api' | 'queryClient'>>()({
  component: Outlet,
  notFoundComponent: NotFound,
})
const shell = createRoute({ getParentRoute: () => root, id: 'shell', component: Shell })

const live = createRoute({
  getParentRoute: () => shell,
  path: '/',
  staticData: { title: 'Live' },
  validateSearch: readLive,
  component: lazyRouteComponent(() => import('../pages/live.tsx'), 'LivePage'),
})

const traces = createRoute({
  getParentRoute: () => shell,
  path: '/traces',
  staticData: { title: 'Traces' },
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('../pages/traces.tsx'), 'TracesPage'),
})

const trace = createRoute({
  getParentRoute: () => shell,
  path: '/traces/$traceId',
  staticData: { title: 'Trace' },
  validateSearch: readTab,
  component: lazyRouteComponent(() => import('../pages/trace.tsx'), 'TracePage'),
})

const review = createRoute({
  getParentRoute: () => shell,
  path: '/review',
  staticData: { title: 'Review' },
  validateSearch: readReview,
  component: lazyRouteComponent(() => import('../pages/review.tsx'), 'ReviewPage'),
})

const conversations = createRoute({
  getParentRoute: () => shell,
  path: '/conversations',
  staticData: { title: 'Conversations' },
  validateSearch: readConversations,
  component: lazyRouteComponent(() => import('../pages/conversations.tsx'), 'ConversationsPage'),
})

const conversation = createRoute({
  getParentRoute: () => shell,
  path: '/conversations/$thread',
  staticData: { title: 'Conversation' },
  loader: ({ context, params, preload }) => {
    // Of what is merely pointed at nothing is read.
    if (!preload) void readConversation(context, params.thread)
  },
  component: lazyRouteComponent(() => import('../pages/conversation.tsx'), 'ConversationPage'),
})

const conversationCompare = createRoute({
  getParentRoute: () => shell,
  path: '/conversations/$thread/compare/$other',
  staticData: { title: 'Replay' },
  component: lazyRouteComponent(() => import('../pages/conversation-compare.tsx'), 'ConversationComparePage'),
})

const evaluators = createRoute({
  getParentRoute: () => shell,
  path: '/evaluators',
  staticData: { title: 'Evaluators' },
  validateSearch: readCatalogue,
  component: lazyRouteComponent(() => import('../pages/evaluators.tsx'), 'EvaluatorsPage'),
})

const evaluator = createRoute({
  getParentRoute: () => shell,
  path: '/evaluators/$slug',
  staticData: { title: 'Evaluator' },
  component: lazyRouteComponent(() => import('../pages/evaluator.tsx'), 'EvaluatorPage'),
})

const datasets = createRoute({
  getParentRoute: () => shell,
  path: '/datasets',
  staticData: { title: 'Datasets' },
  component: lazyRouteComponent(() => import('../pages/datasets.tsx'), 'DatasetsPage'),
})

const dataset = createRoute({
  getParentRoute: () => shell,
  path: '/datasets/$dataset',
  staticData: { title: 'Dataset' },
  validateSearch: readDatasetSearch,
  component: lazyRouteComponent(() => import('../pages/dataset.tsx'), 'DatasetPage'),
})

const runs = createRoute({
  getParentRoute: () => shell,
  path: '/runs',
  staticData: { title: 'Runs' },
  validateSearch: readRunSearch,
  component: lazyRouteComponent(() => import('../pages/runs.tsx'), 'RunsPage'),
})

const run = createRoute({
  getParentRoute: () => shell,
  path: '/runs/$runId',
  staticData: { title: 'Run' },
  validateSearch: readRunTab,
  loader: ({ context, params, cause, location }) => {
    // What is chosen on the page itself it reads itself.
    if (cause === 'enter') readRun(context, params.runId, readRunTab({ ...location.search }))
  },
  component: lazyRouteComponent(() => import('../pages/run.tsx'), 'RunPage'),
})

// Not under `/runs`: a run may have any id.
const newRun = createRoute({
  getParentRoute: () => shell,
  path: '/new-run',
  staticData: { title: 'New run' },
  validateSearch: readNewRun,
  component: lazyRouteComponent(() => import('../pages/new-run.tsx'), 'NewRunPage'),
})

const compare = createRoute({
  getParentRoute: () => shell,
  path: '/compare',
  staticData: { title: 'Compare' },
  validateSearch: readCompare,
  component: lazyRouteComponent(() => import('../pages/compare.tsx'), 'ComparePage'),
})

const tests = createRoute({
  getParentRoute: () => shell,
  path: '/tests',
  staticData: { title: 'Tests' },
  component: lazyRouteComponent(() => import('../pages/tests.tsx'), 'TestsPage'),
})

const testSuite = createRoute({
  getParentRoute: () => shell,
  path: '/tests/$suite',
  staticData: { title: 'Suite' },
  validateSearch: readTestSuite,
  component: lazyRouteComponent(() => import('../pages/test-suite.tsx'), 'TestSuitePage'),
})

const testCase = createRoute({
  getParentRoute: () => shell,
  path: '/tests/$suite/$caseId',
  staticData: { title: 'Case' },
  validateSearch: readTestCase,
  component: lazyRouteComponent(() => import('../pages/test-case.tsx'), 'TestCasePage'),
})

const settings = createRoute({
  getParentRoute: () => shell,
  path: '/settings',
  staticData: { title: 'Settings' },
  component: lazyRouteComponent(() => import('../pages/settings.tsx'), 'SettingsPage'),
})

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/signin',
  staticData: { title: 'Sign in' },
  validateSearch: readSignIn,
  component: lazyRouteComponent(() => import('../pages/signin.tsx'), 'SignInPage'),
})

/** Reads what the page of a conversation shows first, while the page itself is still on its way. What fails, the page tells. */
async function readConversation(
  { api, queryClient }: Pick<Parts, 'api' | 'queryClient'>,
  thread: string,
): Promise<void> {
  const queries = conversationQueries(api)
  const detail = await queryClient.fetchQuery(queries.conversation(thread)).catch(() => null)
  if (detail) for (const block of newestBlocks(detail)) void queryClient.prefetchQuery(queries.turns(thread, block))
}

/** Reads a run and what the chosen view shows of it at the same time: for neither the answer of the other is needed. */
function readRun(
  { api, queryClient }: Pick<Parts, 'api' | 'queryClient'>,
  runId: string,
  { tab, item, ...search }: RunTabSearch,
): void {
  const [queries, items] = [runQueries(api), runItemQueries(api)]
  void queryClient.prefetchQuery(queries.run(runId))
  if (tab === 'metrics') void queryClient.prefetchQuery(queries.metrics(runId))
  if (tab === 'errors') void queryClient.prefetchQuery(items.errors(runId))
  if (tab !== 'items') return
  const opened = Number(item ?? 0)
  const filter = readItemSearch(search)
  if (item !== undefined) void queryClient.prefetchQuery(queries.item(runId, opened))
  if (Object.keys(filter).length > 0) void queryClient.prefetchInfiniteQuery(items.found(runId, filter))
  else void queryClient.prefetchQuery(items.page(runId, Math.floor(opened / pageItems)))
}

/** The addresses of the dashboard. Search parameters are plain texts, so that people can read and write them. */
export function createAppRouter(context: Pick<Parts, 'api' | 'queryClient'>) {
  return createRouter({
    context,
    routeTree: root.addChildren([
      shell.addChildren([
        live,
        traces,
        trace,
        conversations,
        conversation,
        conversationCompare,
        review,
        evaluators,
        evaluator,
        datasets,
        dataset,
        runs,
        run,
        newRun,
        compare,
        tests,
        testSuite,
        testCase,
        settings,
      ]),
      signIn,
    ]),
    parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
    stringifySearch: (search) => {
      const entries = Object.entries(search).filter(([, value]) => value !== undefined && value !== '')
      const text = new URLSearchParams(entries.map(([name, value]) => [name, String(value)])).toString()
      return text && `?${text}`
    },
    defaultErrorComponent: Crash,
    defaultPreload: 'intent',
    scrollRestoration: true,
    defaultPendingMs: 300,
  })
}
