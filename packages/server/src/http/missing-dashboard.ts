/** Shown in place of the dashboard when it was not built; everything else works without it. */
export const missingDashboardPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>llm-eval</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { max-width: 40rem; margin: 12vh auto; padding: 0 1.5rem }
  code { font: 0.95em ui-monospace, monospace; padding: 0.1em 0.35em; border-radius: 4px; background: #8883 }
</style>
<h1>The server runs. Its dashboard is not built yet.</h1>
<p>Build it with <code>npm run build</code>, then start the server again. <code>npm start</code> does both.</p>
<p>The API works without it: send traces to <code>/webhook/trace</code>, follow them at <code>/stream/events</code>,
browse everything at <a href="/docs">/docs</a>.</p>
</html>
`
