#!/usr/bin/env bash
# One command of reconcile as a step: what the action's inputs ask for, by the environment.
set -euo pipefail

bin="$RUNNER_TEMP/reconciler/bin"
text="$RUNNER_TEMP/reconciler-$COMMAND.txt"
said="$RUNNER_TEMP/reconciler-$COMMAND.said"
: "${PLAN:=}"
saved="${PLAN:-$RUNNER_TEMP/reconciler.plan}"

# Only the command that needs one of them gets it.
address="$STORE" given="$TOKEN" signs="${RECORD_KEY:-}"
unset STORE TOKEN RECORD_KEY
if [ -n "${CACHE_KEY:-}" ]; then export RECONCILER_CACHE_KEY="$CACHE_KEY"; fi
unset CACHE_KEY

# What the tool prints may hold text that somebody wrote into a spec: none of it is a command to the runner.
word="$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
code=0
quietly() {
  printf '::stop-commands::%s\n' "$word"
  code=0
  "$@" 2>&1 || code=$?
  printf '\n::%s::\n' "$word"
}

fail() {
  printf '::error title=reconcile %s::%s\n' "$COMMAND" "$1"
  printf 'error: %s\n' "$1" >"$said"
  exit 1
}

for_store() {
  if [ -z "$address" ]; then
    fail "There is no address of a live store: is the secret set that the workflow takes it from?"
  fi
  export RECONCILER_STORE="$address"
  # Artifacts are pushed, and looked for where they were pushed to: in the folder of a runner they would be lost.
  export RECONCILER_PUBLISH=git
  # git gets the token for this one server, and it stands in no file.
  if [ -n "$given" ]; then
    local basic
    basic="$(printf 'x-access-token:%s' "$given" | base64 -w 0)"
    printf '::add-mask::%s\n' "$basic"
    # After what the runner itself has there.
    local entries="${GIT_CONFIG_COUNT:-0}"
    export "GIT_CONFIG_KEY_$entries=http.$GITHUB_SERVER_URL/.extraheader"
    export "GIT_CONFIG_VALUE_$entries=AUTHORIZATION: basic $basic"
    export GIT_CONFIG_COUNT="$((entries + 1))"
  fi
}

# Text as it is: indented by four, nothing in it is Markdown.
summarize_text() {
  { printf '### reconcile %s\n\n' "$COMMAND"; sed 's/^/    /' "$1"; printf '\n'; } >>"$GITHUB_STEP_SUMMARY"
}

# shellcheck disable=SC2329 # called by quietly
to_file() {
  local ended=0
  "$bin/reconcile" "$@" >"$text" 2>"$said" || ended=$?
  cat "$said" >&2
  return "$ended"
}
# shellcheck disable=SC2329 # called by quietly
shown() { "$bin/reconcile" "$@" 2>&1 | tee "$text"; }

validate() {
  "$bin/reconcile" validate --format github || code=$?
  local owners=(.github/CODEOWNERS CODEOWNERS docs/CODEOWNERS)
  if [ "$code" = 0 ] && grep -qs '^# reconcile owners.*: begin' "${owners[@]}"; then
    quietly "$bin/reconcile" owners --check
    if [ "$code" != 0 ]; then
      printf '::error title=CODEOWNERS::It differs from the specs. Run: reconcile owners --write\n'
    fi
  fi
}

diff() {
  quietly to_file diff "$BASE" --format markdown
  cat "$text" >>"$GITHUB_STEP_SUMMARY"
}

# However the step ends: where no plan came out, the summary and the comment that is there say so.
# shellcheck disable=SC2329 # called by the trap
unplanned() {
  if [ -s "$text" ]; then return; fi
  summarize_text "$said"
  if [ "$COMMENT" = true ]; then
    local asked=(--failed)
    if [ -n "$BASE" ]; then asked+=(--base "$BASE"); fi
    comment "$said" "${asked[@]}"
  fi
}

plan() {
  rm -f "$text" "$saved"
  : >"$said"
  trap unplanned EXIT
  for_store
  local asked=(--format markdown --detailed-exitcode --out "$saved")
  if [ -n "$BASE" ]; then asked+=(--base "$BASE"); fi
  if [ "$DUE" = false ]; then asked+=(--no-due); fi
  if [ -n "$ALLOW" ]; then
    local known='^(--(max-(delete|rotate|disable) [0-9]+|allow-empty|retry)( |$))+$'
    if ! [[ "$ALLOW" =~ $known ]]; then
      fail "allow takes --max-delete N, --max-rotate N, --max-disable N, --allow-empty and --retry."
    fi
    local words
    read -ra words <<<"$ALLOW"
    asked+=("${words[@]}")
  fi
  quietly to_file plan "${asked[@]}"
  local planned="$code" pending=false
  # Changes, or what an interrupted run left, are no failure.
  if [ "$planned" = 2 ]; then planned=0 pending=true; fi
  printf 'pending=%s\n' "$pending" >>"$GITHUB_OUTPUT"
  cat "$text" >>"$GITHUB_STEP_SUMMARY"
  if [ -s "$saved" ]; then plan_outputs; fi
  code=0
  if [ "$COMMENT" = true ] && [ -s "$text" ]; then comment "$text"; fi
  if [ "$planned" = 3 ]; then
    printf '::error title=The plan is blocked::The summary of this job says by what.\n'
  fi
  if [ "$planned" != 0 ]; then code="$planned"; fi
}

plan_outputs() {
  "$bin/python" -I - "$saved" >>"$GITHUB_OUTPUT" <<'PYTHON'
import json, sys

with open(sys.argv[1], encoding="utf-8") as file:
    plan = json.load(file)
print(f"digest={plan['digest']}")
print(f"changes={len(plan['changes'])}")
print(f"blocked={len(plan['blocked'])}")
PYTHON
}

comment() {
  local from="$1"
  shift
  quietly env -u RECONCILER_STORE GITHUB_TOKEN="$given" "$bin/reconcile" comment "$@" <"$from"
}

apply() {
  if [ -n "$signs" ]; then export RECONCILER_RECORD_KEY="$signs"; fi
  for_store
  local asked=(--yes --lock-timeout "$LOCK_TIMEOUT")
  if [ -n "$EXPECT" ]; then asked+=(--expect "$EXPECT"); fi
  if [ -n "$PLAN" ]; then asked+=("$PLAN"); fi
  quietly shown apply "${asked[@]}"
  summarize_text "$text"
}

drift() {
  for_store
  quietly shown drift
  summarize_text "$text"
  if [ "$code" = 2 ]; then
    printf '::error title=Drift was found::Something is live, or in the tree, that no apply made. See the summary.\n'
  fi
}

case "$COMMAND" in
  validate) validate ;;
  diff) diff ;;
  plan) plan ;;
  apply) apply ;;
  drift) drift ;;
  *) fail "The input command is validate, diff, plan, apply or drift." ;;
esac
printf 'exit-code=%s\n' "$code" >>"$GITHUB_OUTPUT"
exit "$code"
