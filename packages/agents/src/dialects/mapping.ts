import type { ResponsePaths } from '../agent.ts'
import { AgentFailed } from '../fault.ts'
import type { TurnRecorder } from '../recorder.ts'

/** Reads answers of a shape of their own. */
export interface Mapping {
  paths: ResponsePaths
  /** @throws AgentFailed when the place of errors holds one */
  read(value: unknown, recorder: TurnRecorder): void
}

/**
 * What reads answers where paths say. The language of paths is loaded for those alone.
 *
 * @throws AgentFailed for what is no path
 */
export async function mappingOf(paths: ResponsePaths): Promise<Mapping> {
  const { pathFault, readMapped } = await import('./mapped.ts')
  for (const [name, path] of Object.entries<string | undefined>({ ...paths })) {
    const fault = path === undefined ? undefined : pathFault(path)
    if (fault === undefined) continue
    const message = `${path} (response.${name}) is no JSONPath: ${fault}`
    throw new AgentFailed({ code: 'invalid_request', message })
  }
  return { paths, read: (value, recorder) => readMapped(value, paths, recorder) }
}
