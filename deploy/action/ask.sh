#!/usr/bin/env bash
# Asks the agent and writes reports; the code of llm-eval becomes an output, so that reports are kept before the job fails.
# COMMAND, AGENT, PATHS, FAIL_ON, STRICT, TAGS, REPEAT, JUDGE, VERSION.
set -uo pipefail

fail() {
  echo "::error::$1"
  echo "exit-code=2" >>"$GITHUB_OUTPUT"
  exit 0
}

case "${COMMAND:-}" in
  check | test) ;;
  *) fail "command must be check or test, not ${COMMAND:-nothing}." ;;
esac
# A wish that is misspelt would be a gate that is not there.
for wish in "strict=${STRICT:=false}" "judge=${JUDGE:=true}"; do
  [[ "$wish" =~ =(true|false)$ ]] || fail "${wish%%=*} must be true or false, not ${wish#*=}."
done
[[ "${VERSION:=latest}" =~ ^[A-Za-z0-9._-]+$ ]] || fail "version must be a version or tag of npm."

folder="$(mktemp -d "${RUNNER_TEMP:-/tmp}/llm-eval-agent.XXXXXX")"
args=("$COMMAND" --junit "$folder/agent.xml" --html "$folder/agent.html" --markdown "$folder/agent.md")
[ -n "${AGENT:-}" ] && args+=(--agent "$AGENT")
[ -n "${REPEAT:-}" ] && args+=(--repeat "$REPEAT")
[ "${JUDGE:-true}" = false ] && args+=(--no-judge)
if [ "$COMMAND" = check ]; then
  [ -n "${FAIL_ON:-}" ] && args+=(--fail-on "$FAIL_ON")
  [ "${STRICT:-false}" = true ] && args+=(--strict)
elif [ -n "${FAIL_ON:-}" ] || [ "${STRICT:-false}" = true ]; then
  fail "fail-on and strict are of check, not of test."
fi
while IFS= read -r tag; do
  [ -n "$tag" ] && args+=(--tag "$tag")
done <<<"${TAGS:-}"
# What follows these dashes is a path, whatever it begins with.
args+=(--)
while IFS= read -r path; do
  [ -n "$path" ] && args+=("$path")
done <<<"${PATHS:-}"

npx --yes "llm-eval@$VERSION" "${args[@]}"
code=$?

if [ -f "$folder/agent.md" ]; then
  cat "$folder/agent.md" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
else
  # It ended before there was anything to tell: that is no verdict of the agent.
  echo "### ⚠️ llm-eval $COMMAND could not begin (exit code $code)" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
  [ "$code" = 0 ] && code=2
fi
{
  echo "exit-code=$code"
  echo "folder=$folder"
  echo "junit=$folder/agent.xml"
  echo "html=$folder/agent.html"
  echo "markdown=$folder/agent.md"
} >>"$GITHUB_OUTPUT"
