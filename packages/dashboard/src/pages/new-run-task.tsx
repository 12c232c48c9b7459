import { FormArea, FormLine, FormSelect } from '../components/form-field.tsx'
import type { ChosenCases } from './new-run-cases.tsx'
import { type PartProps, type TaskKind, taskKinds } from './new-run-draft.ts'
import { typed } from './schema-form.ts'

const kinds: Record<TaskKind, { name: string; says: string }> = {
  outputs: { name: 'Answers in the dataset', says: 'A column holds what was answered already; it is only scored.' },
  http: { name: 'HTTP endpoint', says: 'Your application is asked for each case, and answers with JSON or text.' },
  prompt: { name: 'Prompt', says: 'A language model answers a template that is filled with each case.' },
}

type TaskProps = PartProps & { cases: ChosenCases }

/** What answers the cases. */
export function TaskPart(props: TaskProps) {
  const { draft, set } = props
  return (
    <section className="card flex flex-col gap-3 p-4" aria-label="Task">
      <h2 className="font-semibold">Task</h2>
      <fieldset className="grid gap-2 sm:grid-cols-3">
        <legend className="sr-only">What answers the cases</legend>
        {taskKinds.map((kind) => (
          <label
            key={kind}
            className="flex cursor-pointer items-start gap-2.5 rounded-lg border border-line p-3 hover:border-line-strong has-checked:border-accent has-checked:bg-chosen has-focus-visible:outline-2 has-focus-visible:outline-accent"
          >
            <input
              type="radio"
              name="task"
              className="mt-1 shrink-0 outline-none"
              checked={draft.kind === kind}
              onChange={() => set({ kind })}
            />
            <span>
              <span className="font-medium">{kinds[kind].name}</span>
              <span className="block text-xs text-ink-2">{kinds[kind].says}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {draft.kind === 'outputs' ? (
        <Outputs {...props} />
      ) : draft.kind === 'http' ? (
        <Http {...props} />
      ) : (
        <Prompt {...props} />
      )}
      <p className="text-xs text-ink-3">
        Code of yours that is not behind an endpoint is evaluated by the SDK: the Evaluator of llm-eval-sdk/evaluation
        makes such a run by itself.
      </p>
    </section>
  )
}

function Outputs({ draft, faults, set, cases: { columns } }: TaskProps) {
  return (
    <FormSelect
      label="Column with the answers"
      value={draft.column}
      fault={faults['task.column']}
      choices={[
        { value: '', label: columns.length === 0 ? 'Choose a dataset first' : 'Choose…' },
        ...(columns.includes(draft.column) || draft.column === ''
          ? []
          : [{ value: draft.column, label: draft.column }]),
        ...columns.map((column) => ({ value: column, label: column })),
      ]}
      onChange={(column) => set({ column })}
    />
  )
}

function Http({ draft, faults, set }: TaskProps) {
  return (
    <>
      <FormLine
        label="URL"
        type="url"
        value={draft.url}
        fault={faults['task.url']}
        placeholder="https://app.example.com/answer"
        says="It is sent {input, case_id, repetition} by POST."
        onChange={(url) => set({ url })}
      />
      <div className="grid gap-3 sm:grid-cols-2">
        <FormArea
          label="Headers (optional)"
          value={draft.headers}
          fault={faults['task.headers']}
          placeholder="authorization: Bearer …"
          says="One a line. Nobody is shown their values again."
          spellCheck={false}
          onChange={(headers) => set({ headers })}
        />
        <FormLine
          label="Where the output stands (optional)"
          value={draft.output}
          fault={faults['task.output']}
          placeholder="choices.0.message.content"
          says="A path into its JSON. Without one: output, if it answers with one, or all of it."
          onChange={(output) => set({ output })}
        />
      </div>
    </>
  )
}

function Prompt({ draft, faults, set, cases: { columns, first } }: TaskProps) {
  const places = ['input', ...columns.filter((column) => column !== 'input')]
  const strange = first === null ? [] : strangePlaces(draft.template, places)
  return (
    <>
      <FormArea
        label="Template"
        rows={4}
        value={draft.template}
        fault={faults['task.template']}
        placeholder={'Answer briefly: {{input}}'}
        says={
          strange.length > 0
            ? `No column is called ${strange.join(', ')}: nothing would stand there.`
            : `Places: ${places.map((place) => `{{${place}}}`).join(' ')}`
        }
        onChange={(template) => set({ template })}
      />
      {first && draft.template.includes('{{') && (
        <div className="rounded-lg bg-sunken px-3 py-2">
          <h3 className="mb-1 text-xs font-medium text-ink-3">With the first case</h3>
          <p className="foreign-block line-clamp-6 text-sm">{filled(draft.template, first)}</p>
        </div>
      )}
      <div className="grid gap-3 sm:grid-cols-2">
        <FormArea
          label="Instructions (optional)"
          value={draft.system}
          fault={faults['task.system']}
          placeholder="You are a helpful assistant."
          onChange={(system) => set({ system })}
        />
        <FormLine
          label="Model (optional)"
          value={draft.model}
          fault={faults['task.model']}
          placeholder="provider/model"
          says="The server's default model without it."
          onChange={(model) => set({ model })}
        />
      </div>
    </>
  )
}

const place = /\{\{\s*([^{}]+?)\s*\}\}/g

function strangePlaces(template: string, known: readonly string[]): string[] {
  const names = [...template.matchAll(place)].map(([, name = '']) => name)
  return [...new Set(names)].filter((name) => !known.includes(name))
}

/** The template as the server fills it; of the input only the server knows for sure which column it is. */
function filled(template: string, values: Record<string, unknown>): string {
  return template.replace(place, (whole, name: string) => {
    if (Object.hasOwn(values, name)) return typed(values[name])
    return name === 'input' ? whole : ''
  })
}
