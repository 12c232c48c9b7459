import type { Run, RunTask } from '@llm-eval/protocol'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { writeJson } from '../api/exact-json.ts'
import { runQueries } from '../api/runs.ts'
import { useParts } from '../app/parts.ts'
import { CopyButton } from '../components/copy-button.tsx'
import { JsonView } from '../components/json-view.tsx'
import { Part } from '../components/part.tsx'
import { Snippet } from '../components/teach.tsx'
import { TextBlock } from '../components/text-block.tsx'
import { formatCost, formatCount, formatLatency } from '../format/numbers.ts'
import { formatTime } from '../format/times.ts'
import { runSnippet, runWish } from '../format/run-samples.ts'
import { writeYaml } from '../format/yaml.ts'
import { EvaluatorName } from './run-evaluator.tsx'
import { DatasetName } from './run-head.tsx'

/** How a run was made, and how to make it again. */
export function RunConfiguration({ run }: { run: Run }) {
  return (
    <div className="flex flex-col gap-8">
      <Part title="Task" says={taskWords[run.task.kind]}>
        <Task task={run.task} />
      </Part>
      <Part title="Evaluators" says="Each under the name that its scores have in this run.">
        <Evaluators run={run} />
      </Part>
      <div className="grid grid-cols-1 items-start gap-8 lg:grid-cols-2">
        <Part title="Settings">
          <Facts of={settingsOf(run)} />
        </Part>
        <Part title="Run">
          <Facts of={factsOf(run)} />
        </Part>
      </div>
      {Object.keys(run.config).length > 0 && (
        <Part title="What was evaluated" says="In its owner’s words.">
          <JsonView value={run.config} name="config" />
        </Part>
      )}
      {Object.keys(run.metadata).length > 0 && (
        <Part title="Metadata">
          <JsonView value={run.metadata} name="metadata" />
        </Part>
      )}
      <Part
        title="Again"
        says="The same wish as JSON and YAML, and as a command. Secrets are masked here: put them in again."
        beside={
          <span className="flex gap-2">
            <CopyButton text={() => writeJson(runWish(run))} name="the configuration as JSON" label="Copy JSON" />
            <CopyButton text={() => writeYaml(runWish(run))} name="the configuration as YAML" label="Copy YAML" />
          </span>
        }
      >
        <Snippet
          name={run.task.kind === 'client' ? 'the code' : 'the command'}
          text={runSnippet(run, location.origin)}
        />
      </Part>
    </div>
  )
}

const taskWords: Record<RunTask['kind'], string> = {
  client: 'User code answered the cases and sent what it made.',
  outputs: 'The answers stand in the dataset.',
  http: 'An endpoint was asked for each case.',
  prompt: 'A language model was asked for each case.',
}

function Task({ task }: { task: RunTask }) {
  if (task.kind === 'client') return <p className="card px-4 py-3 text-ink-2">What it did is known to it alone.</p>
  if (task.kind === 'outputs')
    return <Facts of={[['Column', <code className="font-mono text-sm">{task.column}</code>]]} />
  if (task.kind === 'http')
    return (
      <Facts
        of={[
          ['Address', <code className="foreign font-mono text-sm break-all">{task.url}</code>],
          ['Output at', task.output ?? 'the whole answer'],
          ...Object.entries(task.headers ?? {}).map(
            ([name, value]): Pair => [
              <code className="foreign font-mono text-xs">{name}</code>,
              <code className="foreign font-mono text-xs">{value}</code>,
            ],
          ),
        ]}
      />
    )
  return (
    <div className="flex flex-col gap-3">
      <Facts of={[['Model', task.model ?? 'the default model']]} />
      {task.system !== undefined && <Text name="System prompt" text={task.system} />}
      <Text name="Template" text={task.template} />
    </div>
  )
}

function Text({ name, text }: { name: string; text: string }) {
  return (
    <div>
      <h3 className="mb-1 text-sm font-medium text-ink-2">{name}</h3>
      <div className="card px-4 py-3">
        <TextBlock text={text} />
      </div>
    </div>
  )
}

function Evaluators({ run }: { run: Run }) {
  const { api } = useParts()
  const { data } = useQuery(runQueries(api).metrics(run.run_id))
  const versionOf = (metric: string): string | null | undefined =>
    data?.items.find(({ name }) => name === metric)?.evaluator_version
  return (
    <ul aria-label="Evaluators of the run" className="card divide-y divide-line/70">
      {run.metrics_used.map(({ name, evaluator, config }) => (
        <li key={name} className="px-4 py-2.5">
          <div className="flex flex-wrap items-baseline gap-x-3">
            {evaluator !== name && <span className="foreign font-medium">{name}</span>}
            <span className={evaluator === name ? 'font-medium' : 'text-sm'}>
              <EvaluatorName slug={evaluator} />
            </span>
            <Version version={versionOf(name)} />
          </div>
          {config !== undefined && Object.keys(config).length > 0 && (
            <div className="mt-2">
              <JsonView value={config} name={`configuration of ${name}`} />
            </div>
          )}
        </li>
      ))}
    </ul>
  )
}

/** The version that scored; undefined while it is not read. */
function Version({ version }: { version: string | null | undefined }) {
  if (version === undefined) return null
  return (
    <span className="ml-auto text-xs text-ink-3" title={version ?? undefined}>
      {version === null ? 'under no version: it cannot gate' : `version ${version.slice(0, 8)}`}
    </span>
  )
}

type Pair = [name: ReactNode, value: ReactNode]

function settingsOf({ settings }: Run): Pair[] {
  const { concurrency, timeout_ms: timeout, retries, repetitions, limits, decision } = settings
  return [
    ['At the same time', `${formatCount(concurrency)} items`],
    ['An attempt may take', formatLatency(timeout)],
    ['Retries', formatCount(retries)],
    ['Each case', repetitions === 1 ? 'once' : `${formatCount(repetitions)} times`],
    ['Limit in cost', limits.cost === undefined ? 'none' : formatCost(limits.cost)],
    ['Limit in time', limits.duration_ms === undefined ? 'none' : formatLatency(limits.duration_ms)],
    [
      'Ends when certain',
      decision === null ? (
        'no'
      ) : (
        <>
          whether the mean of <span className="foreign">{decision.metric}</span> is above or below {decision.threshold}
          {decision.level !== undefined && `, at ${decision.level * 100} %`}
        </>
      ),
    ],
  ]
}

function factsOf(run: Run): Pair[] {
  const time = (at: string | null): string => (at === null ? 'not yet' : formatTime(at))
  const facts: Pair[] = [
    ['Run id', <code className="foreign font-mono text-xs break-all">{run.run_id}</code>],
    ['Dataset', <DatasetName run={run} />],
    ['Made', time(run.created_at)],
    ['Started', time(run.started_at)],
    ['Ended', time(run.ended_at)],
    ['By', run.created_by],
    ['Task type', run.task_type],
    ['Environment', run.environment],
    ['Model', [run.model_name, run.model_version].filter((part) => part !== null).join(' ') || null],
    ['Tags', run.tags.join(', ') || null],
  ]
  return facts.filter(([, value]) => value !== null)
}

function Facts({ of }: { of: readonly Pair[] }) {
  return (
    <dl className="card divide-y divide-line/70">
      {of.map(([name, value], at) => (
        // Rows never change their places.
        // oxlint-disable-next-line react/no-array-index-key
        <div key={at} className="flex min-w-0 gap-4 px-4 py-2">
          <dt className="w-40 shrink-0 text-ink-3">{name}</dt>
          <dd className="foreign min-w-0 flex-1">{value}</dd>
        </div>
      ))}
    </dl>
  )
}
