import { initialize, type TraceloopClient } from '@traceloop/node-server-sdk'
import { type Provider, type Reply, says, startProvider } from '../packages/engine/test/provider.ts'
import { type Recorder, startRecorder } from './recorder.ts'
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
  answer?: () => Reply
}

/** Sets the scene. There is one SDK in a process, so there is one scene in a file. */
export async function setScene({ cassette, answer }: SceneOptions = {}): Promise<Scene> {
  // In a pull request's run the SDK would take another way.
  delete process.env['GITHUB_ACTIONS']
  const stack = new AsyncDisposableStack()
  const provider = stack.use(await startProvider({ answer: answer ?? (() => says({ pass: true, reason: 'fine' })) }))
  const subject = stack.use(await startSubject({ provider: provider.base('openai') }))
  const recorder = cassette && process.env['RECORD'] ? stack.use(await startRecorder(subject.url)) : undefined
  const url = recorder?.url ?? subject.url
  const client = initialize({
    baseUrl: url,
    apiKey: subject.key,
    appName: 'conformance',
    tracingEnabled: false,
    traceloopSyncEnabled: false,
    silenceInitializationMessage: true,
  })
  if (client === undefined) throw new Error('the SDK gave no client')
  if (cassette) stack.defer(() => keep(recorder, cassette))
  return { client, url, key: subject.key, provider, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

async function keep(recorder: Recorder | undefined, cassette: { name: string; about: string }): Promise<void> {
  const path = new URL(`./cassettes/${cassette.name}.json`, import.meta.url)
  await recorder?.write(path, { about: cassette.about, client: '@traceloop/node-server-sdk 0.27.0' })
}
