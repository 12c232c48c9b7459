import { FormArea, FormSelect } from '../components/form-field.tsx'
import type { ConfigField } from './schema-form.ts'

/** One member of an evaluator's configuration. */
export function ConfigOption({
  field: { name, kind, choices, description },
  fault,
  value,
  onChange,
}: {
  field: ConfigField
  fault: string | undefined
  value: string
  onChange: (value: string) => void
}) {
  if (kind !== 'choice' && kind !== 'flag')
    return <FormArea label={name} says={description} fault={fault} value={value} onChange={onChange} />
  const words = kind === 'flag' ? ['true', 'false'] : choices
  return (
    <FormSelect
      label={name}
      says={description}
      fault={fault}
      value={value}
      choices={[{ value: '', label: 'as usual' }, ...words.map((word) => ({ value: word, label: word }))]}
      onChange={onChange}
    />
  )
}
