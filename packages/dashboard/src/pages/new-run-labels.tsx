import { FormArea, FormLine } from '../components/form-field.tsx'
import type { PartProps } from './new-run-draft.ts'

const own = ['model_name', 'environment', 'config', 'metadata']

/** What is said about a run, to find it again and to tell it from others. */
export function LabelsPart({ draft, faults, set }: PartProps) {
  const { modelName, environment, config, metadata } = draft
  const isWrong = own.some((name) => faults[name] !== undefined)
  const isFilled = [modelName, environment, config, metadata].some((text) => text !== '')
  return (
    <details className="card" {...(isWrong || isFilled ? { open: true } : {})}>
      <summary className="px-4 py-3 font-semibold">Labels</summary>
      <div className="grid gap-3 px-4 pb-4 sm:grid-cols-2">
        <FormLine
          label="Name of the model (optional)"
          value={modelName}
          fault={faults['model_name']}
          placeholder="gpt-5-mini"
          onChange={(text) => set({ modelName: text })}
        />
        <FormLine
          label="Environment (optional)"
          value={environment}
          fault={faults['environment']}
          placeholder="staging"
          onChange={(text) => set({ environment: text })}
        />
        <FormArea
          label="Configuration (optional)"
          says="What is evaluated, as a JSON object: a comparison shows what differs."
          value={config}
          fault={faults['config']}
          spellCheck={false}
          placeholder='{"prompt": "capitals-3", "temperature": 0.1}'
          onChange={(text) => set({ config: text })}
        />
        <FormArea
          label="Metadata (optional)"
          says="Anything else, as a JSON object."
          value={metadata}
          fault={faults['metadata']}
          spellCheck={false}
          placeholder='{"commit": "1a2b3c"}'
          onChange={(text) => set({ metadata: text })}
        />
      </div>
    </details>
  )
}
