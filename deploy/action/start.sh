#!/usr/bin/env bash
# Starts the agent, and waits until something answers at its address. START, AGENT, START_TIMEOUT.
set -uo pipefail

fail() {
  echo "::error::$1"
  exit 2
}

[ -n "${AGENT:-}" ] || fail "With start, agent must say where the agent will answer."
[[ "${START_TIMEOUT:=60}" =~ ^[0-9]{1,5}$ ]] || fail "start-timeout must be a number of seconds."

log="${RUNNER_TEMP:-/tmp}/llm-eval-agent-start.log"
nohup bash -c "$START" >"$log" 2>&1 </dev/null &
agent=$!

for ((waited = 0; waited < START_TIMEOUT; waited++)); do
  # Any answer will do, also one that refuses the method: it is there.
  if node -e 'fetch(process.argv[1], { signal: AbortSignal.timeout(5000) }).then(() => process.exit(0), () => process.exit(1))' "$AGENT"; then
    echo "The agent answers at $AGENT."
    exit 0
  fi
  if ! kill -0 "$agent" 2>/dev/null && ! wait "$agent"; then
    cat "$log"
    fail "The agent ended before it answered."
  fi
  sleep 1
done
cat "$log"
fail "Nothing answers at $AGENT after $START_TIMEOUT seconds."
