import { initialize, type TraceloopClient } from '@traceloop/node-server-sdk'
import { type Asked, type Provider, type Reply, says, startProvider } from '../packages/engine/test/provider.ts'
import { startRecorder, write } from './recorder.ts'
import { startSubject } from './server.ts'

/** The unmodified SDK, its tracing off, before a server. */
export interface Scene extends AsyncDisposable {
  client: TraceloopClient
  /** Where the SDK sends its requests. */
  url: string
  key: string
  provider: Provider
}

export interface SceneOptions {
  /** With `RECORD` set, the traffic is written to `cassettes/NAME.json`. */
  cassette?: { name: string; about: string }
  /** What language models answer. */
  answer?: (asked: Asked) => Reply
}

/** Sets the scene. There is one SDK in a process, so there is one scene in a file. */
export async function setScene({ cassette, answer }: SceneOptions = {}): Promise<Scene> {
  // In a pull request's run the SDK would take another way.
  delete process.env['GITHUB_ACTIONS']
  const stack = new AsyncDisposableStack()
  const provider = stack.use(await startProvider({ answer: answer ?? (() => says({ pass: true, reason: 'fine' })) }))
  const isRecorded = cassette !== undefined && process.env['RECORD'] !== undefined
  const models = isRecorded ? stack.use(await startRecorder(new URL(provider.base('openai')).origin)) : undefined
  const base = models ? `${models.url}/v1` : provider.base('openai')
  const subject = stack.use(await startSubject({ provider: base }))
  const traffic = isRecorded ? stack.use(await startRecorder(subject.url)) : undefined
  const url = traffic?.url ?? subject.url
  const client = initialize({
    baseUrl: url,
    apiKey: subject.key,
    appName: 'conformance',
    tracingEnabled: false,
    traceloopSyncEnabled: false,
    silenceInitializationMessage: true,
  })
  if (client === undefined) throw new Error('the SDK gave no client')
  if (cassette && traffic && models) {
    const path = new URL(`./cassettes/${cassette.name}.json`, import.meta.url)
    const by = '@traceloop/node-server-sdk 0.27.0'
    stack.defer(() => {
      const answers = models.kept().map(({ response }) => response)
      const kept = { about: cassette.about, client: by, exchanges: traffic.kept() }
      return write(path, answers.length > 0 ? { ...kept, models: answers } : kept)
    })
  }
  return { client, url, key: subject.key, provider, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
