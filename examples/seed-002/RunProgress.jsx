import React, { useMemo, useSyncExternalStore } from 'react'
import { followRun, wordsOf } from './run-progress.js'
import './run-progress.css'

/** Shows how a run goes, live: `<RunProgress server="http://localhost:8000" runId="my-run-id" />`. */
export default function RunProgress({ server, runId, token }) {
  const run = useMemo(() => followRun(runId, { server, token }), [server, runId, token])
  const state = useSyncExternalStore(run.subscribe, run.get)
  const words = wordsOf(state)
  return (
    <section className="run-progress" aria-label={`Progress of ${runId}`}>
      <h2>{runId}</h2>
      <p className="link" role="status">
        {words.link}
      </p>
      <div
        className="bar"
        data-status={state.status}
        role="progressbar"
        aria-label="Items"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={words.now}
      >
        <i style={{ width: words.width }} />
      </div>
      <dl>
        <div>
          <dt>Progress</dt>
          <dd>{words.percent}</dd>
        </div>
        <div>
          <dt>Items</dt>
          <dd>{words.counted}</dd>
        </div>
        <div>
          <dt>Success rate</dt>
          <dd>{words.successRate}</dd>
        </div>
        <div>
          <dt>Rate</dt>
          <dd>{words.rate}</dd>
        </div>
        <div>
          <dt>Time left</dt>
          <dd>{words.eta}</dd>
        </div>
      </dl>
      <p className="outcome" role="status">
        {words.status}
      </p>
      {state.errors.length > 0 && (
        <ul aria-label="Errors" tabIndex={0}>
          {state.errors.map((error) => (
            <li key={`${error.item_index} ${error.at}`}>
              <b>{error.error}</b> {error.case_id}: {error.message}
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
