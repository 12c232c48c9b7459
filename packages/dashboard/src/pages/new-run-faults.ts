import type { ApiError } from '../api/client.ts'
import type { Faults } from './new-run-draft.ts'

const fields =
  /^(name|description|tags|model_name|environment|config|metadata|dataset_version|dataset|task\.(column|url|headers|output|template|system|model)|metrics_used(\[\d+\](\.name|\.config\.[^.[]+)?)?|settings\.(repetitions|concurrency|timeout_ms|retries|limits\.(cost|duration_ms)|decision\.(metric|threshold|level)))(?=$|[.[])/

/** Failures that are about one field though they do not name it. */
const fieldsOfCodes: Partial<Record<string, string>> = {
  address_refused: 'task.url',
  dataset_not_found: 'dataset',
  version_not_found: 'dataset_version',
}

/** What the server says is wrong, at the fields of the form; the rest stands under ''. */
export function faultsOfAnswer({ code, message, next, places }: ApiError): Faults {
  const faults: Faults = {}
  const note = (path: string, words: string): void => {
    faults[path] = faults[path] === undefined ? words : `${faults[path]} ${words}`
  }
  for (const { path, message: words } of places) {
    const field = fields.exec(path)?.[0] ?? ''
    note(field, field === '' ? [path, words].filter((part) => part !== '').join(' ') : words)
  }
  if (places.length === 0) note(fieldsOfCodes[code] ?? '', [message, next].filter((part) => part !== '').join(' '))
  return faults
}
