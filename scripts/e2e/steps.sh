# shellcheck shell=bash
# Steps, how long each took, and the table of them at the end. Sourced by scripts/e2e.sh.

steps=()

minutes() {
  printf '%d.%d' "$(($1 / 60))" "$(($1 % 60 / 6))"
}

# How a step is repeated, where it is a command and no function of ours.
repeated() {
  [[ "$(type -t "$1")" == function ]] || printf '; to repeat it:%s' "$(printf ' %q' "$@")"
}

# step NAME COMMAND...: runs it, says how many minutes it took; on failure says which command repeats it, and ends.
step() {
  local name="$1" started="$SECONDS"
  shift
  echo "== $name"
  # In a condition, `set -e` would be off within the command.
  set +e
  (
    set -e
    "$@"
  )
  local code=$?
  set -e
  if ((code != 0)); then
    steps+=("$name|failed|$(minutes $((SECONDS - started)))")
    echo "== $name FAILED after $((SECONDS - started)) s$(repeated "$@")" >&2
    exit 1
  fi
  steps+=("$name|passed|$(minutes $((SECONDS - started)))")
  echo "== $name: $(minutes $((SECONDS - started))) minutes"
}

# skip NAME WHY
skip() {
  steps+=("$1|skipped|-|$2")
  echo "== $1: SKIPPED; $2"
}

summary() {
  local line name result took why
  printf '\n%-28s %-8s %8s\n' step result minutes
  for line in "${steps[@]}"; do
    IFS='|' read -r name result took why <<<"$line"
    printf '%-28s %-8s %8s  %s\n' "$name" "$result" "$took" "$why"
  done
}
