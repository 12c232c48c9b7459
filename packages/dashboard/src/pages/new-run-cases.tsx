import type { Dataset } from '@llm-eval/protocol'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { datasetQueries } from '../api/datasets.ts'
import { useParts } from '../app/parts.ts'
import { FormSelect } from '../components/form-field.tsx'
import { formatCount } from '../format/numbers.ts'
import { type PartProps, type RunDraft } from './new-run-draft.ts'
import { typed } from './schema-form.ts'

/** What is known of the cases that are chosen. */
export interface ChosenCases {
  dataset: Dataset | undefined
  columns: readonly string[]
  /** Null before a dataset is chosen. */
  total: number | null
  /** The first of them; null before it is read, or where there is none. */
  first: Record<string, unknown> | null
  versions: readonly { version: string; rows: number }[]
}

/** Reads of the dataset what the form shows. */
export function useCases({ dataset: slug, version }: RunDraft, datasets: readonly Dataset[]): ChosenCases {
  const { api } = useParts()
  const queries = datasetQueries(api)
  const dataset = datasets.find((one) => one.slug === slug)
  const isChosen = dataset !== undefined
  const { data: published } = useQuery({ ...queries.versions(slug), enabled: isChosen })
  const versions = published?.items ?? []
  // What the server takes when no version is named.
  const used = version === '' ? (dataset?.last_version ?? undefined) : version
  const { data: rows } = useInfiniteQuery({ ...queries.rows(slug, used), enabled: isChosen })
  const page = rows?.pages[0]
  return {
    dataset,
    columns: dataset?.columns.map((column) => column.slug) ?? [],
    total: page?.total ?? null,
    first: page?.items[0]?.values ?? null,
    versions,
  }
}

/** Which cases are asked. */
export function CasesPart({
  draft,
  faults,
  set,
  datasets,
  cases,
}: PartProps & { datasets: readonly Dataset[]; cases: ChosenCases }) {
  const { dataset, versions, first, total } = cases
  const isDraft = dataset?.last_version === null
  const known = versions.some(({ version }) => version === draft.version)
  return (
    <section className="card flex flex-col gap-3 p-4" aria-label="Cases">
      <h2 className="font-semibold">Cases</h2>
      <div className="grid gap-3 sm:grid-cols-2">
        <FormSelect
          label="Dataset"
          value={draft.dataset}
          fault={faults['dataset']}
          choices={[
            { value: '', label: 'Choose…' },
            ...datasets.map(({ slug, name, total_rows: rows }) => ({
              value: slug,
              label: `${name} (${formatCount(rows)} rows)`,
            })),
          ]}
          onChange={(slug) => set({ dataset: slug, version: '', column: '' })}
        />
        <FormSelect
          label="Version"
          value={draft.version}
          fault={faults['dataset_version']}
          says={isDraft ? 'Nothing is published: the draft is used as it stands when the run begins.' : undefined}
          choices={[
            { value: '', label: isDraft ? 'Draft' : `Newest${dataset ? `: ${dataset.last_version}` : ''}` },
            ...(known || draft.version === '' ? [] : [{ value: draft.version, label: draft.version }]),
            ...versions.map(({ version, rows }) => ({
              value: version,
              label: `${version} (${formatCount(rows)} rows)`,
            })),
          ]}
          onChange={(version) => set({ version })}
        />
      </div>
      {total === 0 && <p className="text-sm text-wait">It has no rows: the run would end at once.</p>}
      {first && <FirstCase values={first} />}
    </section>
  )
}

/** The first case, so that it is seen whether it is the right dataset. */
function FirstCase({ values }: { values: Record<string, unknown> }) {
  return (
    <div className="rounded-lg bg-sunken px-3 py-2">
      <h3 className="mb-1 text-xs font-medium text-ink-3">First case</h3>
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-0.5 text-sm">
        {Object.entries(values)
          .slice(0, 8)
          .map(([name, value]) => (
            <div key={name} className="contents">
              <dt className="foreign clip max-w-40 text-ink-3">{name}</dt>
              <dd className="foreign clip" title={typed(value)}>
                {typed(value) || <span className="text-ink-3">(empty)</span>}
              </dd>
            </div>
          ))}
      </dl>
    </div>
  )
}
