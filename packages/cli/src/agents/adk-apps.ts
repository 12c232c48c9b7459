import { readJson } from '@llm-eval/agents'
import * as z from 'zod'

const appNames = z.array(z.string().max(200)).max(1_000)

/** The apps in an api server's answer to `/list-apps`; null where it is no list of them. */
export async function appsAt(answer: Response): Promise<string[] | null> {
  try {
    return appNames.parse(await readJson(answer))
  } catch {
    return null
  }
}
